#include "engine/monitor/page_out.hpp"

#include "engine/monitor/region_pool.hpp"

#include <algorithm>
#include <utility>

namespace cgtide::monitor {

namespace {

constexpr std::string_view kOp = "page out by DAMON";
constexpr std::uint64_t kPage = 4096;

std::uint64_t size_of(const model::ColdSpace& space) {
    std::uint64_t bytes = 0;
    for (const model::ColdRange& range : space.ranges) {
        bytes += range.end - range.start;
    }
    return bytes;
}

} // namespace

std::uint64_t stall_of(BasisPoints share) {
    constexpr double kMicro = 1e6;
    return static_cast<std::uint64_t>(std::max(0.0, share.ratio() * kMicro));
}

std::vector<damon::PageOut> page_outs(const PageOutOrder& order, Microseconds aggregation) {
    const auto rounds = static_cast<std::uint32_t>(std::max(order.period / aggregation, 2L));
    const std::uint64_t parts = rounds - 1; // the first one comes an aggregation after the commit
    // DAMON's count is 0 in the first aggregation without an access.
    const auto idle = (order.idle + aggregation - Microseconds(1)) / aggregation;
    std::uint64_t all = 0;
    for (const model::ColdSpace& space : order.spaces) {
        all += size_of(space);
    }
    const std::uint64_t part = std::min((all + parts - 1) / parts, kMostOfRound.count);
    std::vector<damon::PageOut> outs;
    for (const model::ColdSpace& space : order.spaces) {
        damon::PageOut out;
        out.container = order.container;
        out.pid = space.pid;
        out.pid_start = space.pid_start;
        for (const model::ColdRange& range : space.ranges) {
            out.ranges.push_back({range.start, range.end});
        }
        out.least_age = static_cast<std::uint32_t>(std::max(idle - 1, 0L));
        // Each scheme has a quota of its own: by the share of what there is.
        const double share = static_cast<double>(size_of(space)) / static_cast<double>(all);
        const auto bytes = static_cast<std::uint64_t>(static_cast<double>(part) * share);
        out.bytes = (bytes / kPage + 1) * kPage;
        out.rounds = rounds;
        out.stall.target = std::max<std::uint64_t>(stall_of(order.pressure), 1);
        outs.push_back(std::move(out));
    }
    return outs;
}

Microseconds RegionPool::cpu_of_workers() const {
    Microseconds used{0};
    for (const int worker : pool_->kdamonds()) {
        used += host_->cpu_time(worker).value_or(Microseconds(0));
    }
    return used;
}

Result<TimePoint> RegionPool::page_out(const PageOutOrder& order) {
    if (pool_ == nullptr) {
        return fail(Errc::conflict, kOp, "it was given back");
    }
    constexpr Microseconds kAggregation = damon::Intervals{}.aggregation;
    const TimePoint begin = std::chrono::steady_clock::now();
    orders_.push_back({order.container, begin, cpu_of_workers()});
    disturbed_ = true;
    auto applied = pool_->page_out(page_outs(order, kAggregation));
    if (!applied) {
        return tl::unexpected(applied.error());
    }
    handover_->end(std::move(applied->epochs));
    if (pool_->paging_out(order.container) > 0) {
        return work_until(begin, order.period);
    }
    if (!applied->failed.empty()) {
        return tl::unexpected(applied->failed.front().error);
    }
    return fail(Errc::gone, kOp, "none of its address spaces is watched");
}

/// Until when work that begins now is worth waiting for.
TimePoint RegionPool::work_until(TimePoint begin, Microseconds period) const {
    constexpr Microseconds kAggregation = damon::Intervals{}.aggregation;
    // So much is left of the period for the commit that ends it.
    constexpr Microseconds kMargin{500'000};
    return std::max<TimePoint>(begin + period - kMargin,
                               std::chrono::steady_clock::now() + kAggregation * 3 / 2);
}

Microseconds RegionPool::end_page_out(CgroupId container) {
    if (pool_ == nullptr) {
        return Microseconds(0);
    }
    // What fails is made up for by the next apply(), or the scheme ends by itself.
    if (auto applied = pool_->end_page_out(container)) {
        handover_->end(std::move(applied->epochs));
    }
    return end_order(container);
}

/// \returns the CPU time that the workers used for it, about; 0 where there is no such order.
Microseconds RegionPool::end_order(CgroupId container) {
    const auto order = std::find_if(orders_.begin(), orders_.end(),
                                    [&](const Order& one) { return one.container == container; });
    if (order == orders_.end()) {
        return Microseconds(0);
    }
    const std::chrono::duration<double, std::micro> elapsed =
        std::chrono::steady_clock::now() - order->since;
    const auto watching = Microseconds(static_cast<std::int64_t>(elapsed.count() * used_.ratio()));
    const Microseconds used = std::max(cpu_of_workers() - order->cpu - watching, Microseconds(0)) /
                              static_cast<std::int64_t>(orders_.size());
    orders_.erase(order);
    return used;
}

Result<void> RegionPool::tell_stall(CgroupId container, BasisPoints share) {
    return pool_ == nullptr ? Result<void>{} : pool_->tell_stall(container, stall_of(share));
}

} // namespace cgtide::monitor
