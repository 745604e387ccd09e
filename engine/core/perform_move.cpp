// What carries a decision about memory tiers out.
#include "cgroup/parse/proc.hpp"
#include "engine/act/demote.hpp"
#include "engine/act/migrate.hpp"
#include "engine/apps/move_pace.hpp"
#include "engine/core/capability_rows.hpp"
#include "engine/core/engine.hpp"
#include "engine/core/log.hpp"
#include "engine/core/offload.hpp"
#include "engine/monitor/memcgs.hpp"
#include "engine/monitor/placement.hpp"
#include "engine/monitor/topology.hpp"

#include <cerrno>
#include <chrono>
#include <map>
#include <optional>
#include <utility>
#include <vector>

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
                const Bytes least = i == 0 ? tier_floor(node) : tier_reserve(node);
                targets.room.emplace(node.id, left - least);
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

/// What a demotion by the kernel goes by.
struct KernelMove {
    const KernelRoots& roots;
    const model::Topology& topology;
    const monitor::Wish& wish;
    Bytes ask;
};

/// Whether memory.reclaim would demote now, and do nothing else: demotion is on, there is no swap,
/// and each lower node has room, and may be used by all of the container's cgroups, for not every
/// kernel that demotes asks their cpusets. Reads sysfs, procfs and the container's subtree.
bool demotes_alone(const KernelMove& move) {
    const auto memory = move.roots.proc.read("meminfo").and_then(
        [](const std::string& text) { return cgroup::parse_meminfo(text); });
    if (!memory || memory->swap_total.count > 0 || !monitor::kernel_demotes(move.roots.sys)) {
        return false;
    }
    const auto free = monitor::read_free(move.roots.sys, move.topology);
    std::vector<unsigned> lower;
    for (std::size_t i = 1; i < move.topology.tiers.size(); ++i) {
        for (const model::MemoryNode& node : move.topology.tiers[i].nodes) {
            const auto found = free.find(node.id);
            if (found == free.end() || found->second < tier_reserve(node) + move.ask) {
                return false;
            }
            lower.push_back(node.id);
        }
    }
    return monitor::may_use_nodes(move.wish, lower);
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

/// Has memory.reclaim demote, by the kernel's own lists; by address where that would do more than
/// demote.
asio::awaitable<model::Outcome> Engine::demote_by_kernel(Pointer container, const Order& order,
                                                         bool& begun) {
    const auto group = container->group;
    const auto interrupt = container->writing;
    const Microseconds period = container->policy.profile.period;
    const monitor::Wish wish = wish_of(*container);
    const bool may = options_.actuators.reclaim_moves && !container->has_nested;
    const auto move = [&, topology = topology_]() -> std::optional<act::Demotion> {
        if (!may || !demotes_alone({options_.roots, *topology, wish, order.decision.ask})) {
            return std::nullopt;
        }
        const auto time = time_to_work(order.decided, std::chrono::steady_clock::now(), period);
        begun = time.count() > 0;
        return act::demote(group->dir(), order.decision, time, *interrupt);
    };
    const auto done = co_await offload(reclaimers_, move);
    if (!done && container->group == nullptr) {
        co_return no_outcome(order);
    }
    if (!done) {
        Order by_address = order;
        by_address.decision.actuator = model::Actuator::move_pages;
        co_return co_await move_pages(container, by_address, begun);
    }
    // A little may be somebody else's: the counts are of all who write to memory.reclaim.
    if (done->dropped.count * apps::kBarren > done->outcome.asked.count) {
        lose_kernel_moves("it dropped " + format_bytes(done->dropped) + " of a container");
    } else if (done->outcome.error == EIO) {
        lose_kernel_moves("this kernel does not count what it demotes");
    }
    co_return done->outcome;
}

void Engine::lose_kernel_moves(const std::string& why) {
    if (options_.actuators.reclaim_moves) {
        log::warning("memory.reclaim moves nothing between tiers from now on: {}", why);
    }
    options_.actuators.reclaim_moves = false;
    mark_missing(options_.capabilities, monitor::kDemotionRow, why);
}

} // namespace cgtide::core
