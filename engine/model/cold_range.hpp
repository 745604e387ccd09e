#pragma once

#include "cgroup/base/units.hpp"

#include <cstdint>
#include <vector>

namespace cgtide::model {

/// Addresses that have been idle. `end` is not included; not all of it need be present.
struct ColdRange {
    std::uint64_t start = 0;
    std::uint64_t end = 0;
    Microseconds idle{0}; ///< for so long at least

    bool operator==(const ColdRange&) const = default;
};

/// What of one address space has been idle.
struct ColdSpace {
    int pid = 0;                   ///< a process that has it
    std::uint64_t pid_start = 0;   ///< clock ticks after boot
    std::vector<ColdRange> ranges; ///< rising, apart

    bool operator==(const ColdSpace&) const = default;
};

} // namespace cgtide::model
