#pragma once

#include "cgroup/base/units.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace cgtide::model {

/// Addresses of one address space that have been idle for the same time.
struct RegionRow {
    std::uint64_t start = 0;
    std::uint64_t end = 0; ///< not included
    Bytes present;         ///< of it; never 0
    Microseconds idle{0};  ///< since it was last seen in use; below 0: in use for so long already
    std::uint32_t accesses = 0; ///< looks that found it in use in the last aggregation
    std::string mapping;        ///< what `/proc/PID/maps` calls it, where that was asked for
};

/// One watched address space.
struct SpaceMap {
    std::uint64_t key = 0;          ///< names it for as long as it is watched
    int pid = 0;                    ///< a process that has it
    TimePoint at{};                 ///< the end of its last aggregation
    std::vector<RegionRow> regions; ///< by rising address
};

/// Where a container's memory lies and how long it has been idle, as regions tell.
struct RegionMap {
    Microseconds sample{0};
    Microseconds aggregation{0};
    std::vector<SpaceMap> spaces;
};

/// How the rows of a map are cut.
enum class RegionCut : std::uint8_t {
    mappings, ///< at the borders of named mappings, absent pages within included
    runs,     ///< to pages that are present
};

} // namespace cgtide::model
