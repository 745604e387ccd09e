#include "engine/core/stall_goal.hpp"

namespace cgtide::core {

BasisPoints stalled_share(std::optional<Microseconds> first, std::optional<Microseconds> now,
                          Microseconds elapsed) {
    constexpr double kAll = 10'000.0;
    if (!first || !now || elapsed.count() <= 0) {
        return {};
    }
    return {kAll * static_cast<double>((*now - *first).count()) /
            static_cast<double>(elapsed.count())};
}

bool StallGoal::crosses(BasisPoints share) {
    const bool before = holds_;
    holds_ = share >= limit_;
    return holds_ != before;
}

} // namespace cgtide::core
