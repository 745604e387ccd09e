#pragma once

#include "cgroup/base/units.hpp"

#include <cstdint>
#include <vector>

namespace cgtide::damon {

/// Addresses of one process, `end` not included; both are multiples of the page size.
struct Range {
    std::uint64_t start = 0;
    std::uint64_t end = 0;

    bool operator==(const Range&) const = default;
};

/// The caller's name for one watched mm. It stays the same for as long as that mm is watched, and
/// is never used again.
using TargetKey = std::uint64_t;

/// One mm to watch; a process stands for it.
struct Target {
    TargetKey key = 0;
    int pid = 0;
    std::uint64_t pid_start =
        0;                     ///< clock ticks after boot: tells it from a later one of its number
    std::vector<Range> ranges; ///< rising, apart from one another, at least one

    bool operator==(const Target&) const = default;
};

/// How often the kernel looks. Source: Documentation/mm/damon/design.rst, "Monitoring attributes".
struct Intervals {
    Microseconds sample{50'000};         ///< between two looks at a page of each region
    Microseconds aggregation{1'000'000}; ///< after which a region's count is told and begins anew

    /// How often the kernel looks at each region in one aggregation.
    constexpr std::uint32_t looks() const {
        return sample.count() > 0 ? static_cast<std::uint32_t>(aggregation / sample) : 0;
    }

    bool operator==(const Intervals&) const = default;
};

/// One region over one aggregation.
struct Region {
    Range range;
    std::uint32_t accesses = 0; ///< looks that found it in use, 0 to Round::looks
    std::uint32_t age = 0;      ///< aggregations since its count last changed much

    bool operator==(const Region&) const = default;
};

/// All regions of one target at the end of one aggregation, by rising address.
struct Round {
    TargetKey key = 0;
    TimePoint at{}; ///< CLOCK_MONOTONIC
    std::vector<Region> regions;
    std::uint32_t looks = Intervals{}.looks(); ///< at each region
};

/// What the target indexes of one kdamond mean, and how often it looks, from a commit on. Until
/// `begin` the epoch before it holds; what the kernel told between `begin` and `end` may mean
/// either.
struct Epoch {
    int kdamond = 0;                           ///< pid of the worker thread
    TimePoint begin{};                         ///< just before the commit was written
    TimePoint end{};                           ///< just after it had returned
    std::vector<TargetKey> keys;               ///< by index; kSentinel where nothing is to be told
    std::uint32_t looks = Intervals{}.looks(); ///< Intervals::looks()
};

/// The key of a slot's sentinel.
inline constexpr TargetKey kSentinel = 0;

/// The key of physical memory, which no process stands for.
inline constexpr TargetKey kPhysical = UINT64_MAX;

} // namespace cgtide::damon
