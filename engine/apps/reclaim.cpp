#include "engine/apps/reclaim.hpp"

#include "engine/apps/delta.hpp"

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

double number(Bytes bytes) {
    return static_cast<double>(bytes.count);
}

double number(Microseconds duration) {
    return static_cast<double>(duration.count());
}

/// What one period measured, from the deltas between two samples.
struct Signals {
    Microseconds elapsed{0};
    BasisPoints memory;
    BasisPoints io;
    double refaulted = 0.0; ///< bytes
    bool limit_hit = false; ///< an OOM kill or a `max` event
};

/// Takes the sample's counters into `state` and returns what changed since the one before.
Signals measure(ReclaimState& state, const model::Snapshot& now, const model::NodeView& node) {
    const ReclaimState old = state;
    const std::uint64_t refaults =
        now.stat->workingset_refault_anon + now.stat->workingset_refault_file;
    state.last_at = now.at;
    state.memory_stall = now.memory_pressure->some.total;
    state.io_stall = now.io_pressure ? now.io_pressure->some.total : Microseconds(0);
    state.refault_pages = refaults;
    state.oom_kills = now.events->oom_kill;
    state.max_events = now.events->max;
    if (!old.last_at) {
        return {};
    }
    Signals signals;
    signals.elapsed = std::chrono::duration_cast<Microseconds>(now.at - *old.last_at);
    signals.memory = share_of_time(old.memory_stall, state.memory_stall, signals.elapsed);
    signals.io = share_of_time(old.io_stall, state.io_stall, signals.elapsed);
    signals.refaulted =
        static_cast<double>(rise(old.refault_pages, refaults)) * number(node.page_size);
    signals.limit_hit =
        rise(old.oom_kills, state.oom_kills) + rise(old.max_events, state.max_events) > 0;
    return signals;
}

/// Books what the actuator reports: bytes beyond the request are owed back, and CPU counts against
/// the container's share.
void book(ReclaimState& state, std::span<const model::Outcome> outcomes) {
    for (const model::Outcome& outcome : outcomes) {
        state.carry -= std::max(0.0, number(outcome.taken) - number(outcome.asked));
        state.taken_recent += number(outcome.taken);
        state.cpu_debt += number(outcome.cpu);
    }
}

/// The refault brake: holds when too much of what was taken lately came back, longer each time; a
/// hold that was followed by clean periods is forgotten by halves.
void brake(ReclaimState& state, const Signals& signals, double page, TimePoint at) {
    const double keep = std::exp2(-number(signals.elapsed) / number(kRefaultHalfLife));
    // What has decayed to less than a page is nothing.
    state.refault_recent =
        std::floor(state.refault_recent * keep / page) * page + signals.refaulted;
    const bool came_back = state.taken_recent >= number(kSmallestAsk) / 2.0 &&
                           state.refault_recent > kRefaultLimit * state.taken_recent;
    state.taken_recent *= keep;
    const bool holding = state.hold_until && at < *state.hold_until;
    if (came_back && !holding) {
        state.hold = state.hold.count() == 0 ? kFirstHold : std::min(state.hold * 2, kLastHold);
        state.hold_until = at + state.hold;
        state.carry = std::min(state.carry, 0.0);
    }
}

/// Which pages may be asked for, and how many bytes of them there are.
struct Choice {
    Pages pages = Pages::all;
    Bytes available;
    std::optional<ReasonCode> refused;
    Bytes swap_free;
};

