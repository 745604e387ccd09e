#include "engine/apps/reclaim_signals.hpp"

#include "engine/apps/delta.hpp"
#include "engine/apps/numbers.hpp"
#include "engine/apps/reclaim.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace cgtide::apps {

namespace {

using model::ReclaimState;

/// Fewer scanned pages tell nothing of how hard reclaim works.
constexpr std::uint64_t kFewPages = 1024;

/// Takes what left into the average of when it did.
void book_time(ReclaimState& state, TimePoint at, double left) {
    if (left > 0.0) {
        state.fresh += left;
        const std::chrono::duration<double> later = at - state.fresh_at;
        state.fresh_at +=
            std::chrono::duration_cast<TimePoint::duration>(later * left / state.fresh);
    }
}

/// How long the next steps stay on trial, by how long what came back at `at` had been out: what has
/// been taken since the last hold began, on average. Where the engine stood still it is not known
/// when it came back.
void note_trial(ReclaimState& state, const Signals& signals, TimePoint at) {
    const double fresh = std::exchange(state.fresh, 0.0);
    if (fresh >= number(kSmallestAsk) / 2.0 && !signals.stood_still) {
        const auto out = std::chrono::duration_cast<Microseconds>(at - state.fresh_at);
        state.trial = std::clamp(kTrialTimes * out, state.trial, kLastHold);
    }
}

/// What came of a request for what is stuck.
void book_lists(ReclaimState& state, const model::Outcome& outcome, Bytes left) {
    const bool was_tried =
        outcome.end == model::OutcomeEnd::done || outcome.end == model::OutcomeEnd::partial;
    if (!std::exchange(state.asks_lists, false) || !was_tried) {
        return;
    }
    state.stuck = std::max(0.0, state.stuck - number(left));
    if (kBarrenList * left.count < outcome.asked.count) {
        state.listless_until = outcome.at + kListRetry;
    }
}

void book_proven(ReclaimState& state, const model::Outcome& outcome) {
    const bool ended = outcome.end != model::OutcomeEnd::interrupted;
    const Bytes left = left_by(outcome);
    state.departures.push_back({outcome.at - outcome.wall, outcome.at, number(left)});
    book_time(state, outcome.at, number(left));
    if (state.trial.count() > 0 && left >= kSmallestAsk) {
        state.on_trial = number(left);
        state.trial_until = outcome.at + state.trial;
    }
    if (!is_by_address(outcome.actuator) && outcome.actuator != model::Actuator::generations) {
        state.elsewhere = false;
        book_lists(state, outcome, left);
        return;
    }
    if (ended && outcome.stuck >= kSmallestAsk) {
        const double before = outcome.at < state.stuck_until ? state.stuck : 0.0;
        state.stuck = std::max(before, number(outcome.stuck));
        state.stuck_until = outcome.at + kStuckRetry;
    }
    const bool is_elsewhere =
        outcome.found.count == 0 || outcome.found + kSmallestAsk < outcome.asked;
    state.elsewhere = ended && is_elsewhere;
}

} // namespace

Signals measure(ReclaimState& state, const model::Snapshot& now, Bytes page) {
    const ReclaimState old = state;
    const std::uint64_t refaults =
        now.stat->workingset_refault_anon + now.stat->workingset_refault_file;
    state.last_at = now.at;
    state.memory_stall = now.memory_pressure->some.total;
    state.io_stall = now.io_pressure ? now.io_pressure->some.total : Microseconds(0);
    state.refault_pages = refaults;
    state.oom_kills = now.events->oom_kill;
    state.max_events = now.events->max;
    state.anon = now.stat->anon;
    state.scanned_pages = now.stat->pgscan;
    state.stolen_pages = now.stat->pgsteal;
    if (!old.last_at) {
        return {};
    }
    Signals signals;
    signals.elapsed =
        std::max(Microseconds(0), std::chrono::duration_cast<Microseconds>(now.at - *old.last_at));
    signals.memory = share_of_time(old.memory_stall, state.memory_stall, signals.elapsed);
    signals.io = share_of_time(old.io_stall, state.io_stall, signals.elapsed);
    signals.refaulted = static_cast<double>(rise(old.refault_pages, refaults)) * number(page);
    signals.limit_hit =
        rise(old.oom_kills, state.oom_kills) + rise(old.max_events, state.max_events) > 0;
    signals.growth = number(state.anon - old.anon);
    if (const auto scanned = rise(old.scanned_pages, state.scanned_pages); scanned >= kFewPages) {
        signals.efficiency = static_cast<double>(rise(old.stolen_pages, state.stolen_pages)) /
                             static_cast<double>(scanned);
    }
    return signals;
}

