#pragma once

#include "cgroup/base/units.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace cgtide::model {

/// A NUMA node that has memory.
struct MemoryNode {
    unsigned id = 0;
    bool has_cpus = false;
    Bytes total{};
    Bytes watermark{}; ///< free bytes at which the kernel's reclaim in the background ends
    std::map<unsigned, unsigned> distances{}; ///< to other nodes, 10 is its own
    std::uint32_t weight = 1; ///< by the kernel's weighted interleaving: pages beside other nodes'
    std::vector<unsigned> cpus{}; ///< rising
};

/// Nodes whose memory is equally fast.
struct MemoryTier {
    unsigned rank = 0;             ///< the kernel's number: a lower one is faster
    std::vector<MemoryNode> nodes; ///< rising
};

/// A tier as the kernel tells it.
struct KernelTier {
    unsigned rank = 0;
    std::vector<unsigned> nodes;
};

/// The node's memory by speed.
struct Topology {
    std::vector<MemoryTier> tiers; ///< the fastest first; none without memory
    std::string flat;              ///< why there is nothing to choose between; empty where there is
    std::vector<unsigned> strays;  ///< nodes with memory that the kernel has in no tier
    bool kernel_demotes = false;   ///< `demotion_enabled` is on: the kernel's reclaim moves down

    bool is_tiered() const { return flat.empty(); }
};

/// Brings nodes and tiers together. Nodes without memory are left out, and so are tiers without
/// such nodes; `told` is false where the kernel tells no tiers. Pure.
Topology arrange(const std::vector<MemoryNode>& nodes, const std::vector<KernelTier>& tiers,
                 bool told);

/// Bytes of all nodes of a tier.
Bytes total(const MemoryTier& tier);

/// The nodes of the other tiers from which, or to which, memory of a node would go: those of the
/// tiers below it where it is in the fastest, else those of the fastest; by rising distance, then
/// by number. Pure.
std::vector<unsigned> counterparts(const Topology& topology, unsigned node);

/// By node, the nodes of its tier that are nearer to these CPUs, nearest first, then by the
/// distance from it. Nodes that are as near as any of their tier are left out; so are all where
/// each node with CPUs has some of these, or one of these is of no node with memory. Pure.
std::map<unsigned, std::vector<unsigned>> nearer_nodes(const Topology& topology,
                                                       const std::set<unsigned>& cpus);

/// `node 0`, `nodes 0-1,3`: as people write them. Pure.
std::string format_nodes(const std::vector<unsigned>& rising);

} // namespace cgtide::model
