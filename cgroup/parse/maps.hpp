#pragma once

#include "cgroup/base/result.hpp"

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace cgtide::cgroup {

/// One line of `/proc/PID/maps`.
struct Mapping {
    std::uint64_t start = 0;
    std::uint64_t end = 0; ///< not included
    std::uint64_t offset = 0;
    std::uint64_t inode = 0;  ///< 0 where no file is behind it
    std::uint32_t device = 0; ///< of the file: major << 20 | minor
    bool readable = false;
    bool writable = false;
    bool executable = false;
    bool shared = false;
    std::string_view name; ///< path or `[heap]` and its like, a newline as `\012`; may be empty

    bool operator==(const Mapping&) const = default;
};

/// Parses `/proc/PID/maps`, at most `limit` lines. The names point into `text`. One allocation.
///
/// \returns `malformed` for a line without its five fields, for an empty mapping and for one that
///          begins before the end of the one before it (the kernel never tells addresses backwards,
///          even where the process changes them meanwhile); `out_of_range` beyond `limit`.
/// Source: Documentation/filesystems/proc.rst, "The /proc/PID/maps".
Result<std::vector<Mapping>> parse_maps(std::string_view text, std::size_t limit = 1U << 18U);

/// What `/proc/PID/statm` tells of an address space, in pages.
struct Resident {
    std::uint64_t size = 0;     ///< 0 for what has no address space: a kernel thread, a zombie
    std::uint64_t resident = 0; ///< present pages, of whatever kind; approximate
};
/// \returns `malformed` without two numbers.
Result<Resident> parse_statm(std::string_view text);

} // namespace cgtide::cgroup
