#pragma once

#include "engine/model/view.hpp"

#include <optional>
#include <span>

namespace cgtide::apps {

/// A suggestion takes figures of this long at least.
inline constexpr Microseconds kLeastWindow{300'000'000};

/// Points that are further apart say nothing of the time between: nobody looked.
inline constexpr Microseconds kMostApart{150'000'000};

/// The share of its points that had no larger need than a request.
inline constexpr double kRequestShare = 0.95;

/// What a request and a limit have beyond what was seen.
inline constexpr double kRequestMargin = 0.10;
inline constexpr double kLimitMargin = 0.20;

/// From these on the confidence is medium, or high: the window, and below these shares of usage
/// that no sensor saw, and refaulted bytes of a minute.
inline constexpr Microseconds kMediumWindow{1'800'000'000};
inline constexpr Microseconds kHighWindow{7'200'000'000};
inline constexpr double kMediumUnseen = 0.50;
inline constexpr double kHighUnseen = 0.20;
inline constexpr double kHighRefaults = 0.01;

/// A request and a limit for a container, from what `stat` told of it, oldest first: how much it
/// needed, and what came back after it had left. nullopt where the points cover less than
/// kLeastWindow. Pure. docs/apps/stat.md has the formulas.
std::optional<model::Suggestion> suggest(std::span<const model::HistoryPoint> points, Bytes page);

} // namespace cgtide::apps
