#pragma once

#include "engine/damon/move_plan.hpp"
#include "engine/model/decision.hpp"

#include <vector>

namespace cgtide::monitor {

/// A NUMA node that takes pages, and how many beside the others.
struct MoveTarget {
    unsigned node = 0;
    std::uint32_t weight = 1;
    Bytes room; ///< at most so many
};

/// What DAMON's worker is to move of one container.
struct MoveOrder {
    CgroupId container;
    model::Move way = model::Move::demote;
    std::vector<damon::Memcg> cgroups; ///< whose pages; at least one
    std::vector<MoveTarget> targets;   ///< at least one
    std::vector<damon::Range> from;    ///< physical addresses of the nodes that they leave
    Bytes ask;
    Microseconds idle{0};      ///< a demotion's: they must not have been in use
    bool by_page = false;      ///< a demotion's: not by what DAMON has seen of regions
    Microseconds period{0};    ///< two of them later at most they move, or not at all
    bool with_unmapped = true; ///< pages that nobody maps too
};

/// One move for each target, by its weight and its room, together model::kMostOfDamosMove at most.
///
/// Down go pages that were not in use between look and move, an aggregation, and lie in regions
/// that DAMON has not seen in use for `idle`. Where cold pages lie between hot ones no region is
/// idle: `by_page` looks longer instead, for `idle` or model::kHotWithin, where two periods are
/// long enough, and for one target, for each look makes pages old for the next one. Up go pages
/// that were in use in between, of any region: what little is used between much that is not is
/// averaged away when regions merge. Pure.
std::vector<damon::PhysicalMove> physical_moves(const MoveOrder& order, Microseconds aggregation);

} // namespace cgtide::monitor
