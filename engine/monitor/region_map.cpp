#include "engine/monitor/region_map.hpp"

#include "cgroup/parse/maps.hpp"

#include <algorithm>
#include <limits>

namespace cgtide::monitor {

namespace {

using cgroup::Present;
using damon::Range;

/// Bytes of `range` that are present. `first` is moved to the first run that reaches into it.
std::uint64_t present_in(const Range& range, std::span<const Present> present, std::size_t& first) {
    while (first < present.size() && present[first].end <= range.start) {
        ++first;
    }
    std::uint64_t bytes = 0;
    for (std::size_t i = first; i < present.size() && present[i].start < range.end; ++i) {
        bytes += std::min(present[i].end, range.end) - std::max(present[i].start, range.start);
    }
    return bytes;
}

} // namespace

std::vector<model::RegionRow> region_rows(std::span<const IdleRegion> regions,
                                          std::span<const NamedRange> cuts,
                                          std::span<const Present> present) {
    std::vector<model::RegionRow> rows;
    std::size_t cut = 0;
    std::size_t run = 0;
    for (const IdleRegion& region : regions) {
        while (cut < cuts.size() && cuts[cut].range.end <= region.range.start) {
            ++cut;
        }
        for (std::size_t i = cut; i < cuts.size() && cuts[i].range.start < region.range.end; ++i) {
            const Range piece{std::max(cuts[i].range.start, region.range.start),
                              std::min(cuts[i].range.end, region.range.end)};
            const std::uint64_t bytes = present_in(piece, present, run);
            if (bytes > 0) {
                rows.push_back({piece.start, piece.end, Bytes{bytes}, region.idle, region.accesses,
                                cuts[i].name});
            }
        }
    }
    return rows;
}

void align_looks(model::RegionMap& map, std::span<const std::uint32_t> looks) {
    const auto most = std::max_element(looks.begin(), looks.end());
    if (most == looks.end() || *most == 0) {
        return;
    }
    map.sample = map.aggregation / *most;
    for (std::size_t i = 0; i < looks.size(); ++i) {
        for (model::RegionRow& row : map.spaces[i].regions) {
            row.accesses = looks[i] == 0 ? 0 : row.accesses * *most / looks[i];
        }
    }
}

std::vector<NamedRange> run_cuts(std::span<const Present> present) {
    std::vector<NamedRange> cuts;
    for (const Present& run : present) {
        if (!cuts.empty() && cuts.back().range.end == run.start) {
            cuts.back().range.end = run.end;
        } else {
            cuts.push_back({{run.start, run.end}, {}});
        }
    }
    if (cuts.size() > kMaxRows) {
        return {{{0, std::numeric_limits<std::uint64_t>::max()}, {}}};
    }
    return cuts;
}

Result<std::vector<NamedRange>> mapping_cuts(std::string_view maps) {
    const auto mappings = cgroup::parse_maps(maps);
    if (!mappings) {
        return tl::unexpected(mappings.error());
    }
    std::vector<NamedRange> cuts;
    for (const cgroup::Mapping& mapping : *mappings) {
        const std::string_view name = mapping.name.empty() ? "anon" : mapping.name;
        if (!cuts.empty() && cuts.back().name == name && cuts.back().range.end == mapping.start) {
            cuts.back().range.end = mapping.end; // text, data and bss of one file
        } else {
            cuts.push_back({{mapping.start, mapping.end}, std::string(name)});
        }
    }
    return cuts;
}

} // namespace cgtide::monitor
