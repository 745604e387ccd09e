#include "cgroup/membership.hpp"
#include "engine/apps/table.hpp"
#include "engine/core/engine.hpp"
#include "engine/core/log.hpp"
#include "engine/core/offload.hpp"
#include "engine/core/wait.hpp"
#include "engine/monitor/choice.hpp"

#include <algorithm>
#include <chrono>

namespace cgtide::core {

namespace asio = boost::asio;

namespace {

bool wants_idle(const Container& container) {
    const auto& apps = apps::table();
    return std::any_of(apps.begin(), apps.end(), [&](const model::App& app) {
        return container.tenants[static_cast<std::size_t>(app.name)] &&
               app.needs(container.policy).idle;
    });
}

/// What the pool is to watch.
struct Targets {
    std::vector<damon::Target> spaces;
    damon::PhysicalWatch memory;
};

} // namespace

/// On the sensor thread: what the engine's own thread changes comes as arguments.
void Engine::sense_idle(Turn& turn, bool by_regions, bool regions_work) const {
    if (!turn.subject.needs.idle || !turn.snapshot) {
        return;
    }
    const model::Snapshot& told = turn.snapshot->stat || turn.subject.before == nullptr
                                      ? *turn.snapshot
                                      : *turn.subject.before;
    if (!told.stat) {
        return;
    }
    const cgroup::MemoryStat& stat = *told.stat;
    const monitor::Charged charged{stat.anon, stat.file, stat.shmem, stat.file_mapped};
    monitor::IdleViews views;
    if (by_regions) {
        options_.sensor.regions->catch_up(turn.wish); // else what has left would count as there
        views.regions = options_.sensor.regions->view(turn.subject.group->id(), charged);
        views.physical = options_.sensor.physical->view(turn.subject.group->id(), charged);
    }
    if (turn.generations) {
        views.generations = std::make_shared<const model::IdleView>(
            monitor::generation_view(*turn.generations, charged));
    }
    turn.wants_generations =
        monitor::wants_generations(sensor_, regions_work, views, charged, turn.subject.lived);
    turn.snapshot->idle = monitor::choose(views, sensor_);
    if (by_regions) {
        turn.snapshot->idle = options_.sensor.physical->complete(turn.snapshot->idle,
                                                                 turn.subject.group->id(), charged);
    }
}

monitor::Wish Engine::wish_of(const Container& container) const {
    const std::string& path = container.record.cgroup_path;
    monitor::Wish wish{container.id, container.group, path, {}};
    if (container.has_nested) { // rare, and 400 times 400 paths are not compared for nothing
        for (const auto& [other, inner] : registry_.live()) {
            if (other != container.id && cgroup::is_at_or_below(inner->record.cgroup_path, path)) {
                wish.excluded.insert(other);
            }
        }
    }
    return wish;
}

/// The containers whose apps want idle times; those that want them by generations alone, if asked.
std::vector<monitor::Wish> Engine::wishes(bool by_generations) const {
    std::vector<monitor::Wish> wishes;
    for (const auto& [id, container] : registry_.live()) {
        if (container->group == nullptr || !wants_idle(*container) ||
            (by_generations && !container->wants_generations)) {
            continue;
        }
        wishes.push_back(wish_of(*container));
    }
    return wishes;
}

asio::awaitable<bool> Engine::take_damon() {
    RegionSensor& sensor = options_.sensor;
    const auto open = [&] {
        return monitor::RegionPool::open(options_.roots, sensor.pool_options, sensor.handover);
    };
    auto pool = co_await offload(damon_, open);
    const std::string trouble = pool ? std::string() : pool.error().message();
    if (pool) {
        sensor.pool = std::move(*pool);
    }
    if (regions_work_) {
        tell_regions(trouble);
    }
    tell_physical(trouble);
    tell_moves(trouble);
    const bool watches_memory = trouble.empty() &&
                                physical_use() != monitor::PhysicalUse::nothing &&
                                sensor.pool->physical().memory != Bytes{};
    if (trouble.empty() && !regions_work_ && !watches_memory) {
        const auto release = [&] {
            return sensor.pool->release();
        };
        const auto released = co_await offload(damon_, release); // nobody would be watched
        if (!released) {
            log::error("{}", released.error().message());
        }
        co_return false;
    }
    co_return trouble.empty();
}

/// Says what came of taking DAMON over.
void Engine::tell_regions(const std::string& trouble) {
    const RegionSensor& sensor = options_.sensor;
    model::Capability told = monitor::region_capability();
    told.detail = trouble;
    if (trouble.empty() && !sensor.pool->watches_processes()) {
        told.detail = "DAMON has no operations fvaddr";
    }
    told.present = told.detail.empty();
    if (told.present) {
        told.detail = "taken over while cgtided runs; it has " + sensor.pool->offers();
        if (!sensor.no_stream.empty()) {
            told.detail += "; read from its files, for no BPF program tells: " + sensor.no_stream;
        }
    } else {
        log::info("no idle times by regions: {}", told.detail);
    }
    regions_work_ = told.present;
    tell_page_out(told.present ? std::string() : told.detail);
    options_.capabilities.push_back(std::move(told));
}

asio::awaitable<void> Engine::region_loop() {
    constexpr auto kPeriod = std::chrono::seconds(2);
    constexpr auto kPause = std::chrono::milliseconds(100);
    const bool taken = co_await take_damon();
    if (!taken) {
        has_damon_ = false;
        regions_work_ = false;
        co_return;
    }
    monitor::Regions& regions = *options_.sensor.regions;
    asio::steady_timer timer(io_);
    std::vector<int> kdamonds;
    std::vector<damon::TargetKey> unwatched;
    while (has_damon_ && !co_await cancelled()) {
        const auto wanted = wishes(false);
        watching_ = !wanted.empty();
        const monitor::PhysicalUse use = physical_use();
        const auto counted = physical_wishes(wanted);
        Targets targets;
        const auto look = [&, by_regions = regions_work_] {
            targets.memory = options_.sensor.physical->plan(counted, use);
            if (by_regions) {
                targets.spaces = regions.refresh(wanted);
            }
            return options_.sensor.physical->page_cache();
        };
        note_physical(co_await offload(sensors_, look));
        const auto commit = [&, moves = wants_moves()] {
            return options_.sensor.pool->apply(std::move(targets.spaces), targets.memory, moves);
        };
        const auto state = co_await offload(damon_, commit);
        const TimePoint committed = std::chrono::steady_clock::now();
        TimePoint next = next_beat(committed, kPeriod);
        if (!state && state.error().code == Errc::conflict) {
            if (has_damon_) { // else it was given back meanwhile
                log::error("no idle times by regions from now on: {}", state.error().message());
                lose_regions(state.error().message());
            }
            co_return;
        }
        if (state) {
            const bool is_changed = kdamonds != state->kdamonds || unwatched != state->unwatched;
            kdamonds = state->kdamonds;
            unwatched = state->unwatched;
            co_await take_up(*state, is_changed);
            if (const auto due = state->memory_due; due && *due > committed) {
                next = std::min(next, *due);
            }
        } else {
            log::write_limited(log::Level::error, "regions", state.error().message());
        }
        co_await wait_until(timer, std::max(next, std::chrono::steady_clock::now() + kPause));
    }
}

/// `state` outlives the call. `is_changed`: other workers run, or other targets are unwatched.
asio::awaitable<void> Engine::take_up(const monitor::PoolState& state, bool is_changed) {
    monitor::Regions& regions = *options_.sensor.regions;
    const auto adopt = [&] {
        regions.adopt(state);
    };
    if (is_changed) {
        co_await offload(sensors_, adopt);
    }
    if (!regions.has_stream() && watching_) { // else the pool may be going on its thread
        co_await read_regions();
    }
    if (state.memory_due) {
        co_await count_memory();
    }
    note_sample(state);
    for (const std::string& problem : state.problems) {
        log::write_limited(log::Level::warning, "regions", problem);
    }
}

asio::awaitable<void> Engine::read_regions() {
    // Slot by slot: nobody waits for DAMON's thread longer than one of them takes.
    const std::size_t slots = options_.sensor.pool->slots();
    for (std::size_t slot = 0; slot < slots && watching_ && !co_await cancelled(); ++slot) {
        const auto read = [&] {
            return options_.sensor.pool->read(slot);
        };
        const auto rounds = co_await offload(damon_, read);
        if (!rounds) {
            log::write_limited(log::Level::warning, "regions", rounds.error().message());
            continue;
        }
        const auto take = [&] {
            options_.sensor.regions->take(*rounds);
        };
        co_await offload(sensors_, take);
    }
}

asio::awaitable<void> Engine::drain_loop() {
    constexpr auto kPeriod = std::chrono::seconds(1);
    asio::steady_timer timer(io_);
    const auto drain = [this] {
        options_.sensor.regions->drain();
    };
    while (has_damon_ && !co_await cancelled()) {
        if (watching_) {
            co_await offload(sensors_, drain);
        }
        co_await wait_until(timer, next_beat(std::chrono::steady_clock::now(), kPeriod));
    }
}

asio::awaitable<void> Engine::generation_loop() {
    constexpr auto kPeriod = std::chrono::seconds(1);
    constexpr auto kLongestWait = std::chrono::minutes(1);
    monitor::Generations& generations = *options_.generations;
    while (!co_await cancelled()) {
        const auto wanted = wishes(true);
        walking_ = !wanted.empty();
        if (walking_) {
            const auto walk = [&] {
                return generations.walk(wanted);
            };
            if (const auto done = co_await offload(walkers_, walk); !done) {
                log::write_limited(log::Level::warning, "generations", done.error().message());
            }
        }
        for (const auto& [id, container] : registry_.live()) {
            container->generations =
                container->wants_generations ? generations.figures(id) : nullptr;
        }
        // On whole seconds of the clock, as the turns of the walks are.
        const TimePoint now = std::chrono::steady_clock::now();
        const TimePoint next = walking_ ? next_due(now, kPeriod) : now + kLongestWait;
        co_await wait_until(walk_timer_, next);
    }
}

asio::awaitable<void> Engine::release_regions() {
    const auto count = [this] {
        return options_.sensor.regions->counters();
    };
    const damon::DecoderCounters seen = co_await offload(sensors_, count);
    log::info("regions: {} events told, {} lost, {} during commits, {} of nobody, {} incomplete",
              seen.told, seen.lost, seen.in_commit, seen.unknown, seen.incomplete);
    const auto release = [this] {
        return options_.sensor.pool->release();
    };
    const auto released = co_await offload(damon_, release);
    if (!released) {
        log::error("{}", released.error().message());
    }
}

} // namespace cgtide::core
