#pragma once

#include "engine/apps/move_pace.hpp"
#include "engine/model/app.hpp"

namespace cgtide::apps {

/// What of a tier is left free, as a share of it, for allocations of others.
inline constexpr double kTierReserve = 0.02;

/// ... and at least so many times what has the kernel reclaim in the background: a move must not
/// make it do so.
inline constexpr double kOverWatermark = 1.5;

/// Returned bytes over moved bytes, both decayed with kReturnHalfLife, at which moves hold.
inline constexpr double kReturnLimit = 1.0 / 16.0;
inline constexpr Microseconds kReturnHalfLife{60'000'000};
inline constexpr Microseconds kFirstMoveHold{20'000'000};
inline constexpr Microseconds kLastMoveHold{600'000'000};

/// So long hot memory that was tried and stayed in slower memory claims no share, the first time
/// and at most: others would make room for what does not come. Then so much of it is tried again.
inline constexpr Microseconds kFirstImmovable = kBarrenWait;
inline constexpr Microseconds kLastImmovable{600'000'000};
inline constexpr Bytes kImmovableTry = mebibytes(4);

/// So long memory goes down by address where the kernel took next to none, or what is in use.
inline constexpr Microseconds kKernelRest{300'000'000};

/// Periods for which a request may wait and work.
inline constexpr int kMostUnderWay = 3;

/// The app `tier`: hot memory into the container's share of the fastest tier, cold memory out of
/// it. docs/apps/tier.md states the law in formulas.
model::App tier_app();

/// Hot bytes of slower memory that are not to be counted on now. Pure.
Bytes immovable(const model::TierState& state, TimePoint now);

/// LOW and HIGH of a container in bytes, where the fastest tier has `capacity`. LOW is not over
/// HIGH. Pure.
struct FastBounds {
    Bytes low;
    Bytes high;
};
FastBounds fast_bounds(const model::TierPolicy& policy, Bytes capacity);

} // namespace cgtide::apps
