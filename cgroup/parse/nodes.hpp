#pragma once

#include "cgroup/base/units.hpp"

#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

namespace cgtide::cgroup {

/// The kernel's lists of nodes and processors: `0-1,3`, in any order, an empty line for none.
/// \returns them rising and once each; `malformed` for text that is none, for a range that falls,
/// and for a number over kMostIds. Source: lib/bitmap-str.c, `%*pbl`.
Result<std::vector<unsigned>> parse_id_list(std::string_view text);

/// No node or processor has a higher number on any kernel: CONFIG_NR_CPUS ends at 8192.
inline constexpr unsigned kMostIds = 8191;

/// What cgtide uses of `/sys/devices/system/node/nodeN/meminfo`.
struct NodeMemory {
    Bytes total;
    Bytes free;
};
/// \returns `malformed` where MemTotal or MemFree is missing.
Result<NodeMemory> parse_node_meminfo(std::string_view text);

/// `/sys/devices/system/node/nodeN/distance`: a number for each node that is online, by rising
/// number. \returns `malformed` for anything but numbers.
Result<std::vector<unsigned>> parse_distances(std::string_view text);

/// From `/proc/zoneinfo`: free pages of each node at which the kernel has reclaimed enough for
/// processes' memory: its zones' high watermarks and what they keep from it (`protection`), but no
/// more than a zone has, added up. \returns `malformed` for a zone without a number, or a number
/// that does not fit.
Result<std::map<unsigned, std::uint64_t>> parse_watermarks(std::string_view text);

} // namespace cgtide::cgroup
