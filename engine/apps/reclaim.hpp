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

/// So many times as long as what came back had been out a step stays on trial: half of that had
/// been out for longer than the average, and the rest would have come back later.
inline constexpr int kTrialTimes = 2;

/// How long reclaim waits after an OOM kill or a `max` event.
inline constexpr Microseconds kOomWait{60'000'000};

/// A sensor's first look comes within this after the container was seen first. As long the law
/// waits for an age that is about to be known.
inline constexpr Microseconds kFirstLook{10'000'000};

/// A sample that many periods after the one before tells nothing of now: the engine stood still.
inline constexpr int kMostMissed = 3;

/// Anonymous reclaim stops where no more than this share of the node's swap and kSmallestAsk is
/// free, and where the container may swap less than kSmallestAsk more.
inline constexpr double kSwapReserve = 0.10;

/// The first request of proven age is this, or kFirstShare of usage where that is more; each that
/// leaves and stays out doubles the next.
inline constexpr Bytes kFirstStep = mebibytes(8);
inline constexpr double kFirstShare = 1.0 / 64.0;

/// How long bytes that were advised and did not leave are not counted as cold.
inline constexpr Microseconds kStuckRetry{60'000'000};

/// Where the kernel's lists gave less than one byte in so many of what is stuck, so long they are
/// not asked for such.
inline constexpr std::uint64_t kBarrenList = 8;
inline constexpr Microseconds kListRetry{600'000'000};

/// A kind that is less than one part in so many of the unproven bytes is not asked for.
inline constexpr std::uint64_t kFewOfAKind = 8;

/// The share that TMO takes of usage is of so many times the unproven bytes where that is less.
inline constexpr double kUnprovenPace = 2.0;

/// Growth of anonymous memory in one period, as a share of usage, at which nothing of unproven age
/// is asked for.
inline constexpr double kGrowth = 0.01;

/// Pages reclaimed / pages scanned under which the unproven pace falls in proportion.
inline constexpr double kEfficiency = 0.6;

/// Shares of the node's memory that are available: from the first down to the second the unproven
/// pace rises from the profile's `ratio` to its `max`.
inline constexpr double kUrgentFrom = 0.10;
inline constexpr double kUrgentMost = 0.03;

/// How urgent the node needs memory: 0 to 1. Pure.
double urgency(const model::NodeView& node);

/// Whether a request that is queued or under way ends where the law says this now: something is
/// harmed, or may not be asked any more. Pure.
bool ends_request(model::ReasonCode code);

/// The app `reclaim`: what is proven idle leaves at once, and what is of unknown age at TMO's pace;
/// with a floor, swap headroom and a refault brake.
/// docs/apps/reclaim.md states it in formulas.
model::App reclaim_app();

/// What reclaim leaves alone: the greatest of reclaim.keep, effective memory.min and memory.low. A
/// share in reclaim.keep is of what the container has in memory and in swap, for a share of a
/// shrinking usage would protect nothing.
Bytes reclaim_floor(const model::Policy& policy, const model::Snapshot& snapshot);

} // namespace cgtide::apps
