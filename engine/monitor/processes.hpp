#pragma once

#include "cgroup/pagemap.hpp"
#include "cgroup/parse/maps.hpp"
#include "cgroup/subtree.hpp"
#include "engine/damon/types.hpp"
#include "engine/monitor/ranges.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace cgtide::monitor {

/// One address space of a container.
struct Space {
    damon::TargetKey key = 0;
    int pid = 0;                           ///< a process that has it
    std::uint64_t pid_start = 0;           ///< clock ticks after boot
    std::uint64_t stack_end = 0;           ///< changes with execve(), is the same after fork()
    std::vector<damon::Range> ranges;      ///< to watch: rising, apart, at least one
    std::vector<cgroup::Present> present;  ///< in mappings that can hold charged memory; rising
    std::vector<damon::Range> came;        ///< present, and not so at the refresh before
    std::vector<cgroup::Mapping> mappings; ///< those mappings, without names; neighbours that go on
                                           ///< in memory and file are joined
};

/// Bounds of a container's share.
struct ProcessOptions {
    std::size_t max_processes = 64;
    std::size_t max_maps_bytes = 16U << 20U; ///< of one process, about 160,000 mappings
    RangeOptions ranges;
    cgroup::PagemapOptions pagemap;
    bool use_kcmp = true;             ///< false: as where kcmp(2) is not permitted
    std::uint32_t max_unchanged = 11; ///< refreshes in a row that may go by what has not changed
};

/// The address spaces of one container: which to watch, and what of them is present. One thread at
/// a time uses it.
class Processes {
public:
    /// `proc` is the root of procfs; it must outlive this.
    explicit Processes(const Dir& proc, ProcessOptions options = {});

    /// Looks anew at the processes of a walked subtree (with_pids). Watches the largest by resident
    /// memory, and once each mm that several processes share: told by kcmp(2), and where it is not
    /// permitted by equal mappings. Kernel threads, zombies and processes without charged memory
    /// are left out. A process that ends meanwhile is left out too. `last_key` is the key given
    /// out last, of all containers: each new address space takes the next one.
    ///
    /// Where no process came, ended, had a page fault or changed its size since the last look,
    /// nothing is looked at, at most `max_unchanged` times in a row: pages that mremap(2) moved
    /// are the only ones that this can miss. About 20 us a process.
    ///
    /// Blocks while a process holds its own mmap lock. About 2 ms for 100 MiB in small pages, 60 ms
    /// for a process of 60,000 mappings.
    void refresh(const cgroup::Subtree& subtree, damon::TargetKey& last_key);

    /// By rising key. Valid until the next refresh().
    const std::vector<Space>& spaces() const { return spaces_; }

    /// Processes with memory that are not watched, for want of room or rights; they may share an mm
    /// with one that is.
    std::uint32_t unwatched() const { return unwatched_; }

private:
    /// What is another after its memory has changed.
    struct Sign {
        int pid = 0;
        std::uint64_t start = 0;
        std::uint64_t faults = 0;
        std::uint64_t size = 0;
        std::uint64_t resident = 0;

        bool operator==(const Sign&) const = default;
    };
    struct Candidate {
        int pid = 0;
        std::uint64_t weight = 0;
    };

    std::vector<Sign> signs_of(const cgroup::Subtree& subtree) const;
    std::vector<Candidate> candidates() const;
    void look_at_all(damon::TargetKey& last_key);
    Result<Space> look(int pid) const;
    Result<void> scan(Space& space, bool has_relatives) const;
    bool same_mm(const Space& a, const Space& b) const;
    void carry_over(Space& space, damon::TargetKey& last_key);

    const Dir& proc_;
    ProcessOptions options_;
    std::vector<Space> spaces_;
    std::uint32_t unwatched_ = 0;
    std::vector<Sign> signs_; ///< before the last look
    std::uint32_t unchanged_ = 0;
};

} // namespace cgtide::monitor
