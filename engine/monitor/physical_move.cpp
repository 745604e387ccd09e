#include "engine/monitor/physical_move.hpp"

#include "engine/monitor/region_pool.hpp"

#include <algorithm>
#include <utility>

namespace cgtide::monitor {

namespace {

constexpr std::string_view kOp = "move by DAMON";
constexpr std::uint64_t kPage = 4096;

} // namespace

std::vector<damon::PhysicalMove> physical_moves(const MoveOrder& order, Microseconds aggregation) {
    const auto rounds = static_cast<std::uint32_t>(std::max(order.period / aggregation, 2L));
    // DAMON's count is 0 in the first aggregation without an access.
    const auto idle = (order.idle + aggregation - Microseconds(1)) / aggregation;
    const bool hot = order.way == model::Move::promote;
    double weights = 0.0;
    for (const MoveTarget& target : order.targets) {
        weights += target.weight;
    }
    std::vector<damon::PhysicalMove> moves;
    for (const MoveTarget& target : order.targets) {
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
                         .least_age = hot ? 0 : static_cast<std::uint32_t>(std::max(idle - 1, 0L)),
                         .bytes = part,
                         .rounds = rounds,
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
    return work_until(begin, order.period);
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
