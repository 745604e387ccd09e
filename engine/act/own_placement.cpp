#include "engine/act/own_placement.hpp"

#include <chrono>
#include <string>

namespace cgtide::act {

namespace {

/// The parts of a range that its process leaves to the kernel.
std::vector<model::ColdRange> without(const model::ColdRange& range,
                                      const std::vector<cgroup::OwnPlacement>& own) {
    std::vector<model::ColdRange> parts;
    std::uint64_t from = range.start;
    for (const cgroup::OwnPlacement& one : own) {
        if (one.end <= from || one.start >= range.end) {
            continue;
        }
        if (one.start > from) {
            parts.push_back({from, one.start, range.idle});
        }
        from = one.end;
    }
    if (from < range.end) {
        parts.push_back({from, range.end, range.idle});
    }
    return parts;
}

/// What the process of a space places itself. Where that cannot be told, it may be all.
const std::vector<cgroup::OwnPlacement>& look_up(OwnPlacements& own, const Dir& proc,
                                                 const model::ColdSpace& space) {
    constexpr std::size_t kMostText = 16U << 20U;
    const TimePoint now = std::chrono::steady_clock::now();
    OwnPlacements::Look& look = own.looks[{space.pid, space.pid_start}];
    if (look.at == TimePoint{} || now - look.at >= OwnPlacements::kGood) {
        look.at = now;
        look.ranges =
            proc.read(std::to_string(space.pid) + "/numa_maps", kMostText)
                .and_then([](const std::string& text) { return cgroup::parse_own_placement(text); })
                .value_or(std::vector<cgroup::OwnPlacement>{{0, UINT64_MAX}});
    }
    return look.ranges;
}

} // namespace

void forget_old(OwnPlacements& own, TimePoint now) {
    std::erase_if(own.looks, [now](const auto& entry) {
        return now - entry.second.at >= OwnPlacements::kGood;
    });
}

std::vector<model::ColdRange> left_to_kernel(OwnPlacements& own, const Dir& proc,
                                             const model::ColdSpace& space,
                                             const model::ColdRange& range) {
    return without(range, look_up(own, proc, space));
}

} // namespace cgtide::act
