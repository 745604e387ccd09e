#pragma once

#include "cgroup/base/units.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cgtide::workload {

/// Size of one range, and how much of it is in memory.
struct Residency {
    Bytes size;
    Bytes resident;
};

/// On which NUMA nodes the anonymous memory is, and what went to another.
struct NodeSample {
    std::vector<Bytes> hot; ///< by node
    std::vector<Bytes> cold;
    Bytes moved;    ///< since the begin
    Bytes thrashed; ///< ... and within 10 s again
};

/// What the workload knows of itself at one instant.
struct Sample {
    double t = 0; ///< CLOCK_MONOTONIC, seconds
    Residency hot;
    Residency cold;
    Residency file_hot;
    Residency file_cold;
    std::uint64_t passes = 0; ///< over the hot memory, complete ones
    double pass_t = 0;        ///< when the last of them ended, seconds; 0 before
    double pass_cpu_s = 0;    ///< user and system time of its thread then, seconds
    double cpu_s = 0;         ///< user and system time of this process, seconds
    std::uint64_t majflt = 0;
    std::uint64_t minflt = 0;
    std::uint64_t phase = 0;           ///< odd: hot and cold have changed places
    std::optional<NodeSample> nodes{}; ///< where they are told
};

/// Formats one line of JSON that ends in a newline: `event` is `populated` or `sample`.
std::string format_event(std::string_view event, const Sample& sample);

} // namespace cgtide::workload
