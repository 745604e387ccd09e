#include "engine/apps/tier.hpp"

#include "engine/apps/numbers.hpp"
#include "engine/apps/tier_shares.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

namespace cgtide::apps {

namespace {

using model::Heat;
using model::Immovable;
using model::InputKey;
using model::Move;
using model::Reason;
using model::ReasonCode;
using model::TierState;

model::Needs needs(const model::Policy& policy) {
    return {.period = policy.profile.period, .idle = true, .placement = true};
}

model::State init(const model::Policy&, TimePoint) {
    return TierState{};
}

/// Both books fade.
void fade(TierState& state, const model::Policy& policy, TimePoint now) {
    const double half = std::chrono::duration<double>(kReturnHalfLife).count();
    const double left = std::exp2(-seconds_since(state.pace, now) / half);
    state.moved_recent *= left;
    state.returned_recent *= left;
    apps::fade(state.pace, policy, now);
}

void book(TierState& state, std::span<const model::Outcome> outcomes) {
    for (const model::Outcome& outcome : outcomes) {
        if (!outcome.move) {
            continue;
        }
        Bytes& total = *outcome.move == Move::promote ? state.promoted : state.demoted;
        total = total + outcome.taken;
        state.returned = state.returned + outcome.returned;
        state.moved_recent += number(outcome.taken);
        state.returned_recent += number(outcome.returned);
        state.rests.at(static_cast<std::size_t>(*outcome.move)) = apps::book(state.pace, outcome);
    }
}

/// What was asked to come up and stayed though there was room (shared, locked, or placed by its own
/// process) is left alone for a while, longer each time.
void book_immovable(TierState& state, std::span<const model::Outcome> outcomes,
                    const model::Placement& place) {
    Immovable& known = state.immovable;
    for (const model::Outcome& outcome : outcomes) {
        // By DAMON's worker less is tried than there is.
        if (outcome.move != Move::promote || outcome.actuator != model::Actuator::move_pages) {
            continue;
        }
        const bool is_barren = outcome.end == model::OutcomeEnd::partial && // all was tried
                               outcome.taken.count * kBarren < outcome.asked.count;
        if (is_barren && place.room >= kSmallestMove) {
            known.bytes = state.promotable - outcome.taken;
            known.wait = std::clamp(2 * known.wait, kFirstImmovable, kLastImmovable);
            known.until = outcome.at + known.wait;
        } else if (outcome.end == model::OutcomeEnd::done && outcome.at >= known.until) {
            known = {}; // a try that came up
        }
    }
    if (place.is_known) {
        known.bytes = std::min(known.bytes, place.promotable);
    }
}

/// Holds where too much of what was moved came back, longer each time; a calm half-life makes the
/// next hold shorter.
void brake(TierState& state, TimePoint now) {
    const bool came_back = state.returned_recent >= number(kSmallestMove) &&
                           state.returned_recent > kReturnLimit * state.moved_recent;
    if (came_back && (!state.hold_until || *state.hold_until <= now)) {
        state.hold = std::clamp(2 * state.hold, kFirstMoveHold, kLastMoveHold);
        state.hold_until = now + state.hold;
        state.pace.step = 0.0;
        state.moved_held = state.moved_recent;
        state.returned_held = state.returned_recent;
        state.moved_recent = 0.0; // each return counts for one hold
        state.returned_recent = 0.0;
    } else if (state.hold_until && now - *state.hold_until > kReturnHalfLife) {
        state.hold = state.hold / 2;
        *state.hold_until += kReturnHalfLife;
        if (state.hold < kFirstMoveHold) {
            state.hold = Microseconds(0);
            state.hold_until.reset();
        }
    }
}

/// A step in the making.
struct Law {
    const model::Policy& policy;
    const model::Snapshot& now;
    const model::NodeView& node;
    const model::Placement& place;
    const TierState& state;

    Bytes fast() const { return place.fast.sum(); }

    /// Whether DAMON's worker moves: the default is by address, for the engine knows ages better.
    bool by_damon() const {
        return node.actuators.damos_moves && node.actuators.mover == model::Actuator::damos;
    }

    /// Whether memory.reclaim would demote, and do nothing else. While there is swap the same write
    /// takes to it what the lower tier has of the container, and it reaches containers that are
    /// inside.
    bool kernel_may_demote() const {
        return node.actuators.mover == model::Actuator::memory_reclaim &&
               node.actuators.reclaim_moves && node.tiers.kernel_demotes &&
               node.swap_total.count == 0 && !now.has_nested && now.stat &&
               !(state.by_address_until && *state.by_address_until > now.at);
    }

    /// Anonymous memory of the fastest tier that has been idle for so long, and that the kernel can
    /// move: what is locked is on none of its lists.
    Bytes idle_anon(Microseconds least) const {
        const model::HeatBytes& anon = place.fast_anon;
        Bytes idle = anon[Heat::cold];
        idle = idle + (least <= model::kWarmWithin ? anon[Heat::cool] : Bytes{});
        idle = idle + (least <= model::kHotWithin ? anon[Heat::warm] : Bytes{});
        return idle - now.stat.value_or(cgroup::MemoryStat{}).unevictable;
    }

