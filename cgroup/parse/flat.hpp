#pragma once

#include "cgroup/base/units.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace cgtide::cgroup {

/// A file with one number: `memory.current` and its like. A trailing newline is allowed, nothing
/// else. `max` is Bytes::kUnlimited.
Result<Bytes> parse_amount(std::string_view text);

/// `memory.events`: counts since the cgroup was made, subtree included.
struct MemoryEvents {
    std::uint64_t low = 0;
    std::uint64_t high = 0;
    std::uint64_t max = 0;
    std::uint64_t oom = 0;
    std::uint64_t oom_kill = 0;
};
Result<MemoryEvents> parse_memory_events(std::string_view text);

/// `cgroup.events`.
struct CgroupEvents {
    bool populated = false; ///< a live process is in this cgroup or below it
    bool frozen = false;
};
Result<CgroupEvents> parse_cgroup_events(std::string_view text);

/// `cgroup.stat`.
struct CgroupStat {
    std::uint64_t nr_descendants = 0;
    std::uint64_t nr_dying_descendants = 0;
};
Result<CgroupStat> parse_cgroup_stat(std::string_view text);

/// `cgroup.procs`: process ids, in the file's order. 0 stands for a process of another pid
/// namespace and is `malformed`, for it can't be told apart.
Result<std::vector<int>> parse_pids(std::string_view text);

} // namespace cgtide::cgroup
