#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

namespace cgtide::cli {

/// Percentile `p` (0 to 100) of an Idle, in microseconds; nullopt where the reply has none.
std::optional<double> idle_percentile(const nlohmann::json& idle, std::size_t p);

/// An idle time in microseconds for people: `12 s`, `in use for 12 s` where it is below 0, `in
/// use`.
std::string idle_time(std::optional<double> us);

/// What told, how finely and how long ago: `regions, resolution 1 s, 3 s old`.
std::string idle_source(const nlohmann::json& idle);

/// Why memory of files that no process maps is unseen; empty where there is not much of it, or it
/// is seen.
std::string unseen_page_cache(const nlohmann::json& idle);

/// How much of the container's memory was seen: `93.75 % of 128.0 MiB seen`.
std::string idle_coverage(const nlohmann::json& idle);

/// Bytes of one ColdBytes, anonymous and file; nullopt where they are not known.
std::optional<double> cold_sum(const nlohmann::json& cold);

} // namespace cgtide::cli
