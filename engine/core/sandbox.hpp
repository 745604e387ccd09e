#pragma once

#include "cgroup/base/result.hpp"

#include <string>
#include <vector>

namespace cgtide::core {

/// A capability that the engine's work needs.
struct Privilege {
    std::string name;    ///< as capabilities(7) has it
    bool held = false;   ///< false: it was not there to keep
    std::string without; ///< what cgtide does without it
};

/// Gives up every capability but those that the engine's work needs, from all sets and for good
/// (no_new_privs): CAP_DAC_OVERRIDE, for a delegated memory.reclaim belongs to the container's
/// user, and CAP_SYS_PTRACE, for the maps of other users' processes. Called once, while one thread
/// runs.
///
/// \returns what is kept, and what was not there to keep; the errno of what failed.
Result<std::vector<Privilege>> drop_privileges();

/// The names of system calls that the sandbox lets through.
const std::vector<std::string>& allowed_system_calls();

/// Loads the seccomp allow-list for all threads (TSYNC): other calls get EPERM and are logged by
/// the kernel's audit. `log_only` logs and lets everything through, for sanitizers. Loaded last:
/// about 0.6 ms once, 120 ns a call. \returns `unsupported` where the kernel has no seccomp filter.
Result<void> enter_sandbox(bool log_only);

} // namespace cgtide::core
