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
    Microseconds idle{0};      ///< a demotion's: DAMON must not have seen them in use
    Microseconds period{0};    ///< in which they should move
    bool with_unmapped = true; ///< pages that nobody maps too
};

/// One move for each target, by its weight and its room, together model::kMostOfDamosMove at most.
/// Pure.
std::vector<damon::PhysicalMove> physical_moves(const MoveOrder& order, Microseconds aggregation);

} // namespace cgtide::monitor
