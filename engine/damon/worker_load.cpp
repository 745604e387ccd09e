#include "engine/damon/worker_load.hpp"

#include <algorithm>

namespace cgtide::damon {

std::optional<BasisPoints> WorkerLoad::measure(const Host& host, std::span<const int> workers,
                                               TimePoint at) {
    std::unordered_map<int, Microseconds> now;
    Microseconds used{0};
    for (const int worker : workers) {
        const auto cpu = host.cpu_time(worker);
        if (!cpu) {
            continue; // it has ended: the pool will notice
        }
        // One that is new has used all of it since.
        const auto before = before_.find(worker);
        used += std::max(*cpu - (before == before_.end() ? Microseconds{0} : before->second),
                         Microseconds{0});
        now.emplace(worker, *cpu);
    }
    const bool first = at_ == TimePoint{};
    const auto elapsed = at - at_;
    before_ = std::move(now);
    at_ = at;
    if (first || elapsed.count() <= 0) {
        return std::nullopt;
    }
    constexpr double kAll = 10000.0;
    return BasisPoints{kAll * std::chrono::duration<double>(used) /
                       std::chrono::duration<double>(elapsed)};
}

} // namespace cgtide::damon
