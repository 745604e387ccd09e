#pragma once

#include "cgroup/base/result.hpp"

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace cgtide::oci {

/// What a text may be at most, and how errors call it.
struct JsonLimits {
    std::string_view what;      ///< a literal, such as "state": the `op` of errors
    std::size_t max_bytes = 0;  ///< of the whole text
    std::size_t max_depth = 32; ///< of objects and arrays in one another
};

/// Parses one JSON object, strictly: a duplicate key at any level, a NUL in a key or string, bytes
/// that are no UTF-8, nesting beyond the limit and text after the object are errors. Pure; time and
/// memory are linear in the text.
///
/// \returns `malformed` or `out_of_range`; the detail names the field by its path
/// (`annotations.cgtide.io/apps`) or the position in the text.
Result<nlohmann::json> parse_strict(std::string_view text, const JsonLimits& limits);

/// The same with the order of keys kept, for files that are written back.
Result<nlohmann::ordered_json> parse_strict_ordered(std::string_view text,
                                                    const JsonLimits& limits);

/// A value as an error message shows it: JSON on one line, printable, cut to 64 bytes.
std::string shown(const nlohmann::json& value);
/// The same for a document with ordered keys.
std::string shown(const nlohmann::ordered_json& value);

} // namespace cgtide::oci
