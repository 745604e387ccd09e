#pragma once

#include "cgroup/group.hpp"

#include <memory>
#include <string>
#include <unordered_set>

namespace cgtide::monitor {

/// A container whose memory is to be watched.
struct Wish {
    CgroupId id;
    std::shared_ptr<cgroup::Group> group;
    std::string path;                      ///< v2
    std::unordered_set<CgroupId> excluded; ///< registered containers inside it
};

} // namespace cgtide::monitor
