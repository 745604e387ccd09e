#pragma once

#include "engine/model/snapshot.hpp"
#include "engine/model/topology.hpp"

#include <memory>

namespace cgtide::core {

/// The node's memory by speed, as last seen.
struct TierSight {
    std::shared_ptr<const model::Topology> topology;
    TimePoint at{}; ///< when the topology was read
    model::TierRoom room;
};

/// What of a NUMA node is left free for others: a share of it, and well over what has the kernel
/// reclaim there. Pure.
Bytes tier_reserve(const model::MemoryNode& node);

/// What of it a move leaves free in any case, for else the kernel would reclaim; the reserve where
/// the kernel does not tell. Pure.
Bytes tier_floor(const model::MemoryNode& node);

} // namespace cgtide::core
