#pragma once

#include "cgroup/base/units.hpp"

#include <string_view>

namespace cgtide::cgroup {

/// One line of a PSI file.
struct PressureLine {
    BasisPoints avg10;
    BasisPoints avg60;
    BasisPoints avg300;
    Microseconds total{0}; ///< stall time since the cgroup was made; laws use deltas of it
};

/// A PSI file: `memory.pressure`, `io.pressure` or `cpu.pressure`.
struct Pressure {
    PressureLine some; ///< at least one task stalled
    PressureLine full; ///< all tasks stalled; zero where the file has no such line
};

/// Parses a PSI file. \returns `malformed` without a complete `some` line, and for fields that are
/// no numbers. Source: Documentation/accounting/psi.rst.
Result<Pressure> parse_pressure(std::string_view text);

} // namespace cgtide::cgroup
