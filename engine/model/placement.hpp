#pragma once

#include "cgroup/base/units.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace cgtide::model {

/// How lately memory was used.
enum class Heat : std::uint8_t {
    hot,  ///< within kHotWithin
    warm, ///< within kWarmWithin
    cool, ///< earlier, or nobody saw when
    cold, ///< not for reclaim.idle: it has no claim on fast memory
};
inline constexpr std::size_t kHeats = 4;

inline constexpr Microseconds kHotWithin{10'000'000};
inline constexpr Microseconds kWarmWithin{60'000'000};

/// The heat of memory that has been idle for so long (below 0: in use for so long already), where
/// `cold` is when it is cold. Pure.
constexpr Heat heat_of(Microseconds idle, Microseconds cold) {
    if (idle >= cold) {
        return Heat::cold;
    }
    if (idle < kHotWithin) {
        return Heat::hot;
    }
    return idle < kWarmWithin ? Heat::warm : Heat::cool;
}

/// Bytes by heat.
struct HeatBytes {
    std::array<Bytes, kHeats> of{};

    Bytes& operator[](Heat heat) { return of[static_cast<std::size_t>(heat)]; }
    Bytes operator[](Heat heat) const { return of[static_cast<std::size_t>(heat)]; }
    Bytes sum() const {
        Bytes all;
        for (const Bytes one : of) {
            all = all + one;
        }
        return all;
    }

    bool operator==(const HeatBytes&) const = default;
};

/// Where one container's memory is, and how hot it is there. What no sensor saw of a tier is cool.
struct Placement {
    HeatBytes fast;        ///< in the fastest tier
    HeatBytes slow;        ///< in all others
    HeatBytes fast_anon;   ///< of `fast`: seen, and anonymous memory of one process
    Bytes promotable;      ///< of `slow`: proven hot
    Bytes shared_slow{};   ///< of `slow`: hot, and of several processes: it cannot come
    Bytes demotable;       ///< of `fast`: seen, so that its addresses are known, and not hot
    Bytes target{};        ///< what of the fastest tier is this container's, by the arbiter
    Bytes room{};          ///< ... and how much of this container may come into it now
    bool is_known = false; ///< a sensor has seen its memory
};

} // namespace cgtide::model
