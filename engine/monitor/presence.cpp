#include "engine/monitor/presence.hpp"

namespace cgtide::monitor {

void Presence::add(std::uint64_t bytes, TimePoint at) {
    TimePoint since = at;
    while (!steps_.empty() && steps_.back().bytes >= bytes) {
        since = steps_.back().since;
        steps_.pop_back();
    }
    if (bytes > 0) {
        steps_.push_back({bytes, since});
    }
    if (steps_.size() <= kMostSteps) {
        return;
    }
    // The smallest step but the last goes: its bytes count as those of the step above it.
    std::size_t smallest = 0;
    std::uint64_t least = UINT64_MAX;
    std::uint64_t below = 0;
    for (std::size_t i = 0; i + 1 < steps_.size(); ++i) {
        if (steps_[i].bytes - below < least) {
            least = steps_[i].bytes - below;
            smallest = i;
        }
        below = steps_[i].bytes;
    }
    steps_.erase(steps_.begin() + static_cast<std::ptrdiff_t>(smallest));
}

} // namespace cgtide::monitor
