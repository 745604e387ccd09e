#pragma once

#include "cgroup/base/dir.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace cgtide::cgroup {

/// What a present page holds.
enum class PageKind : std::uint8_t {
    anon,
    anon_shared, ///< anonymous, and mapped by another process too: copy-on-write after a fork
    file,        ///< page cache, tmpfs and shared memory
};

/// Present pages of one kind that follow one another. `end` is not included.
struct Present {
    std::uint64_t start = 0;
    std::uint64_t end = 0;
    PageKind kind = PageKind::anon;

    bool operator==(const Present&) const = default;
};

/// How to scan.
struct PagemapOptions {
    bool tell_shared_anon = false; ///< tell anon from anon_shared: 8 bytes read for each anon page
    std::size_t max_runs = 1U << 16; ///< of one process
};

/// Which pages of one address space are present, by `/proc/PID/pagemap`. Holds the mm that the
/// process had when it was opened: after an execve() it tells of nothing present.
class Pagemap {
public:
    /// Opens `PID/pagemap` below `proc`. \returns `gone` where there is no such process; EACCES
    /// without the right to ptrace(2) it.
    static Result<Pagemap> open(const Dir& proc, int pid);

    /// Appends the present pages of [start, end), by rising address, to `out`. Zero pages are left
    /// out, for nobody is charged for them. About 1.5 ms for 100 MiB in small pages with
    /// PAGEMAP_SCAN (Linux 6.7), half as much again to tell shared ones; 10 us for 1 GiB that was
    /// never touched. Before 6.7 each page costs 8 bytes read, and zero pages count as anon. Blocks
    /// while the process holds its own mmap lock.
    ///
    /// \returns false where `out` has reached `max_runs` and the rest was left out.
    /// Source: include/uapi/linux/fs.h, Documentation/admin-guide/mm/pagemap.rst.
    Result<bool> scan(std::uint64_t start, std::uint64_t end, const PagemapOptions& options,
                      std::vector<Present>& out);

    /// Reads entries from now on, as where the kernel has no PAGEMAP_SCAN; for tests.
    void use_entries() { has_scan_ = false; }

private:
    explicit Pagemap(UniqueFd fd) : fd_(std::move(fd)) {}

    Result<bool> scan_by_ioctl(std::uint64_t start, std::uint64_t end,
                               const PagemapOptions& options, std::vector<Present>& out);
    Result<bool> read_entries(std::uint64_t start, std::uint64_t end, const PagemapOptions& options,
                              std::vector<Present>& out) const;

    UniqueFd fd_;
    bool has_scan_ = true;
};

} // namespace cgtide::cgroup
