#pragma once

#include "cgroup/base/dir.hpp"

#include <string>
#include <unordered_set>
#include <vector>

namespace cgtide::cgroup {

/// A cgroup of a walked subtree.
struct SubtreeNode {
    CgroupId id;
    std::string path;      ///< v2, begins with `/`
    std::vector<int> pids; ///< its own processes, where they were asked for
};

/// A container's cgroups, itself first, each before those below it.
struct Subtree {
    std::vector<SubtreeNode> nodes;
    bool complete = true; ///< false where a bound of the options cut the walk short
};

/// What a walk takes in.
struct SubtreeOptions {
    std::unordered_set<CgroupId> excluded; ///< inner cgroups that are cut out with all below them
    bool with_pids = false;
    std::size_t max_depth = 32; ///< levels below the top; one descriptor is open at each
    std::size_t max_nodes = 4096;
};

/// Walks the subtree of `top`, whose v2 path is `path`. A cgroup that vanishes meanwhile is left
/// out; a threaded cgroup has no pids of its own. Does not block; about 20 us a cgroup.
///
/// \returns `gone` where `top` itself was removed.
Result<Subtree> walk_subtree(const Dir& top, const std::string& path,
                             const SubtreeOptions& options = {});

} // namespace cgtide::cgroup
