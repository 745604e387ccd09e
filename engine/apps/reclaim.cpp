#include "engine/apps/reclaim.hpp"

#include "engine/apps/age_proof.hpp"
#include "engine/apps/cold_choice.hpp"
#include "engine/apps/numbers.hpp"
#include "engine/apps/reclaim_kinds.hpp"
#include "engine/apps/reclaim_signals.hpp"

#include <algorithm>
#include <cmath>

namespace cgtide::apps {

namespace {

using model::Input;
using model::InputKey;
using model::Pages;
using model::Reason;
using model::ReasonCode;
using model::ReclaimState;

/// Basis points of the whole.
constexpr double kAll = 10'000.0;

TimePoint counted_at(const model::IdleView& view) {
    return view.counted == TimePoint{} ? view.at : view.counted;
}

/// A step in the making: the state is changed in place, the reason ends it.
struct Law {
    const model::Policy& policy;
    const model::Snapshot& now;
    const model::NodeView& node;
    ReclaimState& state;
    Signals signals;

    Input usage() const { return {InputKey::usage, number(now.usage)}; }
    BasisPoints target() const { return policy.reclaim.pressure; }

    double usable() const { return number(now.usage - reclaim_floor(policy, now)); }

    std::optional<Reason> blocked() const;
    std::optional<Reason> held() const;
    model::Decision decide();
    double calm() const;
    Reason shared_files(const AgeProof& proof) const;
    model::Decision ask_cold(const Cold& cold);
    model::Decision ask_unmapped(const AgeProof& proof, KindChoice kinds);
    model::Decision ask_unproven(const AgeProof& proof, const KindChoice& kinds);

