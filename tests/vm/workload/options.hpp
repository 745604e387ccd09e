#pragma once

#include "cgroup/base/units.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cgtide::workload {

/// Size of the pages that the workload counts in, in bytes.
inline constexpr std::size_t kPageBytes = 4096;

/// A file that is mapped beside the anonymous memory; `size` is 0 where there is none.
struct FileRange {
    std::string path;
    Bytes size;
};

/// How the hot anonymous memory grows: by `step` each `each`, until it is `most`. Never where
/// `most` is no more than what it begins with.
struct Growth {
    Bytes step;
    Microseconds each{0};
    Bytes most;
};

/// What the command line chose. Sizes are whole pages.
struct Options {
    Bytes hot;
    Bytes cold;
    FileRange file_hot;
    FileRange file_cold;
    unsigned random_percent = 50; ///< share of each page that does not compress, 0 to 100
    std::string report = "-";     ///< where JSON lines are appended; `-` is standard output
    Microseconds sample = std::chrono::seconds(1); ///< 1 ms or more
    Microseconds alternate{0}; ///< anonymous hot and cold memory change places each time; 0: never
    Growth grow;               ///< of the hot memory; the rest stays as it is
    std::chrono::seconds run_for{0};   ///< counted from the populated event; 0 is until SIGTERM
    Microseconds pause{1000};          ///< after each pass, where paced
    bool paced = true;                 ///< false: never pauses
    bool whole_pages = false;          ///< a pass also checksums the hot memory
    bool small_pages = true;           ///< false: anonymous memory may be in huge pages
    bool tell_nodes = false;           ///< samples tell on which NUMA nodes the memory is
    std::optional<unsigned> hot_node;  ///< where the hot anonymous memory is at first
    std::optional<unsigned> cold_node; ///< ... and the cold
    unsigned children = 0;             ///< forked once the memory is there, which share it
    bool help = false;                 ///< print `usage()` and end
};

/// Parses the arguments after the program's name.
///
/// \returns the options, or an error whose detail names the argument at fault. To ask for no memory
/// at all is
///          an error too, and so is hot memory that grows and changes places.
Result<Options> parse_options(std::span<const char* const> arguments);

/// The sizes of the steps that the hot memory grows by, in their order; the last may be smaller.
std::vector<Bytes> growth_steps(const Options& options);

/// How many of these steps are due a time after the work began.
std::size_t steps_due(const Options& options, Nanoseconds worked);

/// The text of `--help`.
std::string_view usage();

} // namespace cgtide::workload
