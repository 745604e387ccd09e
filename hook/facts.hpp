#pragma once

#include "cgroup/base/cgroup_id.hpp"
#include "cgroup/base/result.hpp"

#include <cstdint>
#include <string>

namespace cgtide::hook {

/// What the kernel says of a container's first process.
struct Facts {
    std::string cgroup_path;     ///< v2, begins with "/"
    CgroupId cgroup;             ///< inode of its directory
    std::uint64_t pid_start = 0; ///< clock ticks after boot
    std::string boot_id;
};

/// Looks a process up below `root` (ends in "/"): proc/PID/cgroup, proc/PID/stat, proc/self/cgroup,
/// the boot id and the directory below sys/fs/cgroup. The runtime holds the process while its hook
/// runs, so that none of it changes in between.
///
/// \returns `gone` for a process that ended; `conflict` for a cgroup that is the root, the hook's
///          own or an ancestor of it; else what the file that is named returned.
Result<Facts> look_up(const std::string& root, int pid);

} // namespace cgtide::hook
