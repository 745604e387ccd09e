#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace cgtide::cli {

/// What stands where the engine knows no value.
inline constexpr std::string_view kNone = "-";

/// Fields of a reply as people read them. A field that is missing, null or of another type is
/// kNone, so that an older or newer engine still prints. All text is printable.
std::string text_field(const nlohmann::json& object, const char* key);
std::string bytes_field(const nlohmann::json& object, const char* key);
std::string share_field(const nlohmann::json& object, const char* key);    ///< basis points
std::string duration_field(const nlohmann::json& object, const char* key); ///< microseconds
std::string count_field(const nlohmann::json& object, const char* key);
/// An array of strings with commas between; kNone where it is empty.
std::string list_field(const nlohmann::json& object, const char* key);

bool flag_field(const nlohmann::json& object, const char* key);
std::optional<double> number_field(const nlohmann::json& object, const char* key);
/// An object or array of a reply; an empty object where it is missing.
const nlohmann::json& child(const nlohmann::json& object, const char* key);

/// `14:03:07`, with the date before it where it was not today. Local time; milliseconds since the
/// epoch.
std::string clock_time(std::int64_t at_ms, std::int64_t now_ms);
/// `6 s ago`, `now`.
std::string ago(std::int64_t at_ms, std::int64_t now_ms);

} // namespace cgtide::cli
