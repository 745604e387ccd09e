#pragma once

#include "cgroup/base/units.hpp"

namespace cgtide::apps {

/// What the laws reckon with: bytes.
inline double number(Bytes bytes) {
    return static_cast<double>(bytes.count);
}

/// ... and microseconds.
inline double number(Microseconds duration) {
    return static_cast<double>(duration.count());
}

} // namespace cgtide::apps
