#pragma once

#include "engine/damon/physical_plan.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace cgtide::damon {

/// Pages of one container that are to go to another NUMA node.
struct PhysicalMove {
    CgroupId container;
    bool hot = false;           ///< pages that are in use; else those that are not
    std::vector<Memcg> cgroups; ///< whose pages; at least one
    unsigned to = 0;            ///< node
    std::vector<Range> from;    ///< physical addresses that they may leave; rising, at least one
    std::uint64_t bytes = 0;    ///< all in all
    Microseconds look_at{0};    ///< after the commit; an aggregation or more
    Microseconds move_at{0};    ///< after the commit; later than that
    /// Those alone that lie in regions that were not in use for so many aggregations.
    std::optional<std::uint32_t> idle_for;
    bool with_unmapped = true; ///< pages that nobody maps too

    bool operator==(const PhysicalMove&) const = default;
};

/// Schemes that move pages of one container, for a worker that has none: the first one looks, and
/// the others move, one each, in the order of `moves`. Pure.
///
/// At `look_at` each page that may move is marked as not used, and at `move_at` those move that
/// were, or were not, used since. Before they were marked nobody knows: a page that was used once
/// would be young until somebody looks. A scheme is applied once, and moves no more than its bytes:
/// its quota begins anew after weeks only. Bytes that cannot move, or are of others, are charged so
/// little that all of `from` can be walked for a quarter of the quota. Source:
/// Documentation/mm/damon/design.rst, "Operation Action", "Filters", "Quotas"; mm/damon/core.c.
std::vector<Write> move_schemes(std::span<const PhysicalMove> moves);

} // namespace cgtide::damon
