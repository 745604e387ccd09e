#include "engine/monitor/ranges.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <string_view>

namespace cgtide::monitor {

namespace {

using cgroup::Present;
using damon::Range;

std::uint64_t total(std::span<const Range> ranges) {
    std::uint64_t bytes = 0;
    for (const Range& range : ranges) {
        bytes += range.end - range.start;
    }
    return bytes;
}

/// Takes all of `cuts` out of [start, end) and gives what is left to `keep`. Walks `cuts`, which
/// rise, from `from` on and leaves `from` where the next, later piece begins.
template <class Cut, class Keep>
void subtract(Range piece, std::span<const Cut> cuts, std::size_t& from, Keep keep) {
    while (from < cuts.size() && cuts[from].end <= piece.start) {
        ++from;
    }
    for (std::size_t i = from; i < cuts.size() && cuts[i].start < piece.end; ++i) {
        if (cuts[i].start > piece.start) {
            keep(Range{piece.start, cuts[i].start});
        }
        piece.start = std::max(piece.start, cuts[i].end);
    }
    if (piece.start < piece.end) {
        keep(piece);
    }
}

template <class Cut>
std::vector<Range> outside(std::span<const Present> pieces, std::span<const Cut> cuts) {
    std::vector<Range> left;
    std::size_t from = 0;
    for (const Present& piece : pieces) {
        subtract(Range{piece.start, piece.end}, cuts, from, [&](const Range& range) {
            if (!left.empty() && left.back().end == range.start) {
                left.back().end = range.end;
            } else {
                left.push_back(range);
            }
        });
    }
    return left;
}

/// The gap that `max` ranges still keep: all smaller ones are joined over.
std::uint64_t least_kept_gap(const std::vector<Range>& ranges, const RangeOptions& options) {
    std::vector<std::uint64_t> gaps;
    gaps.reserve(ranges.size() - 1);
    for (std::size_t i = 1; i < ranges.size(); ++i) {
        gaps.push_back(ranges[i].start - ranges[i - 1].end);
    }
    const std::size_t kept = std::max<std::size_t>(options.max_ranges, 1) - 1;
    std::nth_element(gaps.begin(), gaps.begin() + static_cast<std::ptrdiff_t>(kept), gaps.end(),
                     std::greater<>());
    // The largest gap that must go: equal ones go with it.
    return std::max(options.least_gap, gaps[kept] + 1);
}

void join_over(std::vector<Range>& ranges, std::uint64_t least_gap) {
    std::size_t kept = 0;
    for (std::size_t i = 1; i < ranges.size(); ++i) {
        if (ranges[i].start - ranges[kept].end < least_gap) {
            ranges[kept].end = ranges[i].end;
        } else {
            ranges[++kept] = ranges[i];
        }
    }
    ranges.resize(std::min(ranges.size(), kept + 1));
}

} // namespace

bool holds_charged_memory(const cgroup::Mapping& mapping) {
    constexpr std::array<std::string_view, 3> kDevicesOfMemory{"/dev/zero", "/dev/shm/",
                                                               "/dev/ashmem"};
    // Anonymous inodes are ring buffers and BPF maps, charged as kernel memory.
    constexpr std::array<std::string_view, 10> kOthers{
        "/dev/",      "/sys/",     "/proc/",      "[vdso",    "[vvar",
        "[vsyscall]", "[uprobes]", "anon_inode:", "/dmabuf:", "socket:["};
    const auto begins = [&](std::string_view prefix) {
        return mapping.name.starts_with(prefix);
    };
    if (std::any_of(kDevicesOfMemory.begin(), kDevicesOfMemory.end(), begins)) {
        return true;
    }
    return std::none_of(kOthers.begin(), kOthers.end(), begins) &&
           !begins("/anon_hugepage"); // MAP_HUGETLB
}

std::vector<Range> ranges_of(std::span<const Present> present, const RangeOptions& options) {
    std::vector<Range> ranges;
    ranges.reserve(present.size());
    for (const Present& run : present) {
        ranges.push_back({run.start, run.end});
    }
    join_over(ranges, total(ranges) <= options.small ? options.small_gap : options.least_gap);
    if (ranges.size() > options.max_ranges) {
        join_over(ranges, least_kept_gap(ranges, options));
    }
    return ranges;
}

bool still_fit(std::span<const Range> current, std::span<const Range> wanted,
               std::span<const Present> present) {
    constexpr std::uint64_t kMissing = 256U << 10U;
    constexpr std::uint64_t kSurplus = 4U << 20U;
    std::uint64_t bytes = 0;
    for (const Present& run : present) {
        bytes += run.end - run.start;
    }
    const std::uint64_t missing = total(outside(present, current));
    const std::uint64_t needed = total(wanted);
    return missing <= std::max(kMissing, bytes / 64) &&
           total(current) <= std::max(needed * 2, needed + kSurplus);
}

std::vector<Range> newly_present(std::span<const Present> before, std::span<const Present> now) {
    return outside(now, before);
}

} // namespace cgtide::monitor