    /// By what `ask` bytes go down. The kernel chooses by its own lists: it is asked only where
    /// enough is so idle as what should go, for beyond that it would take what is in use.
    model::Actuator down_by(Bytes ask) const {
        if (by_damon()) {
            return model::Actuator::damos;
        }
        const Microseconds idle = depth(ask);
        return kernel_may_demote() && idle > Microseconds(0) && idle_anon(idle) >= ask
                   ? model::Actuator::memory_reclaim
                   : model::Actuator::move_pages;
    }

    /// What of the fastest tier is not hot and can be moved: by address what was seen.
    Bytes demotable() const {
        return by_damon() ? fast() - place.fast[Heat::hot] : place.demotable;
    }

    Bytes over() const { return fast() - place.target; }

    /// Hot memory that would still fit into the share once all that is colder has left.
    Bytes wanted() const {
        return std::min(place.promotable - immovable(state, now.at),
                        place.target - place.fast[Heat::hot]);
    }

    /// ... and that fits at once.
    Bytes room() const { return std::min(place.target - fast(), place.room); }

    /// Hot memory that the share has no room for.
    Bytes hot_over() const { return place.fast[Heat::hot] - place.target; }

    /// What should leave the fastest tier: what is cold, what is over the share, and what is colder
    /// than memory that waits for its place, and can come.
    Bytes unwanted() const {
        const Bytes makes_room = rests(Move::promote) ? Bytes{} : wanted() - room();
        const Bytes ask = std::max({place.fast[Heat::cold], over(), makes_room});
        // Its own hot memory leaves only where the share is smaller than that.
        return std::min(ask, demotable() + hot_over());
    }

    /// The idle time from which on memory must go so that `ask` bytes leave, coldest first.
    Microseconds depth(Bytes ask) const {
        const Bytes cold = std::min(place.fast[Heat::cold], demotable());
        const Bytes warm = std::min(place.fast[Heat::warm], demotable() - cold);
        if (ask <= cold) {
            return policy.reclaim.idle;
        }
        if (ask <= demotable() - warm) {
            return std::min(model::kWarmWithin, policy.reclaim.idle);
        }
        return ask <= demotable() || hot_over().count == 0
                   ? std::min(model::kHotWithin, policy.reclaim.idle)
                   : Microseconds::min();
    }

    Reason reason(ReasonCode code, Bytes ask) const {
        return Reason(code, {{InputKey::usage, number(now.usage)},
                             {InputKey::ask, number(ask)},
                             {InputKey::fast, number(fast())},
                             {InputKey::share, number(place.target)},
                             {InputKey::hot_slow, number(place.promotable)},
                             {InputKey::cold_fast, number(place.fast[Heat::cold])}});
    }

    Reason full(Bytes left) const {
        return Reason(ReasonCode::tier_full, {{InputKey::usage, number(now.usage)},
                                              {InputKey::fast, number(fast())},
                                              {InputKey::share, number(place.target)},
                                              {InputKey::hot_slow, number(place.promotable)},
                                              {InputKey::cold_fast, number(place.fast[Heat::cold])},
                                              {InputKey::room, number(left)}});
    }

    model::Decision keep(const Reason& why) const {
        model::Decision decision;
        decision.app = model::AppName::tier;
        decision.id = now.id;
        decision.actuator = by_damon() ? model::Actuator::damos : model::Actuator::move_pages;
        decision.reason = why;
        return decision;
    }

    model::Decision move(Move way, Bytes bytes) const {
        const Bytes paced = bounded(state.pace, policy, bytes);
        const Bytes ask = by_damon() ? std::min(paced, model::kMostOfDamosMove) : paced;
        const bool up = way == Move::promote;
        model::Decision decision =
            keep(reason(up ? ReasonCode::promoting : ReasonCode::demoting, ask));
        decision.ask = ask;
        decision.move = way;
        decision.proven = up ? Microseconds(0) : depth(ask);
        if (!up) {
            decision.actuator = down_by(ask);
        }
        return decision;
    }

    std::optional<Reason> held() const {
        if (now.frozen) {
            return reason(ReasonCode::frozen, {});
        }
        if (state.hold_until && *state.hold_until > now.at) {
            const auto left = std::chrono::duration<double, std::micro>(*state.hold_until - now.at);
            return Reason(ReasonCode::returned, {{InputKey::usage, number(now.usage)},
                                                 {InputKey::returned_bytes, state.returned_held},
                                                 {InputKey::moved_bytes, state.moved_held},
                                                 {InputKey::limit, kReturnLimit * state.moved_held},
                                                 {InputKey::hold, left.count()}});
        }
        if (state.pace.cpu_debt > 0.0) {
            return Reason(ReasonCode::cpu, {{InputKey::usage, number(now.usage)},
                                            {InputKey::cpu_used, state.pace.cpu_debt},
                                            {InputKey::cpu_share, policy.profile.cpu.count}});
        }
        return std::nullopt;
    }

