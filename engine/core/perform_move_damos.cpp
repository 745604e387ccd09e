// What has DAMON's worker carry a decision about memory tiers out.
#include "engine/apps/move_pace.hpp"
#include "engine/core/capability_rows.hpp"
#include "engine/core/engine.hpp"
#include "engine/core/move_queue.hpp"
#include "engine/core/offload.hpp"
#include "engine/monitor/memcgs.hpp"
#include "engine/monitor/online_memory.hpp"
#include "engine/monitor/topology.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <functional>
#include <utility>

namespace cgtide::core {

namespace asio = boost::asio;

namespace {

constexpr const char* kMoveRow = "DAMOS migrate";
constexpr std::string_view kOp = "move by DAMON";

/// DAMON's worker on one order.
class PoolWorker final : public MoveWorker {
public:
    PoolWorker(monitor::RegionPool& pool, const monitor::MoveOrder& order,
               std::function<bool()> is_wanted)
        : pool_(pool), order_(order), is_wanted_(std::move(is_wanted)) {}

    Result<TimePoint> begin() override { return pool_.move(order_); }
    bool is_over() override { return pool_.move_is_over(order_.container); }
    monitor::Moved end() override { return pool_.end_move(order_.container); }
    bool is_wanted() const override { return is_wanted_(); }

private:
    monitor::RegionPool& pool_;
    const monitor::MoveOrder& order_;
    std::function<bool()> is_wanted_;
};

/// What a move goes by.
struct MovePlan {
    const Dir& sys;
    const model::Topology& topology;
    const model::Decision& decision;
    const monitor::Wish& wish;
    Microseconds period;
    bool by_page;
    bool with_unmapped;
};

/// The nodes of a tier, counted from the fastest, that have room, and that the container may use.
std::vector<monitor::MoveTarget> targets_in(const MovePlan& plan, std::size_t tier) {
    const auto free = monitor::read_free(plan.sys, plan.topology);
    std::vector<monitor::MoveTarget> targets;
    for (const model::MemoryNode& node : plan.topology.tiers[tier].nodes) {
        const auto found = free.find(node.id);
        const Bytes least = tier == 0 ? tier_floor(node) : tier_reserve(node);
        const Bytes room = (found == free.end() ? Bytes{} : found->second) - least;
        if (room.count > 0 && monitor::may_use_node(*plan.wish.group, node.id)) {
            targets.push_back({node.id, node.weight, room});
        }
    }
    return targets;
}

/// What DAMON's worker is to do: up into the fastest tier, or from it into the first lower one that
/// has room. Reads sysfs and the container's subtree.
Result<monitor::MoveOrder> move_order(const MovePlan& plan) {
    auto cgroups = monitor::largest_memcgs(plan.wish, {});
    if (!cgroups) {
        return tl::unexpected(cgroups.error());
    }
    if (cgroups->empty()) {
        return fail(Errc::gone, kOp, "no cgroup has 1 MiB");
    }
    monitor::MoveOrder wanted;
    wanted.container = plan.decision.id;
    wanted.way = *plan.decision.move;
    wanted.cgroups = std::move(*cgroups);
    wanted.ask = plan.decision.ask;
    wanted.idle = plan.decision.proven.value_or(Microseconds(0));
    wanted.period = plan.period;
    wanted.by_page = plan.by_page;
    wanted.with_unmapped = plan.with_unmapped;
    const auto& tiers = plan.topology.tiers;
    const bool up = wanted.way == model::Move::promote;
    for (std::size_t i = 0; i < tiers.size(); ++i) {
        if ((i == 0) == up) {
            if (wanted.targets.empty()) {
                wanted.targets = targets_in(plan, i);
            }
            continue;
        }
        for (const model::MemoryNode& node : tiers[i].nodes) {
            const auto ranges = monitor::online_memory(plan.sys, node.id);
            if (!ranges) {
                return tl::unexpected(ranges.error());
            }
            wanted.from.insert(wanted.from.end(), ranges->begin(), ranges->end());
        }
    }
    std::sort(wanted.from.begin(), wanted.from.end(),
              [](const auto& a, const auto& b) { return a.start < b.start; });
    return wanted;
}

} // namespace

/// Moves by DAMON's worker, which has watched physical memory meanwhile.
asio::awaitable<model::Outcome> Engine::move_by_damon(Pointer container, const Order& order,
                                                      bool& begun) {
    const auto interrupt = container->writing;
    const TimePoint started = std::chrono::steady_clock::now();
    const Microseconds period = container->policy.profile.period;
    const auto topology = topology_;
    const monitor::Wish wish = wish_of(*container);
    // Nobody is to wait for a look that long.
    const bool by_page = container->demotes_by_page && move_queue_.empty();
    const auto plan = [&] {
        return move_order({options_.roots.sys, *topology, order.decision, wish, period, by_page,
                           !options_.sensor.physical->hides_reads()});
    };
    const auto wanted = co_await offload(sensors_, plan);
    // Not in one expression: GCC 12 destroys what `?:` with co_await yields twice.
    Result<monitor::Moved> moved;
    if (wanted) {
        PoolWorker worker(*options_.sensor.pool, *wanted,
                          [this, interrupt] { return has_damon_ && !interrupt->stopped(); });
        moved = co_await move_queue_.run(worker);
    } else {
        moved = tl::unexpected(wanted.error());
    }
    model::Outcome outcome = no_outcome(order);
    outcome.wall = std::chrono::duration_cast<Microseconds>(outcome.at - started);
    const Errc code = moved || moved.error().code.category() != error_category()
                          ? Errc{}
                          : static_cast<Errc>(moved.error().code.value());
    begun = code != Errc::timeout;
    if (moved) {
        outcome.taken = moved->bytes;
        outcome.cpu = moved->cpu;
        if (moved->is_whole && outcome.move == model::Move::demote &&
            outcome.taken.count * apps::kBarren < outcome.asked.count) {
            container->demotes_by_page = !by_page; // each finds what the other does not
        }
    }
    if (!begun || !has_damon_ || interrupt->stopped()) {
        outcome.end = model::OutcomeEnd::interrupted;
    } else if (moved || code == Errc::gone) {
        outcome.end =
            outcome.taken < outcome.asked ? model::OutcomeEnd::partial : model::OutcomeEnd::done;
    } else {
        outcome.end = model::OutcomeEnd::failed;
        outcome.error = code == Errc{} ? moved.error().code.value() : EIO;
    }
    co_return outcome;
}

/// Whether physical memory is to be watched for moves: some container has app `tier`.
bool Engine::wants_moves() const {
    const auto& live = registry_.live();
    return options_.actuators.damos_moves && regions_work_ &&
           std::any_of(live.begin(), live.end(), [](const auto& entry) {
               const auto& tenants = entry.second->tenants;
               return tenants[static_cast<std::size_t>(model::AppName::tier)].has_value();
           });
}

/// Says whether DAMON's workers can move pages, where they are to. Before anything is decided.
void Engine::tell_moves(const std::string& trouble) {
    if (mover_ != model::Actuator::damos) {
        return;
    }
    model::Capability told{.name = kMoveRow,
                           .present = false,
                           .probed = "/sys/kernel/mm/damon/admin/kdamonds",
                           .detail = trouble,
                           .without = "app tier moves by move_pages(2)"};
    if (trouble.empty()) {
        told.present = options_.sensor.pool->moves_pages();
        told.detail = told.present ? "schemes end by themselves"
                                   : "idle.sensor is not \"auto\", or DAMON lacks paddr, "
                                     "fail_charge, max_nr_snapshots or the filter unmapped";
    }
    options_.actuators.damos_moves = told.present;
    options_.capabilities.push_back(std::move(told));
}

void Engine::lose_moves(const std::string& why) {
    options_.actuators.damos_moves = false;
    mark_missing(options_.capabilities, kMoveRow, why);
}

} // namespace cgtide::core
