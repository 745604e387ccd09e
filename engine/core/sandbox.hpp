#pragma once

#include "cgroup/base/result.hpp"

#include <string>
#include <vector>

namespace cgtide::core {

/// Gives up every capability but those that the engine's work needs (CAP_DAC_OVERRIDE: a delegated
/// memory.reclaim belongs to the container's user), from all sets and for good (no_new_privs).
/// Called once, while one thread runs.
///
/// \returns the errno of what failed; `denied` naming a capability that is needed and was not there
/// to keep.
Result<void> drop_privileges();

/// The names of system calls that the sandbox lets through.
const std::vector<std::string>& allowed_system_calls();

/// Loads the seccomp allow-list for all threads (TSYNC): other calls get EPERM and are logged by
/// the kernel's audit. `log_only` logs and lets everything through, for sanitizers. Loaded last:
/// about 0.6 ms once, 120 ns a call. \returns `unsupported` where the kernel has no seccomp filter.
Result<void> enter_sandbox(bool log_only);

} // namespace cgtide::core
