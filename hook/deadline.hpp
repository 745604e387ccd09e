#pragma once

#include "cgroup/base/units.hpp"

namespace cgtide::hook {

/// All that the hook may take, counted from its start; the rest of 100 ms is for the kernel to
/// start and to end it.
inline constexpr std::chrono::milliseconds kBudget{60};
/// When the guard ends a hook that is stuck in a system call without a deadline of its own.
inline constexpr std::chrono::milliseconds kGuard{80};

/// Starts the guard: after kGuard it reports what the hook was doing and ends the process with
/// `status`. A read of standard input or a write to a file system may block for as long as their
/// other side likes; one timer bounds them all.
///
/// \param log_socket kept; must stay valid.
void start_guard(const char* log_socket, int status) noexcept;

/// Names what the hook does from here on. A literal.
void doing(const char* what) noexcept;

} // namespace cgtide::hook
