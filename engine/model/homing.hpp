#pragma once

#include "cgroup/base/units.hpp"

#include <map>
#include <vector>

namespace cgtide::model {

/// Where a container's memory is beside the CPUs that its threads may run on.
struct Homing {
    /// By node, the nodes of its tier that are nearer to those CPUs, nearest first; nodes that are
    /// as near as any are left out. Empty where the threads may run on CPUs of all nodes, or no
    /// node is nearer than another.
    std::map<unsigned, std::vector<unsigned>> nearer;
    Bytes home; ///< anonymous and file memory on nodes that none is nearer than
    Bytes away; ///< ... and on the others
    Bytes room; ///< what the nodes that are nearest take
};

} // namespace cgtide::model
