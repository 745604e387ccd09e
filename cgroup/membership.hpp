#pragma once

#include "cgroup/base/dir.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace cgtide::cgroup {

/// The v2 path of a process, from `PID/cgroup` below `proc`. \returns `gone` where there is no such
/// process or its cgroup was removed; `malformed` as parse_pid_cgroup(). Does not block.
Result<std::string> pid_cgroup(const Dir& proc, int pid);

/// When a process started, in clock ticks after boot, from `PID/stat`. With the pid it tells a
/// process apart from a later one of the same number. \returns `gone` where there is no such
/// process.
Result<std::uint64_t> pid_start_time(const Dir& proc, int pid);

/// True where `path` is `ancestor` or lies below it, by whole components: `/web/a1` is below
/// `/web`,
/// `/web2` is not. Both begin with `/`.
bool is_at_or_below(std::string_view path, std::string_view ancestor);

/// Opens the cgroup at a v2 path such as `/web/a1` (`/` is the root) below the v2 mount `root`.
///
/// \returns `malformed` for a path that does not begin with `/` or has an empty, `.` or `..`
///          component; `gone` where there is no such cgroup.
Result<Dir> open_group(const Dir& root, std::string_view path);

/// Checks that `pid` is still the process that started at `start` and that it lives in the cgroup
/// `path` or below it.
///
/// \returns `gone` for a process that ended or whose number was given to another; `conflict` for
/// one
///          that moved elsewhere.
Result<void> verify_member(const Dir& proc, int pid, std::uint64_t start, std::string_view path);

} // namespace cgtide::cgroup
