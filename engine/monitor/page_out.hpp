#pragma once

#include "cgroup/base/cgroup_id.hpp"
#include "cgroup/base/units.hpp"
#include "engine/damon/scheme.hpp"
#include "engine/model/cold_range.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace cgtide::monitor {

/// What DAMON's workers are to page out of one container.
struct PageOutOrder {
    CgroupId container;
    std::span<const model::ColdSpace> spaces; ///< with ranges that hold what is to leave
    Microseconds idle{0};                     ///< DAMON itself must have seen them idle for so long
    Microseconds period{0};                   ///< in which they should leave
    BasisPoints pressure;                     ///< share of time from which on the workers hold
};

/// Addresses that one aggregation takes of a container at most, as with DAMON_RECLAIM: a worker
/// that pages out does not look meanwhile, and cannot be stopped.
inline constexpr Bytes kMostOfRound = mebibytes(128);

/// One scheme for each address space, so that all of the order has been tried when its period ends,
/// and an equal part in each aggregation: by its share of what there is, for each has a quota of
/// its own. Pure.
std::vector<damon::PageOut> page_outs(const PageOutOrder& order, Microseconds aggregation);

/// How long tasks stall, as DAMON's goals take it: microseconds of a second. Pure.
std::uint64_t stall_of(BasisPoints share);

} // namespace cgtide::monitor
