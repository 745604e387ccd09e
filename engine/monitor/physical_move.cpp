#include "engine/monitor/physical_move.hpp"

#include "engine/model/placement.hpp"
#include "engine/monitor/region_pool.hpp"

#include <algorithm>
#include <utility>

namespace cgtide::monitor {

namespace {

constexpr std::string_view kOp = "move by DAMON";
constexpr std::uint64_t kPage = 4096;

} // namespace

std::vector<damon::PhysicalMove> physical_moves(const MoveOrder& order, Microseconds aggregation) {
    const bool hot = order.way == model::Move::promote;
    const Microseconds longer = std::max(std::min(order.idle, model::kHotWithin), aggregation);
    const bool by_page = order.by_page && !hot && aggregation + longer <= 2 * order.period;
    std::optional<std::uint32_t> idle_for;
    if (!hot && !by_page) {
        // DAMON's count is 0 in the first aggregation without an access.
        const auto idle = (order.idle + aggregation - Microseconds(1)) / aggregation;
        idle_for = static_cast<std::uint32_t>(std::max(idle - 1, 0L));
    }
    std::vector<MoveTarget> targets = order.targets;
    if (by_page) {
        std::stable_sort(targets.begin(), targets.end(),
                         [](const auto& a, const auto& b) { return a.room > b.room; });
        targets.resize(1);
    }
    double weights = 0.0;
    for (const MoveTarget& target : targets) {
        weights += target.weight;
    }
    std::vector<damon::PhysicalMove> moves;
    for (const MoveTarget& target : targets) {
        const auto share = static_cast<std::uint64_t>(
            static_cast<double>(std::min(order.ask, model::kMostOfDamosMove).count) *
            (target.weight / weights));
        const std::uint64_t part = std::min(share, target.room.count) / kPage * kPage;
        if (part == 0) { // a quota of 0 is none
            continue;
        }
        moves.push_back({.container = order.container,
                         .hot = hot,
                         .cgroups = order.cgroups,
                         .to = target.node,
                         .from = order.from,
                         .bytes = part,
                         .look_at = aggregation,
                         .move_at = aggregation + (by_page ? longer : aggregation),
                         .idle_for = idle_for,
                         .with_unmapped = order.with_unmapped});
    }
    return moves;
}

Result<TimePoint> RegionPool::move(const MoveOrder& order) {
    if (pool_ == nullptr || moving_) {
        return fail(Errc::conflict, kOp, moving_ ? "another order runs" : "it was given back");
    }
    const auto moves = physical_moves(order, damon::Intervals{}.aggregation);
    if (moves.empty()) {
        return fail(Errc::gone, kOp, "no node has room");
    }
    const TimePoint begin = std::chrono::steady_clock::now();
    moving_ = order.container;
    orders_.push_back({order.container, begin, cpu_of_workers()});
    disturbed_ = true;
    auto applied = pool_->begin_move(moves);
    if (!applied) {
        return tl::unexpected(applied.error());
    }
    handover_->end(std::move(applied->epochs));
    if (!applied->failed.empty()) {
        return tl::unexpected(applied->failed.front().error);
    }
    // A worker that is kept from a CPU takes longer.
    constexpr int kLate = 4;
    return std::chrono::steady_clock::now() + moves.front().move_at +
           kLate * damon::Intervals{}.aggregation;
}

bool RegionPool::move_is_over(CgroupId container) {
    return pool_ == nullptr || moving_ != container || pool_->move_is_over();
}

Moved RegionPool::end_move(CgroupId container) {
    Moved moved;
    if (pool_ == nullptr || moving_ != container) {
        return moved;
    }
    moving_.reset();
    // What fails is made up for by the next apply(), or the schemes end by themselves.
    if (auto ended = pool_->end_move()) {
        handover_->end(std::move(ended->applied.epochs));
        moved.bytes = Bytes{ended->bytes};
    }
    moved.cpu = end_order(container);
    return moved;
}

} // namespace cgtide::monitor
