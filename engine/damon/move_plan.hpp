#pragma once

#include "engine/damon/physical_plan.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace cgtide::damon {

/// Pages of one container that are to go to another NUMA node.
struct PhysicalMove {
    CgroupId container;
    bool hot = false;            ///< pages that are in use; else those that are not
    std::vector<Memcg> cgroups;  ///< whose pages; at least one
    unsigned to = 0;             ///< node
    std::vector<Range> from;     ///< physical addresses that they may leave; rising, at least one
    std::uint32_t least_age = 0; ///< aggregations for which a cold region was not in use
    std::uint64_t bytes = 0;     ///< all in all
    std::uint32_t rounds = 1;    ///< aggregations for which it is wanted
    bool with_unmapped = true;   ///< pages that nobody maps too

    bool operator==(const PhysicalMove&) const = default;
};

/// Schemes that move pages, for a worker that has none. Regions go by how long they have not been
/// in use, or how often they are, and each page of them by whether it was used since it was last
/// looked at. Pure.
///
/// A scheme moves no more than its bytes, for its quota begins anew after weeks only, and ends by
/// itself after twice its rounds: the kernel does not count rounds that have used a quota up, so
/// that one of these alone would not end it. Bytes that cannot move, or are of others, are charged
/// so little that all of `from` can be walked for a quarter of the quota. Source:
/// Documentation/mm/damon/design.rst, "Operation Action", "Filters", "Quotas"; mm/damon/core.c.
std::vector<Write> move_schemes(std::span<const PhysicalMove> moves);

} // namespace cgtide::damon
