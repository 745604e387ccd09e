#pragma once

#include "cgroup/group.hpp"
#include "cgroup/parse/memory_stat.hpp"
#include "engine/model/homing.hpp"
#include "engine/model/topology.hpp"
#include "engine/monitor/wish.hpp"

#include <map>
#include <set>

namespace cgtide::monitor {

/// The CPUs that a container's threads may run on, by affinity and cpuset. Empty where that cannot
/// be told, or it has more than 256 threads. `proc` is procfs. About 40 us a thread. Source:
/// Documentation/filesystems/proc.rst, Cpus_allowed_list.
std::set<unsigned> allowed_cpus(const Dir& proc, const Wish& container);

/// Puts a container's bytes by node beside those CPUs. Pure. `free` is what each node takes.
model::Homing homing(const model::Topology& topology, const std::set<unsigned>& cpus,
                     const std::map<unsigned, cgroup::NodeBytes>& charged,
                     const std::map<unsigned, Bytes>& free);

} // namespace cgtide::monitor