    bool rests(Move way) const {
        const auto& until = state.rests.at(static_cast<std::size_t>(way));
        return until && *until > now.at;
    }

    model::Decision decide() const {
        if (const auto why = held()) {
            return keep(*why);
        }
        const Bytes up = std::min(wanted(), room());
        // A little room is worth a move only where it is all that is wanted, or nothing can leave.
        const bool can_rise = up >= kSmallestMove && !rests(Move::promote);
        if (can_rise && (up == wanted() || up >= bounded(state.pace, policy, wanted()))) {
            return move(Move::promote, up);
        }
        const Bytes slow_room = node.tiers.slow_free - node.tiers.slow_reserve;
        const Bytes down = std::min(unwanted(), slow_room);
        if (down >= kSmallestMove && !rests(Move::demote)) {
            return move(Move::demote, down);
        }
        if (can_rise) {
            return move(Move::promote, up);
        }
        const bool stays_below = rests(Move::promote) && immovable(state, now.at) >= kSmallestMove;
        if (up >= kSmallestMove || down >= kSmallestMove || stays_below) {
            return keep(reason(ReasonCode::unmovable, {}));
        }
        if (unwanted() >= kSmallestMove || wanted() >= kSmallestMove) {
            return keep(full(unwanted() >= kSmallestMove ? slow_room : room()));
        }
        return keep(reason(ReasonCode::placed, {}));
    }
};

/// Books what came of a demotion by the kernel; where it took next to nothing it is not asked for a
/// while.
void book_kernel(TierState& state, std::span<const model::Outcome> outcomes, TimePoint now) {
    using model::OutcomeEnd;
    for (const model::Outcome& outcome : outcomes) {
        if (!state.kernel || outcome.move != Move::demote) {
            continue;
        }
        const bool is_barren = outcome.taken.count * kBarren < outcome.asked.count;
        const bool has_tried = outcome.actuator == model::Actuator::memory_reclaim &&
                               outcome.end != OutcomeEnd::dry_run &&
                               outcome.end != OutcomeEnd::gone &&
                               !(outcome.end == OutcomeEnd::interrupted && is_barren);
        if (!has_tried) {
            state.kernel.reset();
        } else if (is_barren) {
            state.kernel.reset();
            state.by_address_until = now + kKernelRest;
        } else {
            state.kernel->taken = outcome.taken;
            state.kernel->done = outcome.at;
        }
    }
}

/// Where the kernel took what is in use, which so much more of slower memory is since, it is not
/// asked for a while.
void judge_kernel(TierState& state, const model::Placement& place, TimePoint now) {
    if (!state.kernel || !state.kernel->taken || now < state.kernel->done) {
        return;
    }
    if (place.promotable > state.kernel->used_below + Bytes{state.kernel->taken->count / 2}) {
        state.by_address_until = now + kKernelRest;
    }
    state.kernel.reset();
}

model::Step step(const model::State& before, const model::Policy& policy,
                 const model::Snapshot& now, std::span<const model::Outcome> outcomes,
                 const model::NodeView& node) {
    TierState state = std::get<TierState>(before);
    book(state, outcomes);
    book_kernel(state, outcomes, now.at);
    fade(state, policy, now.at);
    brake(state, now.at);
    const model::Placement place = now.placement.value_or(model::Placement{});
    book_immovable(state, outcomes, place);
    state.in_use.see(in_use(place.fast), now.at, std::max(kKeepRoom, 2 * policy.profile.period));
    const Law law{policy, now, node, place, state};
    if (!node.tiers.is_tiered || !place.is_known) {
        state.kernel.reset();
    }
    if (!node.tiers.is_tiered) {
        return {state,
                {law.keep(Reason(ReasonCode::no_tiers, {{InputKey::usage, number(now.usage)}}))}};
    }
    if (!place.is_known) {
        return {state,
                {law.keep(Reason(ReasonCode::unplaced, {{InputKey::usage, number(now.usage)}}))}};
    }
    judge_kernel(state, place, now.at);
    const model::Decision decision = law.decide();
    if (decision.move == Move::promote) {
        state.promotable = place.promotable;
    }
    // One that is under way is judged by what was there before it.
    const bool is_new =
        !state.kernel || now.at - state.kernel->at > kMostUnderWay * policy.profile.period;
    if (decision.actuator == model::Actuator::memory_reclaim && is_new) {
        state.kernel = {now.at, place.promotable, std::nullopt, {}};
    }
    return {state, {decision}};
}

} // namespace

model::App tier_app() {
    return {model::AppName::tier, needs, init, step};
}

Bytes immovable(const model::TierState& state, TimePoint now) {
    return state.immovable.bytes - (now < state.immovable.until ? Bytes{} : kImmovableTry);
}

FastBounds fast_bounds(const model::TierPolicy& policy, Bytes capacity) {
    const Bytes high = model::bytes_of(policy.high, capacity);
    return {std::min(model::bytes_of(policy.low, capacity), high), high};
}

} // namespace cgtide::apps
