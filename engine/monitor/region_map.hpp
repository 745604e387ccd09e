#pragma once

#include "cgroup/pagemap.hpp"
#include "engine/model/region_map.hpp"
#include "engine/monitor/ages.hpp"

#include <span>
#include <string>
#include <vector>

namespace cgtide::monitor {

/// A range with a name, for what it is cut by.
struct NamedRange {
    damon::Range range;
    std::string name;
};

/// Rows of one address space at most; where runs of present pages are more, rows are not cut at
/// them.
inline constexpr std::size_t kMaxRows = 16'384;

/// What of an address space has been idle for how long: each region cut by `cuts`, with the bytes
/// of it that are present. What is in no cut, and what has nothing present, is left out. All rise.
/// Pure.
std::vector<model::RegionRow> region_rows(std::span<const IdleRegion> regions,
                                          std::span<const NamedRange> cuts,
                                          std::span<const cgroup::Present> present);

/// Gives a map one interval between looks, the shortest: spaces whose last round had fewer looks
/// than another's (`looks`, by space) count as many more that found memory in use. Pure.
void align_looks(model::RegionMap& map, std::span<const std::uint32_t> looks);

/// Runs of present pages as cuts, neighbours of different kinds joined; nothing but one cut of all
/// where there are more than kMaxRows.
std::vector<NamedRange> run_cuts(std::span<const cgroup::Present> present);

/// The mappings of `/proc/PID/maps` as cuts, named by file or kind (`anon` where they have no
/// name). \returns `malformed`.
Result<std::vector<NamedRange>> mapping_cuts(std::string_view maps);

} // namespace cgtide::monitor
