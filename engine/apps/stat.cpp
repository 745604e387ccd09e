#include "engine/apps/stat.hpp"

#include "engine/apps/delta.hpp"
#include "engine/apps/idle.hpp"

namespace cgtide::apps {

namespace {

using model::StatState;

model::Needs needs(const model::Policy&) {
    return {.period = Microseconds(6'000'000), .pressure = true, .idle = true};
}

model::State init(const model::Policy&, TimePoint) {
    return StatState{};
}

model::Step step(const model::State& before, const model::Policy&, const model::Snapshot& now,
                 std::span<const model::Outcome>, const model::NodeView&) {
    const StatState& old = std::get<StatState>(before);
    StatState state = old;
    const auto elapsed = old.last_at
                             ? std::chrono::duration_cast<Microseconds>(now.at - *old.last_at)
                             : Microseconds(0);
    if (now.stat) {
        state.refaults = now.stat->workingset_refault_anon + now.stat->workingset_refault_file;
    }
    if (now.memory_pressure) {
        state.memory_stall = now.memory_pressure->some.total;
    }
    if (now.io_pressure) {
        state.io_stall = now.io_pressure->some.total;
    }
    if (elapsed.count() > 0) {
        state.refaults_per_second = static_cast<double>(rise(old.refaults, state.refaults)) /
                                    std::chrono::duration<double>(elapsed).count();
        state.memory_pressure = share_of_time(old.memory_stall, state.memory_stall, elapsed);
        state.io_pressure = share_of_time(old.io_stall, state.io_stall, elapsed);
    }
    if (now.idle) {
        state.idle = std::make_shared<const model::IdleSummary>(summarise(*now.idle));
    }
    state.last_at = now.at;
    return {state, {}};
}

} // namespace

model::App stat_app() {
    return {model::AppName::stat, needs, init, step};
}

} // namespace cgtide::apps
