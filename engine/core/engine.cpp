#include "engine/core/engine.hpp"

#include "engine/apps/reclaim.hpp"
#include "engine/apps/reclaim_kinds.hpp"
#include "engine/apps/stat.hpp"
#include "engine/apps/table.hpp"
#include "engine/core/log.hpp"
#include "engine/core/offload.hpp"
#include "engine/core/thread_names.hpp"
#include "engine/core/wait.hpp"
#include "engine/core/wall_clock.hpp"

#include <algorithm>
#include <chrono>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <unistd.h>

namespace cgtide::core {

namespace asio = boost::asio;

Engine::Engine(asio::io_context& io, EngineOptions options)
    : io_(io), options_(std::move(options)), sensor_(options_.settings.sensor),
      mover_(options_.settings.mover), budget_(options_.settings.node), tick_timer_(io),
      walk_timer_(io), watch_(io, ::dup(options_.watcher.fd())), tasks_(io.get_executor()) {
    name_threads(sensors_, 1, "cgtide-sensors");
    name_threads(reclaimers_, kReclaimers, "cgtide-reclaim");
    name_threads(damon_, 1, "cgtide-damon");
    name_threads(walkers_, 1, "cgtide-walkers");
}

Engine::~Engine() {
    sensors_.join();
    reclaimers_.join();
    damon_.join();
    walkers_.join();
}

asio::awaitable<void> Engine::start() {
    co_await read_pause();
    // Before the first container: what it may protect is a part of the fastest tier.
    const auto look = [this] {
        return look_at_tiers(nullptr, std::chrono::steady_clock::now());
    };
    const TierSight sight = co_await offload(sensors_, look);
    topology_ = sight.topology;
    topology_at_ = sight.at;
    node_.tiers = sight.room;
    co_await rescan();
    tasks_.spawn(tick_loop());
    tasks_.spawn(watch_loop());
    tasks_.spawn(rescan_loop());
    if (options_.sensor.regions) {
        has_damon_ = true; // until that turns out to be wrong
        regions_work_ = sensor_ != model::IdleSensor::physical;
        tasks_.spawn(region_loop());
        tasks_.spawn(drain_loop());
    } else {
        tell_physical(why_no_regions());
    }
    if (options_.generations) {
        tasks_.spawn(generation_loop());
    }
}

asio::awaitable<void> Engine::stop() {
    stopping_ = true;
    co_await end_writes(writes_under_way(), TimePoint::max());
    co_await tasks_.stop();
    if (options_.sensor.pool) {
        co_await release_regions();
    }
}

void Engine::reload(model::Settings settings) {
    options_.settings = std::move(settings);
    budget_.set(options_.settings.node);
    compile_all();
    wake();
}

void Engine::wake() {
    tick_timer_.cancel();
}

asio::awaitable<void> Engine::tick_loop() {
    constexpr auto kLongestWait = std::chrono::minutes(1);
    while (!co_await cancelled()) {
        TimePoint next = std::chrono::steady_clock::now() + kLongestWait;
        for (const auto& [id, container] : registry_.live()) {
            next = std::min(next, container->due().value_or(next));
        }
        if (awaits_tiers()) {
            next = std::min(next, next_beat(std::chrono::steady_clock::now(), kTopologyPeriod));
        }
        if (co_await wait_until(tick_timer_, next)) {
            const TimePoint now = std::chrono::steady_clock::now();
            registry_.expire(now);
            co_await tick(now);
        }
    }
}

asio::awaitable<void> Engine::tick(TimePoint now) {
    // The sensor thread fills them. Nobody else uses them until it has returned, for there is one
    // tick at a time; they are kept for their room, which is large enough for the allocator to give
    // it back, page by page, each time.
    std::vector<Turn>& turns = turns_;
    find_turns(now);
    if (turns.empty() && !awaits_tiers()) {
        co_return;
    }
    const bool by_regions = watching_;
    const bool regions_work = regions_work_;
    const bool by_node =
        std::any_of(turns.begin(), turns.end(),
                    [](const Turn& turn) {
                        return turn.subject.needs.placement || turn.subject.needs.homing;
                    }) ||
        awaits_tiers();
    TierSight sight;
    const auto sense = [this, &turns, &sight, now, by_regions, regions_work, by_node] {
        auto view = options_.counters.begin_period(now);
        if (by_node) {
            sight = look_at_tiers(topology_, now);
        }
        for (Turn& turn : turns) {
            turn.snapshot = options_.counters.sample(turn.subject, now);
            sense_idle(turn, by_regions, regions_work);
            sense_placement(turn, sight, by_regions);
            sense_homing(turn, sight, by_regions);
        }
        return view;
    };
    const auto node = co_await offload(sensors_, sense);
    if (!node) {
        log::write_limited(log::Level::error, "node", node.error().message());
        for (const Turn& turn : turns) {
            turn.container->postpone(now); // else it stays due, and the next tick is now
        }
        turns.clear();
        co_return;
    }
    model::NodeView view = *node;
    view.swappiness_key = options_.reclaim.swappiness;
    view.swappiness_max = options_.reclaim.swappiness_max;
    view.actuators = options_.actuators;
    view.actuators.wanted = options_.settings.actuator;
    view.actuators.mover = mover_;
    view.tiers = node_.tiers;
    if (by_node) {
        const Bytes before = fast_tier();
        topology_ = sight.topology;
        topology_at_ = sight.at;
        if (fast_tier() != before) {
            compile_all(); // what was granted of the fastest tier is of another one now
        }
        view.tiers = sight.room;
        view.tiers.fast_growth = share_tiers(sight.room, now);
    }
    node_ = view;
    std::vector<model::Decision> decisions;
    for (Turn& turn : turns) {
        if (turn.container->ended()) {
            continue;
        }
        if (!turn.snapshot) {
            tasks_.spawn(check(turn.container));
        }
        if (turn.subject.needs.idle) {
            if (turn.wants_generations && !walking_) {
                walk_timer_.cancel(); // who walks sleeps while nobody wants it
            }
            turn.container->wants_generations = turn.wants_generations;
        }
        auto more = step(turn, view, now);
        decisions.insert(decisions.end(), more.begin(), more.end());
    }
    turns.clear(); // a container that has ended is not kept until the next tick
    const auto standing_of = [this, now](CgroupId id) {
        return standing(id, now);
    };
    budget_.fill(now);
    const Allowance allowance{.paused = paused_,
                              .cpu_debt = budget_.cpu_debt(),
                              .cpu_share = options_.settings.node.cpu,
                              .room = budget_.room(),
                              .swap_room = budget_.swap_room(),
                              .swap_free = view.swap_free - apps::swap_reserve(view),
                              .fast_room = view.tiers.fast_growth,
                              .slow_room =
                                  view.tiers.slow_free - view.tiers.slow_reserve - moving_[1]};
    dispatch(arbitrate(std::move(decisions), standing_of, allowance), now);
}

Standing Engine::standing(CgroupId id, TimePoint now) const {
    const Pointer container = registry_.by_id(id);
    if (container == nullptr) {
        return {.is_busy = true};
    }
    const auto waited = now - container->waiting.value_or(now);
    return {.is_busy = container->writing != nullptr,
            .is_dry_run = container->policy.dry_run,
            .has_lower_tier = has_lower_tier(*container, now),
            .waited = std::chrono::duration_cast<Microseconds>(waited)};
}

void Engine::find_turns(TimePoint now) {
    turns_.clear();
    for (const auto& [id, container] : registry_.live()) {
        const auto due = container->due();
        if (!due || *due > now) {
            continue;
        }
        monitor::Subject subject;
        subject.group = container->group.get();
        subject.path = container->record.cgroup_path;
        subject.needs = container->needs(now);
        subject.before = container->snapshot ? &*container->snapshot : nullptr;
        subject.lived = std::chrono::duration_cast<Microseconds>(now - container->seen);
        subject.frozen = container->frozen;
        subject.has_nested = container->has_nested;
        turns_.push_back(
            {container, container->group, subject, model::Snapshot{}, container->generations, false,
             container->policy.reclaim.idle,
             subject.needs.homing || subject.needs.idle ? wish_of(*container) : monitor::Wish{}});
    }
}

std::vector<model::Decision> Engine::step(Turn& turn, const model::NodeView& node, TimePoint now) {
    Container& container = *turn.container;
    std::vector<model::Decision> decisions;
    for (const model::App& app : apps::table()) {
        auto& tenant = container.tenants[static_cast<std::size_t>(app.name)];
        if (!tenant || tenant->due > now) {
            continue;
        }
        tenant->due = next_due(now, app.needs(container.policy).period);
        if (!turn.snapshot) {
            continue;
        }
        turn.snapshot->has_lower_tier = has_lower_tier(container, now);
        model::Step step =
            app.step(tenant->state, container.policy, *turn.snapshot, tenant->inbox, node);
        tenant->state = std::move(step.state);
        tenant->inbox.clear();
        decisions.insert(decisions.end(), step.decisions.begin(), step.decisions.end());
        if (const auto* stat = std::get_if<model::StatState>(&tenant->state)) {
            container.stat = *stat;
            note_history(container, *turn.snapshot);
        }
    }
    if (turn.snapshot) {
        container.keep(std::move(*turn.snapshot), turn.subject.needs);
    }
    return decisions;
}

void Engine::note_history(Container& container, const model::Snapshot& now) const {
    if (auto point = apps::history_point(*container.stat, now)) {
        point->wall_ms = wall_clock_ms();
        container.history.note(*point,
                               History::share(registry_.live().size() + Registry::kMostEnded));
    }
}

void Engine::dispatch(std::vector<model::Decision> decisions, TimePoint now) {
    // Threads are few: who has waited longest gets one first.
    std::stable_sort(decisions.begin(), decisions.end(), [&](const auto& a, const auto& b) {
        return standing(a.id, now).waited > standing(b.id, now).waited;
    });
    for (const model::Decision& decision : decisions) {
        const Pointer container = registry_.by_id(decision.id);
        if (container == nullptr) {
            continue;
        }
        const bool acts = decision.ask.count > 0 && !stopping_;
        const std::uint64_t sequence = container->journal.add(decision, acts, wall_clock_ms());
        const Order order{decision, sequence, now, container->waiting.value_or(now)};
        if (decision.app == model::AppName::reclaim) {
            container->note(decision, now);
            if (container->writer == decision.app && apps::ends_request(decision.reason.code())) {
                end_write(container);
            }
        }
        if (acts) {
            if (!container->policy.dry_run && !decision.move) {
                budget_.spend(decision.ask, decision.pages);
            }
            if (decision.move) {
                Bytes& under_way = moving_.at(static_cast<std::size_t>(*decision.move));
                under_way = under_way + decision.ask;
            }
            container->writing = std::make_shared<act::Interrupt>();
            container->writer = decision.app;
            tasks_.spawn(carry_out(container, order));
        }
    }
}

/// Of a container that has ended since this was decided.
model::Outcome Engine::no_outcome(const Order& order) {
    model::Outcome outcome;
    outcome.app = order.decision.app;
    outcome.id = order.decision.id;
    outcome.at = std::chrono::steady_clock::now();
    outcome.asked = order.decision.ask;
    outcome.move = order.decision.move;
    outcome.actuator = order.decision.actuator;
    outcome.end = model::OutcomeEnd::gone;
    return outcome;
}

asio::awaitable<void> Engine::carry_out(Pointer container, Order order) {
    const model::Decision& decision = order.decision;
    const bool dry_run = container->policy.dry_run;
    model::Outcome outcome = no_outcome(order);
    if (dry_run) {
        outcome.end = model::OutcomeEnd::dry_run;
    }
    bool begun = true;
    // A container that ended since this was decided has no group any more.
    if (!dry_run && container->group != nullptr) {
        outcome = co_await perform(container, order, begun);
    }
    container->writing.reset();
    if (decision.move) {
        Bytes& under_way = moving_.at(static_cast<std::size_t>(*decision.move));
        under_way = under_way - decision.ask;
    } else if (!begun) {
        container->waiting = order.waiting;
    }
    if (!dry_run && !decision.move) {
        budget_.settle(outcome, decision.pages);
    }
    container->journal.settle(order.sequence, outcome);
    if (auto& tenant = container->tenants[static_cast<std::size_t>(decision.app)]) {
        tenant->inbox.push_back(outcome);
    }
    if (outcome.end == model::OutcomeEnd::failed) {
        log::write_limited(
            log::Level::warning,
            container->policy.name + ' ' + std::string(model::to_string(decision.app)),
            Error{std::error_code(outcome.error, std::generic_category()),
                  model::to_string(outcome.actuator),
                  "of " + container->policy.name + " (id " + to_string(container->id) + ")"}
                .message());
    }
}

asio::awaitable<void> Engine::watch_loop() {
    while (!co_await cancelled()) {
        boost::system::error_code error;
        co_await watch_.async_wait(asio::posix::stream_descriptor::wait_read,
                                   asio::redirect_error(asio::use_awaitable, error));
        if (error) {
            continue;
        }
        const auto changes = options_.watcher.drain();
        if (!changes) {
            log::write_limited(log::Level::error, "watch", changes.error().message());
            continue;
        }
        for (const cgroup::Change& change : *changes) {
            if (change.overflow) {
                for (const Pointer& container : registry_.list(false)) {
                    co_await check(container);
                }
            } else if (const Pointer container = registry_.by_id(change.id)) {
                co_await check(container);
            }
        }
    }
}

asio::awaitable<void> Engine::rescan_loop() {
    constexpr auto kPeriod = std::chrono::seconds(2);
    asio::steady_timer timer(io_);
    while (!co_await cancelled()) {
        if (co_await wait_until(timer, next_beat(std::chrono::steady_clock::now(), kPeriod))) {
            co_await rescan();
        }
    }
}

} // namespace cgtide::core
