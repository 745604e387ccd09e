#pragma once

#include "cgroup/base/units.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cgtide::layout {

/// What a segment of memory is.
enum class Kind : std::uint8_t {
    anon,
    thp,      ///< huge pages, of which one small page each is used
    sparse,   ///< runs of 1 to 16 pages, spread over a mapping of 1 GiB
    swapped,  ///< pushed out by MADV_PAGEOUT once it is filled
    file,     ///< a file, mapped
    read,     ///< a file, used by read(2) alone
    shm,      ///< shared memory
    borrowed, ///< a file that another container made and is charged for, mapped
    shared,   ///< an earlier segment of the first process, inherited by fork(2)
};

std::string_view to_string(Kind kind);

/// When a segment is used.
struct Use {
    bool ever = false;
    std::chrono::seconds every{0}; ///< in use for the first second of each such time; 0: always

    bool operator==(const Use&) const = default;
};

/// One segment. `of` is the number of the segment that a shared one is, `path` that of a file.
struct Spec {
    Kind kind = Kind::anon;
    Bytes size;
    Use use;
    std::string path;
    std::size_t of = 0;
};

/// What the command line chose: the segments of each process; the first one forks the others.
struct Plan {
    std::vector<std::vector<Spec>> processes;
    std::string report = "-"; ///< where JSON lines are appended; `-` is standard output
    Microseconds sample = std::chrono::milliseconds(500);
    bool help = false;
};

/// Parses the arguments after the program's name; an error names the argument at fault.
Result<Plan> parse_plan(std::span<const char* const> arguments);

/// The text of `--help`.
std::string_view usage();

} // namespace cgtide::layout
