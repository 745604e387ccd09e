#pragma once

#include "cgroup/base/units.hpp"

#include <optional>

namespace cgtide::core {

/// The share of `elapsed` in which some task stalled, by two totals of memory.pressure (`some`); 0
/// where one of them is not known. Pure.
BasisPoints stalled_share(std::optional<Microseconds> first, std::optional<Microseconds> now,
                          Microseconds elapsed);

/// When DAMON's worker, which pages out, is told how much a container stalls: each time that this
/// comes to its limit or falls under it again.
class StallGoal {
public:
    explicit StallGoal(BasisPoints limit) : limit_(limit) {}

    /// \returns whether `share` is to be told.
    bool crosses(BasisPoints share);

    /// It could not be told: the next share crosses again.
    void forget() { holds_ = !holds_; }

private:
    BasisPoints limit_;
    bool holds_ = false;
};

} // namespace cgtide::core
