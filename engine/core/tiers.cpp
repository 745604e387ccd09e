// Memory by speed: what the node has, what containers have of it, and what is whose.
#include "engine/apps/fast_tier.hpp"
#include "engine/apps/tier.hpp"
#include "engine/core/capability_rows.hpp"
#include "engine/core/engine.hpp"
#include "engine/core/offload.hpp"
#include "engine/monitor/capabilities.hpp"
#include "engine/monitor/homing.hpp"
#include "engine/monitor/page_capabilities.hpp"
#include "engine/monitor/topology.hpp"

#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace cgtide::core {

namespace {

constexpr std::string_view kTypesRow = "DAMON features";
constexpr auto kTier = static_cast<std::size_t>(model::AppName::tier);

/// By annotation, or because root attached it.
bool runs_tier(const Container& container) {
    const auto running = container.apps();
    return std::find(running.begin(), running.end(), model::AppName::tier) != running.end();
}

/// `place` is the container's.
apps::Sharer sharer_of(const Container& container, model::Placement& place) {
    const auto& tenant = container.tenants[kTier];
    return {&container.policy, tenant ? &std::get<model::TierState>(tenant->state) : nullptr,
            &place};
}

} // namespace

Bytes tier_reserve(const model::MemoryNode& node) {
    const double share = apps::kTierReserve * static_cast<double>(node.total.count);
    const double over = apps::kOverWatermark * static_cast<double>(node.watermark.count);
    return {static_cast<std::uint64_t>(std::max(share, over))};
}

Bytes tier_floor(const model::MemoryNode& node) {
    return node.watermark.count > 0 ? node.watermark : tier_reserve(node);
}

TierSight Engine::look_at_tiers(const std::shared_ptr<const model::Topology>& before,
                                TimePoint now) const {
    TierSight sight{before, now, {}};
    if (before == nullptr || now - topology_at_ >= kTopologyPeriod) {
        sight.topology = std::make_shared<const model::Topology>(
            monitor::read_topology(options_.roots.sys, options_.roots.proc));
    } else {
        sight.at = topology_at_;
    }
    const model::Topology& topology = *sight.topology;
    sight.room.is_tiered = topology.is_tiered();
    sight.room.kernel_demotes = topology.kernel_demotes && topology.tiers.size() == 2;
    if (sight.room.is_tiered) {
        const auto free = monitor::read_free(options_.roots.sys, topology);
        for (std::size_t i = 0; i < topology.tiers.size(); ++i) {
            Bytes& all = i == 0 ? sight.room.fast_total : sight.room.slow_total;
            Bytes& left = i == 0 ? sight.room.fast_free : sight.room.slow_free;
            Bytes& reserve = i == 0 ? sight.room.fast_reserve : sight.room.slow_reserve;
            for (const model::MemoryNode& node : topology.tiers[i].nodes) {
                const auto found = free.find(node.id);
                all = all + node.total;
                reserve = reserve + tier_reserve(node);
                if (i == 0) {
                    sight.room.fast_floor = sight.room.fast_floor + tier_floor(node);
                }
                left = left + (found == free.end() ? Bytes{} : found->second);
            }
        }
    }
    return sight;
}

/// On the sensor thread.
void Engine::sense_placement(Turn& turn, const TierSight& sight, bool by_regions) const {
    if (!turn.subject.needs.placement || !turn.snapshot || !sight.room.is_tiered || !by_regions) {
        return;
    }
    const auto nodes = cgroup::read_numa_stat(*turn.subject.group);
    if (nodes) {
        turn.snapshot->placement = options_.sensor.regions->place(turn.subject.group->id(), *nodes,
                                                                  *sight.topology, turn.cold_after);
    }
}

/// On the sensor thread.
void Engine::sense_homing(Turn& turn, const TierSight& sight, bool by_regions) const {
    // What regions do not know has no address, and could not be moved.
    if (!turn.subject.needs.homing || !turn.snapshot || !by_regions || !turn.snapshot->idle ||
        (turn.snapshot->idle->source != model::IdleSource::regions &&
         turn.snapshot->idle->source != model::IdleSource::regions_and_physical)) {
        return;
    }
    const auto nodes = cgroup::read_numa_stat(*turn.subject.group);
    if (!nodes) {
        return;
    }
    auto free = monitor::read_free(options_.roots.sys, *sight.topology);
    for (const model::MemoryTier& tier : sight.topology->tiers) {
        for (const model::MemoryNode& node : tier.nodes) {
            free[node.id] = free[node.id] - tier_reserve(node);
        }
    }
    turn.snapshot->homing = monitor::homing(
        *sight.topology, monitor::allowed_cpus(options_.roots.proc, turn.wish), *nodes, free);
}

/// Shares the fastest tier out among all containers with app `tier`, by what was last seen of each.
/// \returns what may come into it now.
Bytes Engine::share_tiers(const model::TierRoom& room, TimePoint now) {
    std::vector<apps::Sharer> sharers;
    for (Turn& turn : turns_) {
        if (turn.snapshot && turn.snapshot->placement && !turn.container->ended()) {
            sharers.push_back(sharer_of(*turn.container, *turn.snapshot->placement));
        }
    }
    for (const auto& [id, container] : registry_.live()) {
        if (!container->tenants[kTier] || !container->snapshot || !container->snapshot->placement) {
            continue;
        }
        const Pointer& one = container; // clang 14 captures no structured binding
        const bool is_due = std::any_of(turns_.begin(), turns_.end(), [&](const Turn& turn) {
            return turn.container == one && turn.snapshot && turn.snapshot->placement;
        });
        if (!is_due) {
            sharers.push_back(sharer_of(*container, *container->snapshot->placement));
        }
    }
    return apps::share_fast_tier(sharers, room, moving_[0], now);
}

