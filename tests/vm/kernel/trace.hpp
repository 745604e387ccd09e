#pragma once

#include "cgroup/base/unique_fd.hpp"
#include "engine/damon/types.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace cgtide::test {

/// One region of one target, as the kernel's trace event `damon_aggregated` tells it.
struct TracedRegion {
    int kdamond = 0;
    std::size_t target = 0;  ///< index
    std::size_t regions = 0; ///< of that target
    double seconds = 0;      ///< since boot, CLOCK_MONOTONIC
    damon::Region region;
};

/// Parses a line of trace_pipe; nullopt for one of another event.
std::optional<TracedRegion> parse_trace(const std::string& line);

/// A tracing instance of its own with that event on.
class Trace {
public:
    Trace();
    ~Trace();
    Trace(const Trace&) = delete;
    Trace& operator=(const Trace&) = delete;

    /// Reads events until `done` says so of one. \returns false where that takes over a minute.
    bool until(const std::function<bool(const TracedRegion&)>& done);

private:
    bool fill();

    UniqueFd pipe_;
    std::string text_;
};

} // namespace cgtide::test
