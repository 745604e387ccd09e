// What carries a decision about memory tiers out.
#include "engine/act/demote.hpp"
#include "engine/act/migrate.hpp"
#include "engine/core/engine.hpp"
#include "engine/core/offload.hpp"
#include "engine/monitor/memcgs.hpp"
#include "engine/monitor/placement.hpp"
#include "engine/monitor/topology.hpp"

#include <chrono>
#include <map>
#include <utility>

namespace cgtide::core {

namespace asio = boost::asio;

namespace {

/// From where to where memory goes: each node's counterparts in the other tiers, as far as these
/// have room now.
act::MoveTargets targets_of(const model::Topology& topology, model::Move way,
                            const std::map<unsigned, Bytes>& free) {
    act::MoveTargets targets;
    for (std::size_t i = 0; i < topology.tiers.size(); ++i) {
        const bool is_source = (i == 0) == (way == model::Move::demote);
        for (const model::MemoryNode& node : topology.tiers[i].nodes) {
            if (is_source) {
                targets.of.emplace(node.id, model::counterparts(topology, node.id));
            } else {
                const auto found = free.find(node.id);
                const Bytes left = found == free.end() ? Bytes{} : found->second;
                targets.room.emplace(node.id, left - tier_reserve(node));
            }
        }
    }
    return targets;
}

/// To nodes of the same tier that are nearer, as far as these have room now, less what other moves
/// may take of it.
act::MoveTargets targets_of(const model::Topology& topology, const model::Homing& homing,
                            const std::map<unsigned, Bytes>& free, Bytes booked) {
    act::MoveTargets targets;
    targets.of = homing.nearer;
    for (const model::MemoryTier& tier : topology.tiers) {
        for (const model::MemoryNode& node : tier.nodes) {
            const auto found = free.find(node.id);
            const Bytes left = found == free.end() ? Bytes{} : found->second;
            targets.room.emplace(node.id, left - tier_reserve(node) - booked);
        }
    }
    return targets;
}

/// Whether a container may use each node of the lower tiers. Reads a file of its cgroup a node.
bool may_go_down(const cgroup::Group& group, const model::Topology& topology) {
    bool may = true;
    for (std::size_t i = 1; i < topology.tiers.size(); ++i) {
        for (const model::MemoryNode& node : topology.tiers[i].nodes) {
            may = may && monitor::may_use_node(group, node.id);
        }
    }
    return may;
}

} // namespace

/// Moves what the region sensor knows as hot, or as idle for as long as was decided.
asio::awaitable<model::Outcome> Engine::move_pages(Pointer container, const Order& order,
                                                   bool& begun) {
    const auto group = container->group;
    const auto interrupt = container->writing;
    const auto moves = container->moves;
    const auto topology = topology_;
    const std::string path = container->record.cgroup_path;
    const Microseconds period = container->policy.profile.period;
    const model::Move way = *order.decision.move;
    const Bytes booked = moving_[0] + moving_[1] + moving_[2] - order.decision.ask;
    const model::Homing homing = container->snapshot && container->snapshot->homing
                                     ? *container->snapshot->homing
                                     : model::Homing{};
    const auto find = [&] {
        return way == model::Move::promote
                   ? options_.sensor.regions->hot(order.decision.id, monitor::kProvenHot)
                   : options_.sensor.regions->cold(order.decision.id, *order.decision.proven);
    };
    const auto spaces = co_await offload(sensors_, find);
    const auto move = [&] {
        act::KernelMover kernel;
        const act::PageoutSite site{group->dir(), options_.roots.proc, path};
        const auto time = time_to_work(order.decided, std::chrono::steady_clock::now(), period);
        begun = time.count() > 0;
        const auto free = monitor::read_free(options_.roots.sys, *topology);
        const auto targets = way == model::Move::home ? targets_of(*topology, homing, free, booked)
                                                      : targets_of(*topology, way, free);
        return act::migrate(site, order.decision, spaces, targets, kernel, *moves, time,
                            *interrupt);
    };
    co_return co_await offload(reclaimers_, move);
}

/// Has memory.reclaim demote: the kernel chooses by its own lists. By address where the container
/// may not use all of the lower tiers: not every kernel that demotes asks its cpuset.
asio::awaitable<model::Outcome> Engine::demote_by_kernel(Pointer container, const Order& order,
                                                         bool& begun) {
    const auto group = container->group;
    const auto interrupt = container->writing;
    const Microseconds period = container->policy.profile.period;
    const auto allows = [&, topology = topology_] {
        return may_go_down(*group, *topology);
    };
    const bool is_free = co_await offload(sensors_, allows);
    if (!is_free) {
        Order by_address = order;
        by_address.decision.actuator = model::Actuator::move_pages;
        co_return co_await move_pages(container, by_address, begun);
    }
    const auto move = [&] {
        const auto time = time_to_work(order.decided, std::chrono::steady_clock::now(), period);
        begun = time.count() > 0;
        return act::demote(group->dir(), order.decision, time, *interrupt);
    };
    co_return co_await offload(reclaimers_, move);
}

} // namespace cgtide::core
