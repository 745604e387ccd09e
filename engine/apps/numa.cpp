#include "engine/apps/numa.hpp"

#include "engine/apps/move_pace.hpp"
#include "engine/apps/numbers.hpp"

#include <algorithm>
#include <optional>

namespace cgtide::apps {

namespace {

using model::InputKey;
using model::NumaState;
using model::Reason;
using model::ReasonCode;

model::Needs needs(const model::Policy& policy) {
    return {.period = policy.profile.period, .idle = true, .homing = true};
}

model::State init(const model::Policy&, TimePoint) {
    return NumaState{};
}

Reason reason(ReasonCode code, const model::Snapshot& now, const model::Homing& homing, Bytes ask) {
    return Reason(code, {{InputKey::usage, number(now.usage)},
                         {InputKey::ask, number(ask)},
                         {InputKey::home, number(homing.home)},
                         {InputKey::away, number(homing.away)}});
}

/// Why nothing is to be moved; none where something is.
std::optional<Reason> why_not(const NumaState& state, const model::Policy& policy,
                              const model::Snapshot& now, const model::Homing& homing) {
    const auto keep = [&](ReasonCode code) {
        return reason(code, now, homing, {});
    };
    if (now.frozen) {
        return keep(ReasonCode::frozen);
    }
    if (state.pace.cpu_debt > 0.0) {
        return Reason(ReasonCode::cpu, {{InputKey::usage, number(now.usage)},
                                        {InputKey::cpu_used, state.pace.cpu_debt},
                                        {InputKey::cpu_share, policy.profile.cpu.count}});
    }
    if (!now.homing) {
        return keep(ReasonCode::unplaced);
    }
    if (homing.nearer.empty()) {
        return keep(ReasonCode::unbound);
    }
    if (homing.away < kSmallestMove) {
        return keep(ReasonCode::at_home);
    }
    if (homing.room < kSmallestMove) {
        return keep(ReasonCode::home_full);
    }
    return state.rest && *state.rest > now.at ? std::optional(keep(ReasonCode::unmovable))
                                              : std::nullopt;
}

model::Step step(const model::State& before, const model::Policy& policy,
                 const model::Snapshot& now, std::span<const model::Outcome> outcomes,
                 const model::NodeView&) {
    NumaState state = std::get<NumaState>(before);
    for (const model::Outcome& outcome : outcomes) {
        if (outcome.move) {
            state.moved = state.moved + outcome.taken;
            state.rest = book(state.pace, outcome);
        }
    }
    fade(state.pace, policy, now.at);
    const model::Homing homing = now.homing.value_or(model::Homing{});
    model::Decision decision;
    decision.app = model::AppName::numa;
    decision.id = now.id;
    decision.actuator = model::Actuator::move_pages;
    if (const auto why = why_not(state, policy, now, homing)) {
        decision.reason = *why;
        return {state, {decision}};
    }
    decision.ask = bounded(state.pace, policy, std::min(homing.away, homing.room));
    decision.move = model::Move::home;
    decision.proven = Microseconds::min(); // used or not
    decision.reason = reason(ReasonCode::homing, now, homing, decision.ask);
    return {state, {decision}};
}

} // namespace

model::App numa_app() {
    return {model::AppName::numa, needs, init, step};
}

} // namespace cgtide::apps
