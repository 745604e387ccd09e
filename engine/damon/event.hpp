#pragma once

#include "cgroup/base/cgroup_id.hpp"
#include "cgroup/base/units.hpp"
#include "engine/damon/types.hpp"

#include <cstdint>

namespace cgtide::damon {

/// One region at the end of one aggregation, as a kdamond told it.
/// Source: include/trace/events/damon.h, damon_aggregated.
struct Event {
    TimePoint at{};
    int kdamond = 0;              ///< pid of the worker thread
    std::uint32_t sequence = 0;   ///< counts the events of this kdamond, those that were lost too
    std::uint32_t index = 0;      ///< of the target, in the order of the last commit
    std::uint32_t nr_regions = 0; ///< of that target in this aggregation
    Region region;
};

/// What befell a process.
enum class ChangeKind : std::uint8_t { forked, executed, exited };

/// The processes of a watched cgroup, or of one below it, have changed. Each cgroup is told of once
/// in Stream::kChangeWindow: who looks at cgroup.procs again after that time misses nothing.
struct Change {
    TimePoint at{};
    CgroupId cgroup; ///< the innermost watched one
    int pid = 0;     ///< the child, or who executed or exited
    ChangeKind kind = ChangeKind::forked;
};

} // namespace cgtide::damon
