#pragma once

#include "engine/model/app.hpp"

namespace cgtide::apps {

/// The smallest move worth a call; less stays where it is.
inline constexpr Bytes kSmallestMove = mebibytes(1);

/// The first move is this; each that is done doubles the next.
inline constexpr Bytes kFirstMove = mebibytes(8);

/// Bytes of one move at most, for each second of the period: DAMON's sample modules move as many.
inline constexpr Bytes kMoveRate = mebibytes(200);

/// Where less than one byte in so many of a move was done, its way rests for kBarrenWait.
inline constexpr std::uint64_t kBarren = 8;
inline constexpr Microseconds kBarrenWait{20'000'000};

/// What has passed since the last step, in seconds; 0 at the first. Pure, as all of these.
double seconds_since(const model::MovePace& pace, TimePoint now);

/// CPU beyond the container's share is paid off by time.
void fade(model::MovePace& pace, const model::Policy& policy, TimePoint now);

/// Takes an outcome of a move into the pace. \returns until when its way rests, if at all.
std::optional<TimePoint> book(model::MovePace& pace, const model::Outcome& outcome);

/// A move of `bytes`, within step, rate and CPU share.
Bytes bounded(const model::MovePace& pace, const model::Policy& policy, Bytes bytes);

} // namespace cgtide::apps
