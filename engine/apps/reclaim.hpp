#pragma once

#include "engine/model/app.hpp"

namespace cgtide::apps {

/// The smallest request worth a write; less is carried over.
inline constexpr Bytes kSmallestAsk = mebibytes(1);

/// Refaulted bytes over taken bytes, both decayed, at which reclaim holds.
inline constexpr double kRefaultLimit = 0.05;

/// Half-life of the two books that the brake compares.
inline constexpr Microseconds kRefaultHalfLife{10'000'000};

/// The first hold of the brake; it doubles with each trip, up to the last.
inline constexpr Microseconds kFirstHold{20'000'000};
inline constexpr Microseconds kLastHold{600'000'000};

/// How long reclaim waits after an OOM kill or a `max` event.
inline constexpr Microseconds kOomWait{60'000'000};

/// Anonymous reclaim stops where less than this share of the node's swap is free, and where the
/// container may swap less than kSmallestAsk more.
inline constexpr double kSwapReserve = 0.10;

/// The app `reclaim`: TMO's law with a floor, swap headroom and a refault brake.
/// docs/apps/reclaim.md states it in formulas.
model::App reclaim_app();

/// What reclaim leaves alone: the greatest of reclaim.keep, effective memory.min and memory.low. A
/// share in reclaim.keep is of what the container has in memory and in swap, for a share of a
/// shrinking usage would protect nothing.
Bytes reclaim_floor(const model::Policy& policy, const model::Snapshot& snapshot);

} // namespace cgtide::apps
