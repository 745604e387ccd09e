#include "cgroup/pagemap.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace cgtide::cgroup {

namespace {

// struct page_region, struct pm_scan_arg and PAGEMAP_SCAN of include/uapi/linux/fs.h since 6.7;
// headers of older kernels lack them.
struct PageRegion {
    std::uint64_t start;
    std::uint64_t end;
    std::uint64_t categories;
};
struct ScanArgument {
    std::uint64_t size;
    std::uint64_t flags;
    std::uint64_t start;
    std::uint64_t end;
    std::uint64_t walk_end;
    std::uint64_t vec;
    std::uint64_t vec_len;
    std::uint64_t max_pages;
    std::uint64_t category_inverted;
    std::uint64_t category_mask;
    std::uint64_t category_anyof_mask;
    std::uint64_t return_mask;
};
constexpr unsigned long kPagemapScan = _IOWR('f', 16, ScanArgument);
constexpr std::uint64_t kIsFile = 1U << 2U;
constexpr std::uint64_t kIsPresent = 1U << 3U;
constexpr std::uint64_t kIsPfnZero = 1U << 5U;

// Bits of an entry: Documentation/admin-guide/mm/pagemap.rst.
constexpr std::uint64_t kEntryPresent = std::uint64_t{1} << 63U;
constexpr std::uint64_t kEntryFile = std::uint64_t{1} << 61U;
constexpr std::uint64_t kEntryExclusive = std::uint64_t{1} << 56U;

constexpr std::size_t kRegions = 512;
constexpr std::size_t kEntries = 8192;

/// Appends a run; one that goes on where the last one ends is joined to it. \returns false where
/// there is no room.
bool append(std::vector<Present>& out, const Present& run, const PagemapOptions& options) {
    if (!out.empty() && out.back().end == run.start && out.back().kind == run.kind) {
        out.back().end = run.end;
        return true;
    }
    if (out.size() >= options.max_runs) {
        return false;
    }
    out.push_back(run);
    return true;
}

PageKind kind_of(std::uint64_t entry, const PagemapOptions& options) {
    if ((entry & kEntryFile) != 0) {
        return PageKind::file;
    }
    return options.tell_shared_anon && (entry & kEntryExclusive) == 0 ? PageKind::anon_shared
                                                                      : PageKind::anon;
}

std::uint64_t page_size() {
    static const auto kPage = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    return kPage;
}

bool lacks_scan(int error) {
    return error == ENOTTY || error == EINVAL;
}

} // namespace

Result<Pagemap> Pagemap::open(const Dir& proc, int pid) {
    const std::string number = std::to_string(pid);
    auto fd = proc.file(number + "/pagemap", O_RDONLY);
    if (!fd) {
        return is_gone(fd.error()) ? fail(Errc::gone, "process", number)
                                   : tl::unexpected(fd.error());
    }
    return Pagemap(std::move(*fd));
}

Result<bool> Pagemap::scan(std::uint64_t start, std::uint64_t end, const PagemapOptions& options,
                           std::vector<Present>& out) {
    if (has_scan_) {
        auto done = scan_by_ioctl(start, end, options, out);
        if (done || !lacks_scan(done.error().code.value())) {
            return done;
        }
        has_scan_ = false;
    }
    return read_entries(start, end, options, out);
}

Result<bool> Pagemap::scan_by_ioctl(std::uint64_t start, std::uint64_t end,
                                    const PagemapOptions& options, std::vector<Present>& out) {
    std::array<PageRegion, kRegions> regions; // NOLINT: the kernel fills it
    ScanArgument argument{};
    argument.size = sizeof argument;
    argument.start = start;
    argument.end = end;
    argument.vec = reinterpret_cast<std::uintptr_t>(regions.data());
    // The kernel clears as much memory of its own at each call.
    argument.vec_len = std::clamp<std::uint64_t>((end - start) / page_size(), 1, regions.size());
    argument.category_mask = kIsPresent | kIsPfnZero;
    argument.category_inverted = kIsPfnZero;
    argument.return_mask = kIsFile;
    while (argument.start < end) {
        const int found = ::ioctl(fd_.get(), kPagemapScan, &argument);
        if (found < 0) {
            if (errno == EINTR) {
                continue;
            }
            return fail_errno(errno, "scan", "pagemap");
        }
        for (std::size_t i = 0; i < static_cast<std::size_t>(found); ++i) {
            const PageRegion& region = regions[i];
            const bool file = (region.categories & kIsFile) != 0;
            if (!file && options.tell_shared_anon) {
                auto done = read_entries(region.start, region.end, options, out);
                if (!done || !*done) {
                    return done;
                }
                continue;
            }
            if (!append(out, {region.start, region.end, file ? PageKind::file : PageKind::anon},
                        options)) {
                return false;
            }
        }
        if (argument.walk_end <= argument.start) {
            return fail(Errc::malformed, "scan", "pagemap: the kernel did not advance");
        }
        argument.start = argument.walk_end;
    }
    return true;
}

Result<bool> Pagemap::read_entries(std::uint64_t start, std::uint64_t end,
                                   const PagemapOptions& options, std::vector<Present>& out) const {
    const std::uint64_t page = page_size();
    std::vector<std::uint64_t> entries(
        std::min<std::uint64_t>(kEntries, (end - start + page - 1) / page));
    while (start < end) {
        const std::size_t want = std::min<std::uint64_t>(entries.size(), (end - start) / page);
        const ssize_t got = ::pread(fd_.get(), entries.data(), want * sizeof entries[0],
                                    static_cast<off_t>(start / page * sizeof entries[0]));
        if (got < 0) {
            if (errno == EINTR) {
                continue;
            }
            return fail_errno(errno, "read", "pagemap");
        }
        const std::size_t count = static_cast<std::size_t>(got) / sizeof entries[0];
        if (count == 0) {
            return true; // the address space is no more
        }
        for (std::size_t i = 0; i < count; ++i, start += page) {
            if ((entries[i] & kEntryPresent) != 0 &&
                !append(out, {start, start + page, kind_of(entries[i], options)}, options)) {
                return false;
            }
        }
    }
    return true;
}

} // namespace cgtide::cgroup
