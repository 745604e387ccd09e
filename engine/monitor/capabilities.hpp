#pragma once

#include "cgroup/base/kernel_roots.hpp"
#include "engine/model/view.hpp"

#include <string>
#include <vector>

namespace cgtide::monitor {

/// Probes what the kernel below `roots` offers, without changing anything. Blocks for a few
/// milliseconds. `recursive` says whether the hierarchy is mounted with memory_recursiveprot.
///
/// What is listed is what cgtide uses: the v2 memory controller (required), PSI, swap,
/// memory_recursiveprot, and what would tell idle age (MGLRU, DAMON, debugfs, BTF; probe_pages(),
/// but not probe_types()), NUMA nodes and tiers, lockdown, and the namespaces of this process.
std::vector<model::Capability> probe_kernel(const KernelRoots& roots, bool recursive);

/// Of these, what changes while the node runs: whether the kernel balances, NUMA nodes, tiers and
/// the kernel's demotion. Blocks for about 100 us a NUMA node.
std::vector<model::Capability> node_capabilities(const KernelRoots& roots);

} // namespace cgtide::monitor
