#pragma once

#include "engine/damon/physical_plan.hpp"
#include "engine/monitor/wish.hpp"

#include <span>
#include <vector>

namespace cgtide::monitor {

/// The cgroups that a container's memory is charged to, those with the most of it: a filter of
/// DAMON means one cgroup, not those below it, and those with little memory would cost as much as
/// the others. At most 16, with 1 MiB or more each, by rising id. `known` are those of the last
/// time, which stay until others have twice as much. About 50 us a cgroup.
///
/// \returns none, or an error, where the container has ended.
Result<std::vector<damon::Memcg>> largest_memcgs(const Wish& wish,
                                                 std::span<const damon::Memcg> known);

/// Whether the cpuset of the container's own cgroup lets it use memory of a NUMA node; true where
/// it has none. Source: Documentation/admin-guide/cgroup-v2.rst, `cpuset.mems.effective`.
bool may_use_node(const cgroup::Group& group, unsigned node);

/// The same of all cgroups of a container, and of each of the nodes. About 20 us a cgroup.
bool may_use_nodes(const Wish& wish, std::span<const unsigned> nodes);

} // namespace cgtide::monitor
