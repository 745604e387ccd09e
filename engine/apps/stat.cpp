#include "engine/apps/stat.hpp"

#include "engine/apps/delta.hpp"
#include "engine/apps/idle.hpp"

#include <utility>

namespace cgtide::apps {

namespace {

using model::StatState;

model::Needs needs(const model::Policy&) {
    return {.period = Microseconds(6'000'000),
            .pressure = true,
            .seldom = true,
            .protection = true,
            .idle = true};
}

model::State init(const model::Policy&, TimePoint) {
    return StatState{};
}

Microseconds elapsed(const std::optional<TimePoint>& since, TimePoint now) {
    return since ? std::chrono::duration_cast<Microseconds>(now - *since) : Microseconds(0);
}

void note_refaults(StatState& state, const model::Snapshot& now) {
    if (!now.stat) {
        return;
    }
    const StatState old = state;
    state.refaults = now.stat->workingset_refault_anon + now.stat->workingset_refault_file;
    const Microseconds time = elapsed(old.last_at, now.at);
    if (time.count() > 0) {
        state.refaults_per_second = static_cast<double>(rise(old.refaults, state.refaults)) /
                                    std::chrono::duration<double>(time).count();
    }
    state.last_at = now.at;
}

void note_pressure(StatState& state, const model::Snapshot& now) {
    if (!now.memory_pressure && !now.io_pressure) {
        return;
    }
    const StatState old = state;
    if (now.memory_pressure) {
        state.memory_stall = now.memory_pressure->some.total;
    }
    if (now.io_pressure) {
        state.io_stall = now.io_pressure->some.total;
    }
    const Microseconds time = elapsed(old.pressure_at, now.at);
    if (time.count() > 0) {
        state.memory_pressure = share_of_time(old.memory_stall, state.memory_stall, time);
        state.io_pressure = share_of_time(old.io_stall, state.io_stall, time);
    }
    state.pressure_at = now.at;
}

model::Step step(const model::State& before, const model::Policy&, const model::Snapshot& now,
                 std::span<const model::Outcome>, const model::NodeView&) {
    StatState state = std::get<StatState>(before);
    note_refaults(state, now);
    note_pressure(state, now);
    if (now.idle) {
        state.idle = std::make_shared<const model::IdleSummary>(summarise(*now.idle));
    }
    return {std::move(state), {}};
}

} // namespace

model::App stat_app() {
    return {model::AppName::stat, needs, init, step};
}

std::optional<model::HistoryPoint> history_point(const StatState& stat,
                                                 const model::Snapshot& now) {
    constexpr std::size_t kMedian = 50;
    if (!now.idle || !stat.idle) {
        return std::nullopt;
    }
    const model::IdleSummary& idle = *stat.idle;
    model::HistoryPoint point;
    point.at = now.at;
    point.usage = now.usage;
    point.working_set = idle.working_set;
    for (std::size_t i = 0; i < point.cold.size(); ++i) {
        point.cold.at(i) = model::cold_at(idle, model::kShownAges.at(i));
    }
    point.unseen = now.usage - idle.seen;
    point.median = idle.percentiles.at(kMedian);
    point.memory_pressure = stat.memory_pressure;
    point.refaults_per_second = stat.refaults_per_second;
    return point;
}

} // namespace cgtide::apps
