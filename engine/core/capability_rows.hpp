#pragma once

#include "engine/model/view.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace cgtide::core {

/// The row of `cgtide doctor` with this name; null where there is none. Pure.
const model::Capability* find_row(const std::vector<model::Capability>& rows,
                                  std::string_view name);
model::Capability* find_row(std::vector<model::Capability>& rows, std::string_view name);

/// Has a row, where it is there, say that it does not work any more, and why. Pure.
void mark_missing(std::vector<model::Capability>& rows, std::string_view name,
                  const std::string& why);

} // namespace cgtide::core
