#pragma once

#include "cgroup/base/result.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace cgtide::cgroup {

/// Addresses whose pages a process places itself. `end` is not included.
struct OwnPlacement {
    std::uint64_t start = 0;
    std::uint64_t end = 0;

    bool operator==(const OwnPlacement&) const = default;
};

/// From `/proc/PID/numa_maps`: mappings with a policy of their own (mbind(2)) or of their process
/// (set_mempolicy(2)), each up to the begin of the next mapping, rising and apart. `default` and
/// `local` are none. \returns `malformed` for a line without an address and a policy, and for
/// addresses that do not rise.
/// Source: show_numa_map() in fs/proc/task_mmu.c.
Result<std::vector<OwnPlacement>> parse_own_placement(std::string_view text);

} // namespace cgtide::cgroup
