#pragma once

#include "cgroup/parse/memory_stat.hpp"
#include "engine/model/placement.hpp"
#include "engine/model/topology.hpp"
#include "engine/monitor/idle_view.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <span>

namespace cgtide::monitor {

/// One address space of a container, and a process that has it.
struct PlacedSpace {
    int pid = 0;
    SeenSpace seen;
};

/// How a container's memory is looked at.
struct PlacementOptions {
    Microseconds cold{120'000'000};     ///< idle time from which on memory is cold
    Microseconds resolution{1'000'000}; ///< as ViewFrame::resolution
    std::size_t looks = 2048;           ///< pages that are asked for at most; over 0
};

/// On which nodes pages of a process are, as cgroup::page_nodes(); false where it cannot be told.
using NodesOf =
    std::function<bool(int pid, std::span<const std::uint64_t> addresses, std::span<int> nodes)>;

/// Memory that has been in use for this long without a break is proven hot: what is read once is
/// not worth a move.
inline constexpr Microseconds kProvenHot{2'000'000};

/// Where a container's memory is, and how hot. Present pages are asked for where they are, each of
/// them or one of so many that there are `looks`; `charged` (memory.numa_stat) tells how many bytes
/// each tier has, so that what no sensor sees is told as cool where it is. `target` is left to the
/// arbiter. Pure but for `nodes_of`.
model::Placement place(std::span<const PlacedSpace> spaces,
                       const std::map<unsigned, cgroup::NodeBytes>& charged,
                       const model::Topology& topology, const PlacementOptions& options,
                       const NodesOf& nodes_of);

} // namespace cgtide::monitor