/// Whether what is cold in this container goes to a lower tier, and so is not paged out.
bool Engine::has_lower_tier(const Container& container, TimePoint now) const {
    const model::TierRoom& room = node_.tiers;
    const auto& tenant = container.tenants[kTier];
    if (!tenant || !room.is_tiered || !container.snapshot || !container.snapshot->placement ||
        !container.snapshot->placement->is_known ||
        room.slow_free <= room.slow_reserve + apps::kSmallestMove) {
        return false;
    }
    // Where nothing can go down, or nothing may, reclaim goes on.
    const auto& state = std::get<model::TierState>(tenant->state);
    const auto& rest = state.rests.at(static_cast<std::size_t>(model::Move::demote));
    return !(rest && *rest > now) && !(state.hold_until && *state.hold_until > now);
}

Result<void> Engine::admit_low(const Container& container) const {
    const model::Policy& policy = container.policy;
    const Bytes fast = fast_tier();
    const Bytes low = apps::fast_bounds(policy.tier, fast).low;
    if (fast.count == 0 || low.count == 0 || !runs_tier(container)) {
        return {};
    }
    Bytes sum = low;
    for (const auto& [id, other] : registry_.live()) {
        if (other.get() != &container && runs_tier(*other)) {
            sum = sum + apps::fast_bounds(other->policy.tier, fast).low;
        }
    }
    if (sum <= fast) {
        return {};
    }
    return fail(Errc::out_of_range, "tier.fast",
                "LOW of all containers would be " + format_bytes(sum) + " of " +
                    format_bytes(fast) + " in the fastest tier");
}

Bytes Engine::fast_tier() const {
    return topology_ && topology_->is_tiered() ? model::total(topology_->tiers.front()) : Bytes{};
}

boost::asio::awaitable<model::TierView> Engine::tiers() {
    struct Held {
        model::TierUse use;
        std::shared_ptr<cgroup::Group> group;
    };
    std::vector<Held> held;
    for (const Pointer& container : registry_.list(false)) {
        held.push_back({tier_use(*container), container->group});
    }
    const auto look = [&] {
        model::TierView view;
        view.topology = monitor::read_topology(options_.roots.sys, options_.roots.proc);
        view.free = monitor::read_free(options_.roots.sys, view.topology);
        for (Held& one : held) {
            const auto nodes = one.group ? cgroup::read_numa_stat(*one.group)
                                         : fail(Errc::gone, "tiers", one.use.name);
            if (nodes) {
                one.use.bytes = monitor::by_tier(view.topology, *nodes);
            }
            view.uses.push_back(std::move(one.use));
        }
        return view;
    };
    co_return co_await offload(sensors_, look);
}

boost::asio::awaitable<std::vector<model::Capability>> Engine::capabilities() {
    // Nobody but who asks needs the kernel's types, and these stay as they are.
    const auto look = [this, with_types = find_row(options_.capabilities, kTypesRow) == nullptr] {
        auto rows = monitor::node_capabilities(options_.roots);
        for (model::Capability& row :
             with_types ? monitor::probe_types(options_.roots) : std::vector<model::Capability>()) {
            rows.push_back(std::move(row));
        }
        return rows;
    };
    const auto now = co_await offload(sensors_, look);
    for (const model::Capability& row : now) {
        model::Capability* known = find_row(options_.capabilities, row.name);
        const bool is_lost = row.name == monitor::kDemotionRow && options_.reclaim.swappiness_max &&
                             !options_.actuators.reclaim_moves;
        if (known == nullptr) {
            options_.capabilities.push_back(row);
        } else if (!is_lost) {
            *known = row;
        }
    }
    co_return options_.capabilities;
}

model::TierUse Engine::tier_use(const Container& container) const {
    model::TierUse use;
    use.name = container.policy.name;
    use.id = container.record.id;
    const auto& tenant = container.tenants[kTier];
    if (!tenant) {
        return use;
    }
    const auto bounds = apps::fast_bounds(container.policy.tier, fast_tier());
    const auto& state = std::get<model::TierState>(tenant->state);
    use.share = model::TierShare{.low = bounds.low,
                                 .high = bounds.high,
                                 .target = {},
                                 .hot = {},
                                 .hot_fast = {},
                                 .promoted = state.promoted,
                                 .demoted = state.demoted,
                                 .returned = state.returned};
    if (container.snapshot && container.snapshot->placement &&
        container.snapshot->placement->is_known) {
        const model::Placement& place = *container.snapshot->placement;
        use.share->target = place.target;
        use.share->hot_fast = place.fast[model::Heat::hot];
        use.share->hot = place.fast[model::Heat::hot] + place.slow[model::Heat::hot];
    }
    return use;
}

} // namespace cgtide::core
