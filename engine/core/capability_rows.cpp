#include "engine/core/capability_rows.hpp"

#include <algorithm>

namespace cgtide::core {

namespace {

template <class Rows>
auto find(Rows& rows, std::string_view name) -> decltype(rows.data()) {
    const auto row = std::find_if(rows.begin(), rows.end(),
                                  [&](const model::Capability& one) { return one.name == name; });
    return row == rows.end() ? nullptr : &*row;
}

} // namespace

const model::Capability* find_row(const std::vector<model::Capability>& rows,
                                  std::string_view name) {
    return find(rows, name);
}

model::Capability* find_row(std::vector<model::Capability>& rows, std::string_view name) {
    return find(rows, name);
}

void mark_missing(std::vector<model::Capability>& rows, std::string_view name,
                  const std::string& why) {
    if (model::Capability* row = find_row(rows, name)) {
        row->present = false;
        row->detail = why;
    }
}

} // namespace cgtide::core
