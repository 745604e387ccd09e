#include "engine/cli/table.hpp"

#include <algorithm>

namespace cgtide::cli {

namespace {

constexpr std::size_t kGap = 2;

std::size_t places(const std::string& text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char byte) {
        return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U;
    }));
}

} // namespace

Table::Table(std::vector<std::string> titles) {
    for (std::string& title : titles) {
        right_.push_back(title.starts_with('>'));
        title.erase(0, right_.back() ? 1 : 0);
    }
    rows_.push_back(std::move(titles));
}

void Table::row(std::vector<std::string> cells) {
    cells.resize(right_.size());
    rows_.push_back(std::move(cells));
}

std::string Table::text() const {
    std::vector<std::size_t> widths(right_.size());
    for (const auto& cells : rows_) {
        for (std::size_t i = 0; i < cells.size(); ++i) {
            widths[i] = std::max(widths[i], places(cells[i]));
        }
    }
    std::string text;
    for (const auto& cells : rows_) {
        std::string line;
        for (std::size_t i = 0; i < cells.size(); ++i) {
            const std::string padding(widths[i] - places(cells[i]), ' ');
            line += right_[i] ? padding + cells[i] : cells[i] + padding;
            line.append(kGap, ' ');
        }
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + '\n';
    }
    return text;
}

} // namespace cgtide::cli
