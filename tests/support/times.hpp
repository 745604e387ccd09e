#pragma once

#include "cgroup/base/units.hpp"

#include <cstdint>

namespace cgtide::test {

inline constexpr Microseconds kSecond{1'000'000};

/// Long enough that a test which passes never meets it.
inline constexpr Microseconds kNever{600'000'000};

constexpr Microseconds seconds(std::int64_t count) {
    return count * kSecond;
}

/// So many seconds after the clock began.
constexpr TimePoint at(std::int64_t count) {
    return TimePoint(seconds(count));
}

/// So many seconds after a test began, long after the clock did.
constexpr TimePoint second(std::int64_t count) {
    return at(1000 + count);
}

} // namespace cgtide::test
