#include "engine/monitor/handover.hpp"

#include <utility>

namespace cgtide::monitor {

void Handover::begin(int kdamond, TimePoint at) {
    const std::lock_guard lock(mutex_);
    news_.push_back({kdamond, at, std::nullopt});
}

void Handover::end(std::vector<damon::Epoch> epochs) {
    const std::lock_guard lock(mutex_);
    for (damon::Epoch& epoch : epochs) {
        news_.push_back({epoch.kdamond, epoch.begin, std::move(epoch)});
    }
}

std::vector<CommitNews> Handover::take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(news_, {});
}

} // namespace cgtide::monitor
