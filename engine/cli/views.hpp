#pragma once

#include <cstdint>
#include <string>

#include <nlohmann/json_fwd.hpp>

namespace cgtide::cli {

/// Replies of io.cgtide.Engine as text for a terminal. Pure but for the time zone; `now_ms` is in
/// milliseconds since the epoch. Everything that a tenant named is made printable.

/// The parameters of List: a table of containers, below it whether the node is paused, and the
/// refused annotations and records.
std::string ps_text(const nlohmann::json& reply, std::int64_t now_ms);

/// The parameters of Stat: a row of figures a container.
std::string stat_text(const nlohmann::json& reply);

/// The parameters of History: a row a point, the oldest first.
std::string history_text(const nlohmann::json& reply, std::int64_t now_ms);

/// The parameters of Inspect: identity, memory, policy and faults of one container.
std::string inspect_text(const nlohmann::json& reply, std::int64_t now_ms);

/// The parameters of Idle: percentiles of idle time with bars, and cold bytes by age.
std::string idle_text(const nlohmann::json& reply);

/// The first and the last part of it, without the percentiles.
std::string idle_summary_text(const nlohmann::json& reply);

/// The parameters of Watch: the time, and rows as stat_text(); of one container also its
/// idle_summary_text() and its decisions as explain_text().
std::string watch_text(const nlohmann::json& reply);

/// The parameters of Regions: a heat map, a row a mapping.
std::string regions_text(const nlohmann::json& reply);

/// The parameters of Explain: each decision with its sentence, its numbers beside their thresholds
/// and its outcome.
std::string explain_text(const nlohmann::json& reply, std::int64_t now_ms);

/// The parameters of WhatIf: what would leave, by kind, and what would stay though it is idle.
std::string what_if_text(const nlohmann::json& reply);

/// The parameters of Suggest: request and limit, and what they come from.
std::string suggest_text(const nlohmann::json& reply);

/// The parameters of Tiers: the tiers, and a row a container.
std::string tier_text(const nlohmann::json& reply);

/// The parameters of Capabilities: what was probed, where, what was found, what is done without it.
std::string doctor_text(const nlohmann::json& reply);

/// True where a required capability is missing.
bool lacks_required(const nlohmann::json& reply);

} // namespace cgtide::cli
