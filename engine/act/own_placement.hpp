#pragma once

#include "cgroup/base/dir.hpp"
#include "cgroup/parse/numa_maps.hpp"
#include "engine/act/cold_memory.hpp"
#include "engine/act/move_log.hpp"

#include <map>
#include <vector>

namespace cgtide::act {

/// What of each address space its process places itself, as last looked: those pages stay.
struct OwnPlacements {
    /// How long a look is good for: it walks page tables, as slowly as a look for present pages.
    /// After a move in which nothing moved the next one looks anew.
    static constexpr Microseconds kGood{60'000'000};

    struct Look {
        TimePoint at{};
        std::vector<cgroup::OwnPlacement> ranges; ///< rising
    };
    std::map<SpaceId, Look> looks;
};

/// Forgets the looks that are not good any more. Pure.
void forget_old(OwnPlacements& own, TimePoint now);

/// The parts of a range of `space` that its process leaves to the kernel, rising. Looks where no
/// look is good: blocks as long as a walk of its page tables. Where that cannot be told, it may all
/// be placed. Source: `/proc/PID/numa_maps`, Documentation/filesystems/proc.rst.
std::vector<model::ColdRange> left_to_kernel(OwnPlacements& own, const Dir& proc,
                                             const model::ColdSpace& space,
                                             const model::ColdRange& range);

} // namespace cgtide::act
