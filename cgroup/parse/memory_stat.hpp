#pragma once

#include "cgroup/base/units.hpp"

#include <cstdint>
#include <map>
#include <string_view>

namespace cgtide::cgroup {

/// What cgtide uses of `memory.stat`, subtree included. A counter that this kernel lacks is 0.
/// Names are the file's keys.
struct MemoryStat {
    Bytes anon;
    Bytes file; ///< page cache, tmpfs and shared memory included
    Bytes kernel;
    Bytes shmem;
    Bytes file_mapped;
    Bytes file_dirty;
    Bytes file_writeback;
    Bytes inactive_anon;
    Bytes active_anon;
    Bytes inactive_file;
    Bytes active_file;
    Bytes unevictable;
    Bytes slab_reclaimable;
    Bytes swapcached;
    // Counts of pages since the cgroup was made.
    std::uint64_t workingset_refault_anon = 0;
    std::uint64_t workingset_refault_file = 0;
    std::uint64_t workingset_activate_anon = 0;
    std::uint64_t workingset_activate_file = 0;
    std::uint64_t pgscan = 0;
    std::uint64_t pgsteal = 0;
    std::uint64_t pgfault = 0;
    std::uint64_t pgmajfault = 0;
};

/// Parses `memory.stat`; keys that cgtide does not use are skipped. \returns `malformed` where a
/// used key has no number, or `anon` or `file` is missing.
Result<MemoryStat> parse_memory_stat(std::string_view text);

/// What writes to memory.reclaim have done to a cgroup and to what is in it, in pages since it was
/// made.
struct ProactiveReclaim {
    std::uint64_t demoted = 0; ///< pgdemote_proactive: to a lower memory tier
    std::uint64_t stolen = 0;  ///< pgsteal_proactive: from their node, demoted ones included
};

/// Of `memory.stat`. \returns `malformed` where this kernel does not count both.
Result<ProactiveReclaim> parse_proactive_reclaim(std::string_view text);

/// Anonymous and file bytes on one NUMA node.
struct NodeBytes {
    Bytes anon;
    Bytes file;
};

/// Parses `memory.numa_stat` to bytes by node number. \returns `malformed` for entries that are not
/// `N<node>=<bytes>`.
Result<std::map<unsigned, NodeBytes>> parse_numa_stat(std::string_view text);

} // namespace cgtide::cgroup
