#pragma once

#include "cgroup/base/units.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cgtide::cgroup {

/// The v2 path of `/proc/PID/cgroup` (its `0::` line), such as `/web/a1`. \returns `malformed`
/// without such a line, for a path that does not begin with `/`, and for one that leads out of the
/// cgroup namespace (`/../`); `gone` for a path that ends in ` (deleted)`.
Result<std::string> parse_pid_cgroup(std::string_view text);

/// Field 22 of `/proc/PID/stat`: clock ticks between boot and the start of the process. The command
/// name may hold spaces and parentheses.
Result<std::uint64_t> parse_start_time(std::string_view text);

/// What cgtide uses of `/proc/PID/stat`.
struct PidStat {
    std::uint64_t start = 0;  ///< as parse_start_time()
    std::uint64_t faults = 0; ///< page faults of all its threads, minor (field 10) and major (12)
    std::uint64_t cpu_ticks = 0; ///< used by all its threads, user (field 14) and system (15)
};
/// \returns `malformed` where one of these fields is missing.
Result<PidStat> parse_pid_stat(std::string_view text);

/// What cgtide uses of `/proc/meminfo`.
struct MemInfo {
    Bytes total;
    Bytes free;
    Bytes available;
    Bytes swap_total;
    Bytes swap_free;
};
/// \returns `malformed` where MemTotal or MemFree is missing.
Result<MemInfo> parse_meminfo(std::string_view text);

/// The v2 hierarchy as `/proc/self/mountinfo` shows it.
struct CgroupMount {
    std::string path; ///< where it is mounted, octal escapes undone
    std::string root; ///< which cgroup is its root: "/" outside of cgroup namespaces
    bool recursive_protection = false; ///< memory_recursiveprot
    bool nsdelegate = false;
};
/// The first cgroup2 mount; nullopt where there is none. \returns `malformed` for a line with too
/// few fields.
Result<std::optional<CgroupMount>> parse_cgroup_mount(std::string_view text);

} // namespace cgtide::cgroup