Choice choose_pages(const model::Policy& policy, const model::Snapshot& now,
                    const model::NodeView& node) {
    const cgroup::MemoryStat& stat = *now.stat;
    const Bytes file = stat.inactive_file + stat.active_file;
    const Bytes anon = stat.inactive_anon + stat.active_anon;
    const Bytes limit = now.swap_limit.value_or(Bytes{Bytes::kUnlimited});
    Choice choice;
    choice.swap_free = std::min(node.swap_free, limit);
    const bool has_swap = node.swap_total.count > 0 && limit.count > 0;
    const bool headroom = has_swap && limit >= kSmallestAsk &&
                          number(node.swap_free) > kSwapReserve * number(node.swap_total);
    const Pages wanted = policy.reclaim.pages == Pages::automatic
                             ? (has_swap ? Pages::all : Pages::file)
                             : policy.reclaim.pages;
    const bool want_anon = wanted != Pages::file;
    if (wanted == Pages::anon && !node.swappiness_max) {
        choice.refused = ReasonCode::pages_unsupported;
        return choice;
    }
    if (want_anon && headroom) {
        choice.pages = wanted;
        const Bytes swappable = std::min(anon, choice.swap_free);
        choice.available = wanted == Pages::anon ? swappable : swappable + file;
        return choice;
    }
    if (wanted == Pages::anon) {
        choice.refused = ReasonCode::no_swap;
        return choice;
    }
    if (has_swap && !node.swappiness_key) {
        choice.refused = want_anon ? ReasonCode::no_swap : ReasonCode::pages_unsupported;
        return choice;
    }
    choice.pages = Pages::file;
    choice.available = file;
    if (want_anon && file < kSmallestAsk) {
        choice.refused = ReasonCode::no_swap;
    }
    return choice;
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

    std::optional<Reason> blocked() const;
    std::optional<Reason> held() const;
    model::Decision decide();
    model::Decision request(const Choice& choice, Bytes floor);

    model::Decision keep(Reason reason) const {
        return {model::AppName::reclaim, now.id, {}, Pages::all, std::move(reason)};
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
    if (now.lived < policy.reclaim.idle) {
        return Reason(ReasonCode::young, {usage(),
                                          {InputKey::age, number(now.lived)},
                                          {InputKey::idle, number(policy.reclaim.idle)}});
    }
    if (signals.elapsed.count() == 0) {
        return Reason(ReasonCode::warming, {usage()});
    }
    return std::nullopt;
}

/// Signals of harm: refaults, pressure, CPU.
std::optional<Reason> Law::held() const {
    if (state.hold_until && now.at < *state.hold_until) {
        const auto left = std::chrono::duration_cast<Microseconds>(*state.hold_until - now.at);
        return Reason(ReasonCode::refaults, {usage(),
                                             {InputKey::refault_bytes, state.refault_recent},
                                             {InputKey::taken_bytes, state.taken_recent},
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
    if (now.usage < floor + kSmallestAsk) {
        state.carry = std::min(state.carry, 0.0);
        return keep(
            Reason(ReasonCode::protected_floor, {usage(), {InputKey::floor, number(floor)}}));
    }
    const Choice choice = choose_pages(policy, now, node);
    if (choice.refused) {
        return keep(Reason(*choice.refused, {usage(),
                                             {InputKey::swap_free, number(choice.swap_free)},
                                             {InputKey::anon, number(now.stat->anon)}}));
    }
    if (choice.available < kSmallestAsk) {
        return keep(Reason(ReasonCode::exhausted, {usage()}));
    }
    return request(choice, floor);
}

/// TMO: usage * ratio * (1 - pressure / target), at most `max` of usage.
model::Decision Law::request(const Choice& choice, Bytes floor) {
    const double worst = std::max(signals.memory.count, signals.io.count);
    const double calm = std::max(0.0, 1.0 - worst / target().count);
    const double most = number(now.usage) * policy.profile.max.ratio();
    const double share = std::min(number(now.usage) * policy.profile.ratio * calm, most);
    state.carry = std::min(state.carry + share, std::max(most, number(kSmallestAsk)));
    const double room = std::min(number(now.usage - floor), number(choice.available));
    if (state.carry < number(kSmallestAsk)) {
        return keep(Reason(ReasonCode::saving, {usage(), {InputKey::carried, state.carry}}));
    }
    const double ask = std::floor(std::min(state.carry, room));
    state.carry -= ask;
    // A request after a hold that nothing came back from: half of the hold is forgotten.
    if (state.hold_until && now.at - *state.hold_until > kRefaultHalfLife) {
        state.hold = state.hold < kFirstHold ? Microseconds(0) : state.hold / 2;
        state.hold_until = now.at;
    }
    model::Decision decision =
        keep(Reason(ReasonCode::reclaimed, {usage(),
                                            {InputKey::ask, ask},
                                            {InputKey::memory_pressure, signals.memory.count},
                                            {InputKey::io_pressure, signals.io.count},
                                            {InputKey::target, target().count},
                                            {InputKey::refault_bytes, state.refault_recent},
                                            {InputKey::floor, number(floor)}}));
    decision.ask = Bytes{static_cast<std::uint64_t>(ask)};
    decision.pages = choice.pages;
    return decision;
}

model::Needs needs(const model::Policy& policy) {
    return {.period = policy.profile.period, .pressure = true, .protection = true};
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
        const model::Decision decision{
            model::AppName::reclaim,
            now.id,
            {},
            Pages::all,
            Reason(ReasonCode::sensor, {{InputKey::usage, number(now.usage)}})};
        return {state, {decision}};
    }
    const Signals signals = measure(state, now, node);
    if (signals.limit_hit) {
        state.oom_until = now.at + kOomWait;
    }
    state.cpu_debt =
        std::max(0.0, state.cpu_debt - policy.profile.cpu.ratio() * number(signals.elapsed));
    brake(state, signals, number(node.page_size), now.at);
    Law law{policy, now, node, state, signals};
    const model::Decision decision = law.decide();
    return {state, {decision}};
}

} // namespace

Bytes reclaim_floor(const model::Policy& policy, const model::Snapshot& snapshot) {
    Bytes keep;
    if (const auto* bytes = std::get_if<Bytes>(&policy.reclaim.keep)) {
        keep = *bytes;
    } else {
        const Bytes all = snapshot.usage + snapshot.swap_usage.value_or(Bytes{});
        const double share = std::get<BasisPoints>(policy.reclaim.keep).ratio();
        keep = Bytes{static_cast<std::uint64_t>(number(all) * share)};
    }
    return std::max({keep, snapshot.protection.min, snapshot.protection.low});
}

model::App reclaim_app() {
    return {model::AppName::reclaim, needs, init, step};
}

} // namespace cgtide::apps
