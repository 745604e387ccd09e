#pragma once

#include "cgroup/base/cgroup_id.hpp"
#include "engine/damon/types.hpp"

#include <cstdint>
#include <vector>

namespace cgtide::damon {

/// How long tasks of a container stall, in microseconds of a second: DAMON's goals are whole
/// numbers.
struct Stall {
    std::uint64_t measured = 0;
    std::uint64_t target = 0; ///< from here on nothing is paged out; 0: whatever is measured

    bool operator==(const Stall&) const = default;
};

/// What a worker is to page out of one address space that it watches.
struct PageOut {
    CgroupId container;
    int pid = 0; ///< with `pid_start`: whose address space
    std::uint64_t pid_start = 0;
    std::vector<Range> ranges;   ///< nothing outside of them is taken; at least one
    std::uint32_t least_age = 0; ///< aggregations since DAMON saw it in use
    std::uint64_t bytes = 0;     ///< of addresses, present or not, in one aggregation at most
    std::uint32_t rounds = 1;    ///< aggregations for which it is wanted
    Stall stall{};

    bool operator==(const PageOut&) const = default;
};

/// A scheme that a worker has.
struct Scheme {
    PageOut what;
    std::uint64_t last = 0; ///< it ends by itself when its worker has counted so many snapshots

    bool operator==(const Scheme&) const = default;
};

} // namespace cgtide::damon