void book(ReclaimState& state, std::span<const model::Outcome> outcomes) {
    for (const model::Outcome& outcome : outcomes) {
        state.taken_recent += number(left_by(outcome));
        state.cpu_debt += number(outcome.cpu);
        if (outcome.proven) {
            book_proven(state, outcome);
        } else {
            // The kernel takes a little more; all beyond is what the container freed itself.
            state.carry -= number(std::min(outcome.taken - outcome.asked, outcome.asked));
        }
    }
}

void count_left(ReclaimState& state, std::optional<TimePoint> counted) {
    using Span = std::chrono::duration<double>;
    std::erase_if(state.departures, [&](const model::Departure& departure) {
        return counted && departure.until <= *counted;
    });
    state.left = 0.0;
    for (const model::Departure& departure : state.departures) {
        const Span all = departure.until - departure.since;
        const Span after =
            departure.until - std::max(departure.since, counted.value_or(TimePoint::min()));
        state.left += departure.bytes * (all > Span(0) ? after / all : 1.0);
    }
}

void brake(ReclaimState& state, const Signals& signals, Bytes page, TimePoint at) {
    const double keep = std::exp2(-number(signals.elapsed) / number(kRefaultHalfLife));
    const bool hold_ended =
        state.hold_until && at >= *state.hold_until && at - signals.elapsed < *state.hold_until;
    // What has decayed to less than a page is nothing, and so is what was held for.
    const double before = hold_ended ? 0.0 : state.refault_recent * keep;
    state.refault_recent = std::floor(before / number(page)) * number(page) + signals.refaulted;
    const bool came_back = state.taken_recent >= number(kSmallestAsk) / 2.0 &&
                           state.refault_recent > kRefaultLimit * state.taken_recent;
    // What is on trial stays in its book: else what comes back late would have nothing to be of.
    const double on_trial = at < state.trial_until ? state.on_trial : 0.0;
    const double taken = state.taken_recent;
    state.taken_recent = std::max(taken * keep, std::min(taken, on_trial));
    state.fresh *= keep;
    const bool holding = state.hold_until && at < *state.hold_until;
    if (came_back && !holding) {
        state.taken_held = taken;
        state.refault_held = state.refault_recent;
        state.hold = state.hold.count() == 0 ? kFirstHold : std::min(state.hold * 2, kLastHold);
        state.hold_until = at + state.hold;
        note_trial(state, signals, at);
        state.trial_until = {};
        state.carry = std::min(state.carry, 0.0);
        state.steps = {};
    }
}

double& step_of(ReclaimState& state, model::Actuator actuator) {
    return state.steps.at(static_cast<std::size_t>(actuator));
}

void widen(ReclaimState& state, std::span<const model::Outcome> outcomes) {
    for (const model::Outcome& outcome : outcomes) {
        if (outcome.proven && outcome.asked.count > 0 &&
            2 * left_by(outcome).count >= outcome.asked.count &&
            state.refault_recent <= kRefaultLimit / 2.0 * state.taken_recent) {
            step_of(state, outcome.actuator) *= 2.0;
        }
    }
}

void relax(ReclaimState& state, std::span<const model::Outcome> outcomes, TimePoint at) {
    const bool some_left =
        std::any_of(outcomes.begin(), outcomes.end(),
                    [](const model::Outcome& outcome) { return left_by(outcome).count > 0; });
    const Microseconds proof = std::max(kRefaultHalfLife, state.trial);
    if (some_left && state.hold_until && at - *state.hold_until > proof) {
        state.hold = state.hold < kFirstHold ? Microseconds(0) : state.hold / 2;
        state.hold_until = at;
        if (state.hold.count() == 0) {
            state.trial = Microseconds(0);
            state.trial_until = {};
        }
    }
}

double accuracy(const ReclaimState& state) {
    if (state.taken_recent < number(kSmallestAsk) / 2.0) {
        return 1.0;
    }
    const double came_back = state.refault_recent / state.taken_recent;
    return std::clamp(1.0 - came_back / kRefaultLimit, 0.0, 1.0);
}

} // namespace cgtide::apps
