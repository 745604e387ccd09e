#pragma once

#include "cgroup/base/units.hpp"

#include <cstdint>
#include <optional>

namespace cgtide::apps {

/// The share of `elapsed` that `now - before` is; 0 where time or the counter went backwards.
BasisPoints share_of_time(Microseconds before, Microseconds now, Microseconds elapsed);

/// How far a kernel counter rose; 0 where it went backwards, as it does for a cgroup that was made
/// anew.
std::uint64_t rise(std::uint64_t before, std::uint64_t now);

} // namespace cgtide::apps
