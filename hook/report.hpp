#pragma once

#include <string_view>

namespace cgtide::hook {

/// Says `text` as one line on standard error and as one datagram to the system's log, because
/// runtimes drop a hook's output when it succeeds. Never waits: what cannot be written at once is
/// dropped. Async-signal-safe; text beyond 1000 bytes is cut.
///
/// \param log_socket path of /dev/log.
void report(std::string_view text, const char* log_socket) noexcept;

} // namespace cgtide::hook
