#pragma once

#include "cgroup/base/units.hpp"

namespace cgtide::hook {

/// Starts the guard: after `budget` it reports what the hook was doing and ends the process with
/// `status`. A read of standard input or a write to a file system may block for as long as their
/// other side likes; one timer bounds them all.
///
/// \param log_socket kept; must stay valid.
void start_guard(std::chrono::milliseconds budget, const char* log_socket, int status) noexcept;

/// Names what the hook does from here on. A literal.
void doing(const char* what) noexcept;

} // namespace cgtide::hook
