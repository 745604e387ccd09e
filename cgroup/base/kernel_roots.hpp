#pragma once

#include "cgroup/base/dir.hpp"

#include <optional>
#include <string>

namespace cgtide {

/// The roots of the kernel's trees. Opened in a program's main alone, from `--root`; every other
/// room gets the piece that it needs.
struct KernelRoots {
    Dir cgroup;               ///< ROOT/sys/fs/cgroup (the v2 mount)
    Dir proc;                 ///< ROOT/proc
    Dir sys;                  ///< ROOT/sys
    std::optional<Dir> debug; ///< ROOT/sys/kernel/debug, where it is mounted and readable

    /// Opens the roots below `root` ("/" for the running kernel, a prepared folder in tests).
    ///
    /// \returns the first of cgroup, proc and sys that cannot be opened, named. `cgroup_mount` is
    /// the path of the v2 mount below `root`.
    static Result<KernelRoots> open(const std::string& root,
                                    const std::string& cgroup_mount = "sys/fs/cgroup");
};

} // namespace cgtide
