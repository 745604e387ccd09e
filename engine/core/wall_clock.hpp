#pragma once

#include <chrono>
#include <cstdint>

namespace cgtide::core {

/// Milliseconds since the epoch, for people: no law uses it.
inline std::int64_t wall_clock_ms() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

} // namespace cgtide::core
