#pragma once

#include "cgroup/base/units.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace cgtide::workload {

/// Size of one range, and how much of it is in memory.
struct Residency {
    Bytes size;
    Bytes resident;
};

/// What the workload knows of itself at one instant.
struct Sample {
    double t = 0; ///< CLOCK_MONOTONIC, seconds
    Residency hot;
    Residency cold;
    Residency file_hot;
    Residency file_cold;
    std::uint64_t passes = 0; ///< over the hot memory, complete ones
    double cpu_s = 0;         ///< user and system time of this process, seconds
    std::uint64_t majflt = 0;
    std::uint64_t minflt = 0;
    std::uint64_t phase = 0; ///< odd: hot and cold have changed places
};

/// Formats one line of JSON that ends in a newline: `event` is `populated` or `sample`.
std::string format_event(std::string_view event, const Sample& sample);

} // namespace cgtide::workload
