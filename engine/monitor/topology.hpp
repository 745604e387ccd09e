#pragma once

#include "cgroup/base/dir.hpp"
#include "cgroup/parse/memory_stat.hpp"
#include "engine/model/topology.hpp"
#include "engine/model/view.hpp"

#include <map>
#include <vector>

namespace cgtide::monitor {

/// The node's memory by speed, as sysfs and procfs tell it; these are their roots. What cannot be
/// read counts as absent, so that `flat` says why. Blocks for about 100 us a NUMA node. Source:
/// Documentation/ABI/testing/sysfs-kernel-mm-memory-tiers, stable/sysfs-devices-node.
model::Topology read_topology(const Dir& sys, const Dir& proc);

/// Whether an administrator has the kernel's reclaim demote. Source:
/// Documentation/ABI/testing/sysfs-kernel-mm-numa.
bool kernel_demotes(const Dir& sys);

/// Free bytes of each node of a topology, now; nodes that went offline are left out. About 20 us a
/// node.
std::map<unsigned, Bytes> read_free(const Dir& sys, const model::Topology& topology);

/// What of a cgroup's bytes is in each tier, anonymous and file. Pure.
std::vector<Bytes> by_tier(const model::Topology& topology,
                           const std::map<unsigned, cgroup::NodeBytes>& nodes);

/// The row that tells whether the kernel demotes.
inline constexpr const char* kDemotionRow = "demotion by the kernel";

/// The rows of `cgtide doctor` for NUMA nodes, memory tiers and the kernel's demotion. Pure.
std::vector<model::Capability> tier_capabilities(const model::Topology& topology);

} // namespace cgtide::monitor
