#pragma once

#include "cgroup/pagemap.hpp"
#include "cgroup/parse/maps.hpp"
#include "engine/damon/types.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace cgtide::monitor {

/// True where a mapping can hold memory that a cgroup is charged for as `anon` or `file`: no
/// special mapping of the kernel ([vdso] and its like), no device, no ring buffer, no hugetlb.
bool holds_charged_memory(const cgroup::Mapping& mapping);

/// How ranges are chosen.
struct RangeOptions {
    std::size_t max_ranges = 32;           ///< of one address space
    std::uint64_t least_gap = 256U << 10U; ///< bytes; over a smaller gap ranges are joined
    std::uint64_t small = 16U << 20U;      ///< present bytes of an address space that is small
    std::uint64_t small_gap = 1U << 20U;   ///< `least_gap` of a small one: each range costs looks
};

/// The ranges of an address space to watch: around its present pages, joined over the smallest gaps
/// until there are at most `max_ranges`. `present` rises.
std::vector<damon::Range> ranges_of(std::span<const cgroup::Present> present,
                                    const RangeOptions& options = {});

/// Whether `current` may stay although `wanted` is what ranges_of() says today: all but a 64th of
/// the present pages (or 256 KiB) lie in it, and it is at most twice as large (or 4 MiB larger).
bool still_fit(std::span<const damon::Range> current, std::span<const damon::Range> wanted,
               std::span<const cgroup::Present> present);

/// What is present now and was not before: pages that came in between. Both rise.
std::vector<damon::Range> newly_present(std::span<const cgroup::Present> before,
                                        std::span<const cgroup::Present> now);

} // namespace cgtide::monitor