    model::Decision keep(Reason reason) const {
        model::Decision decision;
        decision.app = model::AppName::reclaim;
        decision.id = now.id;
        decision.reason = std::move(reason);
        return decision;
    }
};

/// Conditions of the container that forbid reclaim whatever the law says.
std::optional<Reason> Law::blocked() const {
    if (now.has_nested) {
        return Reason(ReasonCode::nested, {usage()});
    }
    if (now.frozen) {
        return Reason(ReasonCode::frozen, {usage()});
    }
    if (state.oom_until && now.at < *state.oom_until) {
        const auto left = std::chrono::duration_cast<Microseconds>(*state.oom_until - now.at);
        return Reason(ReasonCode::after_oom, {usage(), {InputKey::hold, number(left)}});
    }
    const Microseconds watched =
        now.idle ? std::clamp(now.idle->watched, now.lived - kFirstLook, now.lived) : now.lived;
    if (watched < policy.reclaim.idle) {
        return Reason(ReasonCode::young, {usage(),
                                          {InputKey::age, number(watched)},
                                          {InputKey::idle, number(policy.reclaim.idle)}});
    }
    // Over a long time pressure that was felt just now is told as little.
    if (signals.elapsed.count() == 0 || signals.stood_still) {
        return Reason(ReasonCode::warming, {usage()});
    }
    return std::nullopt;
}

/// Signals of harm: refaults, pressure, CPU.
std::optional<Reason> Law::held() const {
    if (state.hold_until && now.at < *state.hold_until) {
        const auto left = std::chrono::duration_cast<Microseconds>(*state.hold_until - now.at);
        return Reason(ReasonCode::refaults, {usage(),
                                             {InputKey::refault_bytes, state.refault_held},
                                             {InputKey::taken_bytes, state.taken_held},
                                             {InputKey::limit, kRefaultLimit * state.taken_held},
                                             {InputKey::hold, number(left)}});
    }
    const Input target_input{InputKey::target, target().count};
    if (signals.memory >= target()) {
        return Reason(ReasonCode::pressure,
                      {usage(), {InputKey::memory_pressure, signals.memory.count}, target_input});
    }
    if (signals.io >= target()) {
        return Reason(ReasonCode::io_pressure,
                      {usage(), {InputKey::io_pressure, signals.io.count}, target_input});
    }
    if (state.cpu_debt > 0.0) {
        return Reason(ReasonCode::cpu, {usage(),
                                        {InputKey::cpu_used, state.cpu_debt},
                                        {InputKey::cpu_share, policy.profile.cpu.count}});
    }
    return std::nullopt;
}

model::Decision Law::decide() {
    if (auto reason = blocked()) {
        state.carry = std::min(state.carry, 0.0);
        return keep(std::move(*reason));
    }
    if (auto reason = held()) {
        // Anti-windup: what could not be asked for now is not owed later.
        state.carry = std::min(state.carry, 0.0);
        return keep(std::move(*reason));
    }
    const Bytes floor = reclaim_floor(policy, now);
    if (now.usage - floor < kSmallestAsk) { // a floor of `max` and a little is not less
        state.carry = std::min(state.carry, 0.0);
        return keep(
            Reason(ReasonCode::protected_floor, {usage(), {InputKey::floor, number(floor)}}));
    }
    const KindChoice kinds = choose_kinds(policy, now, node);
    if (kinds.refused) {
        if (*kinds.refused == ReasonCode::pages_unsupported) {
            return keep(Reason(*kinds.refused, {usage()}));
        }
        return keep(Reason(*kinds.refused, {usage(),
                                            {InputKey::swap_free, number(kinds.swap_free)},
                                            {InputKey::limit, number(kSmallestAsk)},
                                            {InputKey::anon, number(now.stat->anon)}}));
    }
    if (kinds.anon + kinds.file < kSmallestAsk) {
        return keep(Reason(ReasonCode::exhausted, {usage()}));
    }
    const AgeProof proof = prove_age(now, policy.reclaim.idle);
    if (now.has_lower_tier) {
        return ask_unmapped(proof, kinds);
    }
    const Cold proven = choose_cold({now, node, state}, proof, kinds);
    return proven.bytes >= number(kSmallestAsk) ? ask_cold(proven) : ask_unproven(proof, kinds);
}

Reason Law::shared_files(const AgeProof& proof) const {
    return Reason(ReasonCode::shared_files, {usage(),
                                             {InputKey::foreign, number(proof.foreign_mapped)},
                                             {InputKey::limit, number(kSmallestAsk)}});
}

/// How much of a request pressure leaves: 1 with none, 0 at the target.
double Law::calm() const {
    return std::max(0.0, 1.0 - std::max(signals.memory.count, signals.io.count) / target().count);
}

/// Proven idle: at once, but in steps that double while nothing comes back. Once too much has, a
/// step follows only where the one before has stayed out for longer.
model::Decision Law::ask_cold(const Cold& cold) {
    state.carry = std::min(state.carry, 0.0);
    if (now.at < state.trial_until) { // the kernel's lists would give what is to wait: unasked too
        const auto left = std::chrono::duration_cast<Microseconds>(state.trial_until - now.at);
        return keep(Reason(ReasonCode::trial, {usage(),
                                               {InputKey::cold, cold.bytes},
                                               {InputKey::idle, number(policy.reclaim.idle)},
                                               {InputKey::age, number(state.trial)},
                                               {InputKey::hold, number(left)}}));
    }
    double& step = step_of(state, cold.actuator);
    if (step <= 0.0) {
        step = std::max(number(kFirstStep), number(now.usage) * kFirstShare);
    }
    step = std::min(step, std::max(2.0 * number(now.usage), number(kFirstStep)));
    const double wanted = std::min(cold.bytes, step) * calm() * accuracy(state);
    const double ask = std::floor(std::min(std::max(wanted, number(kSmallestAsk)), usable()));
    model::Decision decision =
        keep(Reason(ReasonCode::cold, {usage(),
                                       {InputKey::ask, ask},
                                       {InputKey::cold, cold.bytes},
                                       {InputKey::idle, number(policy.reclaim.idle)},
                                       {InputKey::step, step},
                                       {InputKey::memory_pressure, signals.memory.count},
                                       {InputKey::io_pressure, signals.io.count},
                                       {InputKey::target, target().count},
                                       {InputKey::refault_bytes, state.refault_recent}}));
    decision.ask = Bytes{static_cast<std::uint64_t>(ask)};
    decision.pages = cold.pages;
    decision.actuator = cold.actuator;
    state.asks_lists = cold.is_stuck;
    decision.proven = policy.reclaim.idle;
    return decision;
}

/// While a lower tier takes what is cold: page cache that no process maps alone, which has no
/// address by which it could move, at the pace of unknown age.
model::Decision Law::ask_unmapped(const AgeProof& proof, KindChoice kinds) {
    const Bytes mapped = now.stat->file_mapped + now.stat->shmem;
    kinds.file = std::min(kinds.file, now.stat->file - mapped);
    if (kinds.file < kSmallestAsk || !node.swappiness_key) {
        state.carry = std::min(state.carry, 0.0);
        return keep(Reason(ReasonCode::lower_tier, {usage()}));
    }
    kinds.anon = {};
    kinds.pages = Pages::file;
    return ask_unproven(proof, kinds);
}

/// TMO: usage * ratio * (1 - pressure / target), at most `max` of it; less where little is
/// unproven, refaults come, or the kernel's scans find little.
model::Decision Law::ask_unproven(const AgeProof& proof, const KindChoice& kinds) {
    const bool is_shared = proof.foreign_mapped >= kSmallestAsk;
    const Bytes anon = std::min(proof.unproven_anon, kinds.anon);
    // A tmpfs counts as files where it is seen, and as no page cache where the kernel looks.
    const Bytes unproven_cache =
        proof.known ? proof.unproven_file - now.stat->shmem : proof.unproven_file;
    const Bytes all_file = std::min(unproven_cache, kinds.file);
    const Bytes file = is_shared ? Bytes{} : all_file;
    const Pages pages =
        proof.known || is_shared ? narrow(kinds.pages, anon, file, node) : kinds.pages;
    if (proof.known && anon + all_file < kSmallestAsk) {
        state.carry = std::min(state.carry, 0.0);
        const Bytes cold = std::min(proof.cold_anon, kinds.anon) +
                           (is_shared ? Bytes{} : std::min(proof.cold_file, kinds.file));
        if (now.at < state.stuck_until && cold >= kSmallestAsk) {
            const auto left = std::chrono::duration_cast<Microseconds>(state.stuck_until - now.at);
            return keep(Reason(ReasonCode::stuck, {usage(),
                                                   {InputKey::cold, number(cold)},
                                                   {InputKey::idle, number(policy.reclaim.idle)},
                                                   {InputKey::hold, number(left)}}));
        }
        if (is_shared && std::min(proof.cold_file, kinds.file) >= kSmallestAsk) {
            return keep(shared_files(proof));
        }
        return keep(Reason(ReasonCode::in_use, {usage(),
                                                {InputKey::idle, number(policy.reclaim.idle)},
                                                {InputKey::unproven, number(anon + all_file)}}));
    }
    const bool others_keep_it = anon < kSmallestAsk && all_file >= kSmallestAsk;
    if (is_shared && (pages != Pages::anon || others_keep_it)) {
        state.carry = std::min(state.carry, 0.0);
        return keep(shared_files(proof));
    }
    const Bytes known_room = anon + file;
    const double most_growth = std::max(number(kSmallestAsk), kGrowth * number(now.usage));
    if (signals.growth > most_growth) {
        state.carry = std::min(state.carry, 0.0);
        return keep(
            Reason(ReasonCode::growing,
                   {usage(), {InputKey::growth, signals.growth}, {InputKey::limit, most_growth}}));
    }
    const double unproven = number(proof.known ? known_room : now.usage);
    const double base = std::min(number(now.usage), kUnprovenPace * unproven);
    const double effort = std::min(1.0, signals.efficiency / kEfficiency);
    const double most = base * policy.profile.max.ratio();
    const double ratio =
        policy.profile.ratio +
        urgency(node) * std::max(0.0, policy.profile.max.ratio() - policy.profile.ratio);
    const double share = std::min(base * ratio * calm() * accuracy(state) * effort, most);
    state.carry = std::min(state.carry + share, std::max(most, number(kSmallestAsk)));
    if (state.carry < number(kSmallestAsk)) {
        return keep(Reason(
            ReasonCode::saving,
            {usage(), {InputKey::carried, state.carry}, {InputKey::limit, number(kSmallestAsk)}}));
    }
    const Bytes room = proof.known ? known_room : kinds.anon + kinds.file;
    const double ask = std::floor(std::min({state.carry, usable(), number(room)}));
    state.carry -= ask;
    model::Decision decision =
        keep(Reason(ReasonCode::reclaimed, {usage(),
                                            {InputKey::ask, ask},
                                            {InputKey::unproven, unproven},
                                            {InputKey::memory_pressure, signals.memory.count},
                                            {InputKey::io_pressure, signals.io.count},
                                            {InputKey::target, target().count},
                                            {InputKey::refault_bytes, state.refault_recent},
                                            {InputKey::urgency, urgency(node) * kAll}}));
    decision.ask = Bytes{static_cast<std::uint64_t>(ask)};
    decision.pages = pages;
    return decision;
}

model::Needs needs(const model::Policy& policy) {
    return {.period = policy.profile.period, .pressure = true, .protection = true, .idle = true};
}

model::State init(const model::Policy&, TimePoint) {
    return ReclaimState{};
}

model::Step step(const model::State& before, const model::Policy& policy,
                 const model::Snapshot& now, std::span<const model::Outcome> outcomes,
                 const model::NodeView& node) {
    ReclaimState state = std::get<ReclaimState>(before);
    book(state, outcomes);
    if (!now.stat || !now.memory_pressure || !now.events) {
        const Law blind{policy, now, node, state, {}};
        const model::Decision decision = blind.keep(Reason(ReasonCode::sensor, {blind.usage()}));
        return {state, {decision}};
    }
    Signals signals = measure(state, now, node.page_size);
    signals.stood_still = signals.elapsed > kMostMissed * policy.profile.period;
    if (signals.limit_hit) {
        state.oom_until = now.at + kOomWait;
    }
    state.cpu_debt =
        std::max(0.0, state.cpu_debt - policy.profile.cpu.ratio() * number(signals.elapsed));
    brake(state, signals, node.page_size, now.at);
    widen(state, outcomes);
    relax(state, outcomes, now.at);
    count_left(state, now.idle ? std::optional(counted_at(*now.idle)) : std::nullopt);
    Law law{policy, now, node, state, signals};
    const model::Decision decision = law.decide();
    return {state, {decision}};
}

} // namespace

bool ends_request(ReasonCode code) {
    switch (code) {
    case ReasonCode::pressure:
    case ReasonCode::io_pressure:
    case ReasonCode::refaults:
    case ReasonCode::after_oom:
    case ReasonCode::growing:
    case ReasonCode::protected_floor:
    case ReasonCode::frozen:
    case ReasonCode::nested:
    case ReasonCode::sensor:
        return true;
    default:
        return false;
    }
}

double urgency(const model::NodeView& node) {
    if (node.memory_total.count == 0) {
        return 0.0; // not known
    }
    const double share = number(node.memory_available) / number(node.memory_total);
    return std::clamp((kUrgentFrom - share) / (kUrgentFrom - kUrgentMost), 0.0, 1.0);
}

Bytes reclaim_floor(const model::Policy& policy, const model::Snapshot& snapshot) {
    const Bytes all = snapshot.usage + snapshot.swap_usage.value_or(Bytes{});
    const Bytes keep = model::bytes_of(policy.reclaim.keep, all);
    return std::max({keep, snapshot.protection.min, snapshot.protection.low});
}

model::App reclaim_app() {
    return {model::AppName::reclaim, needs, init, step};
}

} // namespace cgtide::apps
