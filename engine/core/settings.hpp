#pragma once

#include "cgroup/base/result.hpp"
#include "engine/model/policy.hpp"

#include <string_view>

namespace cgtide::core {

/// Parses `cgtide.toml` over the built-in settings. Unknown keys and tables are errors, for a
/// mistyped bound would protect nobody.
///
/// \returns `malformed` or `out_of_range` with line, key, value and what is allowed. Pure.
Result<model::Settings> parse_settings(std::string_view text);

} // namespace cgtide::core
