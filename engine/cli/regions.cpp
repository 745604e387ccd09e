#include "cgroup/base/text.hpp"
#include "cgroup/base/units.hpp"
#include "engine/cli/fields.hpp"
#include "engine/cli/table.hpp"
#include "engine/cli/views.hpp"

#include <algorithm>
#include <array>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace cgtide::cli {

namespace {

using nlohmann::json;

constexpr std::size_t kCells = 32;

/// A class of idle times and its character in a heat map.
struct Heat {
    double below_us; ///< idle times below this
    char cell;
    const char* text;
};

constexpr std::array<Heat, 5> kScale{{{1, '#', "in use"},
                                      {10e6, '+', "idle under 10 s"},
                                      {60e6, '-', "under 1 m"},
                                      {600e6, '.', "under 10 m"},
                                      {1e300, '_', "longer"}}};

struct Row {
    double start = 0;
    double end = 0;
    double present = 0;
    double idle = 0;
};

/// Rows of one mapping that lie close together.
struct Group {
    std::string mapping;
    std::vector<Row> rows;
    double present = 0;
};

std::vector<Group> groups_of(const json& space) {
    constexpr double kGap = 1 << 20;
    std::vector<Group> groups;
    for (const json& region : child(space, "regions")) {
        const Row row{number_field(region, "start").value_or(0),
                      number_field(region, "end").value_or(0),
                      number_field(region, "present_bytes").value_or(0),
                      number_field(region, "idle_us").value_or(0)};
        const std::string mapping = text_field(region, "mapping");
        if (groups.empty() || groups.back().mapping != mapping ||
            row.start - groups.back().rows.back().end > kGap) {
            groups.push_back({mapping, {}, 0});
        }
        groups.back().rows.push_back(row);
        groups.back().present += row.present;
    }
    return groups;
}

/// One character a cell: the heat of most of what is present there, blank where nothing is.
std::string heat_of(const Group& group) {
    const double start = group.rows.front().start;
    const double size = (group.rows.back().end - start) / static_cast<double>(kCells);
    std::string cells(kCells, ' ');
    for (std::size_t i = 0; i < kCells; ++i) {
        const double from = start + size * static_cast<double>(i);
        std::array<double, kScale.size()> bytes{};
        for (const Row& row : group.rows) {
            const double overlap = std::min(row.end, from + size) - std::max(row.start, from);
            if (overlap <= 0) {
                continue;
            }
            std::size_t heat = 0;
            while (heat + 1 < kScale.size() && row.idle >= kScale.at(heat).below_us) {
                ++heat;
            }
            bytes.at(heat) += row.present * overlap / (row.end - row.start);
        }
        const auto most = std::max_element(bytes.begin(), bytes.end());
        if (*most > 0) {
            cells[i] = kScale.at(static_cast<std::size_t>(most - bytes.begin())).cell;
        }
    }
    return cells;
}

/// The end of a long name: it tells more than the beginning.
std::string shortened(const std::string& name) {
    constexpr std::size_t kMost = 24;
    return name.size() <= kMost ? name : "..." + name.substr(name.size() - kMost + 3);
}

std::string size_text(double bytes) {
    return format_bytes(Bytes{static_cast<std::uint64_t>(std::max(bytes, 0.0))});
}

std::string space_text(const json& space) {
    constexpr std::size_t kMostRows = 32;
    std::vector<Group> groups = groups_of(space);
    double present = 0;
    for (const Group& group : groups) {
        present += group.present;
    }
    // The largest, in the order of their addresses.
    std::vector<double> sizes;
    sizes.reserve(groups.size());
    for (const Group& group : groups) {
        sizes.push_back(group.present);
    }
    std::sort(sizes.rbegin(), sizes.rend());
    const double least = sizes.size() > kMostRows ? sizes[kMostRows] : 0;
    Table table({"START", ">PRESENT", "HEAT", "MAPPING"});
    double rest = 0;
    std::size_t left_out = 0;
    for (const Group& group : groups) {
        if (group.present <= least && sizes.size() > kMostRows) {
            rest += group.present;
            ++left_out;
        } else {
            table.row({fmt::format("{:x}", static_cast<std::uint64_t>(group.rows.front().start)),
                       size_text(group.present), heat_of(group), shortened(group.mapping)});
        }
    }
    std::string text = fmt::format("\npid {}: {} present\n{}", count_field(space, "pid"),
                                   size_text(present), table.text());
    if (left_out > 0) {
        text += fmt::format("and {} smaller ones: {}\n", left_out, size_text(rest));
    }
    return text;
}

} // namespace

std::string regions_text(const json& reply) {
    const json& spaces = child(reply, "spaces");
    std::string text =
        fmt::format("{}: {} {}, looked at every {}, told every {}\n",
                    text_field(child(reply, "container"), "name"), spaces.size(),
                    spaces.size() == 1 ? "address space" : "address spaces",
                    duration_field(reply, "sample_us"), duration_field(reply, "aggregation_us"));
    for (const Heat& heat : kScale) {
        text += fmt::format("{}{} {}", &heat == kScale.data() ? "" : ", ", heat.cell, heat.text);
    }
    text += ", blank: not present\n";
    for (const json& space : spaces) {
        text += space_text(space);
    }
    return text;
}

} // namespace cgtide::cli
