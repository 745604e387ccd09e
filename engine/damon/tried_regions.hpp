#pragma once

#include "engine/damon/plan.hpp"
#include "engine/damon/tree.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace cgtide::damon {

/// All regions of one kdamond at the end of one aggregation: target by target, each by rising
/// address.
struct TriedRegions {
    TimePoint at{}; ///< CLOCK_MONOTONIC, up to some 100 ms late
    std::vector<Region> regions;
};

/// Has the worker of a slot tell what its scheme (PlanOptions::with_scheme) has tried in the next
/// aggregation, and reads it: four small files a region. Blocks for one to two aggregations, and
/// longer while somebody else holds DAMON's lock.
/// Source: Documentation/admin-guide/mm/damon/usage.rst, "schemes/<N>/tried_regions/".
Result<TriedRegions> read_tried_regions(Tree& tree, std::size_t slot);

/// Which target each region is of. The kernel does not say; but it lists the targets in their order
/// and all ranges of each without a gap, so where a target's last range ends, the next one begins.
/// Where another scheme cuts a region after it was tried, what was cut off is tried once more:
/// that is left out. Pure.
///
/// \returns the rounds of all seats but holes; `malformed` where the regions are not those of the
///          seats.
Result<std::vector<Round>> rounds_of(std::span<const Target> seats, const TriedRegions& tried);

} // namespace cgtide::damon
