#include "engine/apps/reclaim_signals.hpp"

#include "engine/apps/delta.hpp"
#include "engine/apps/reclaim.hpp"

#include <algorithm>
#include <cmath>

namespace cgtide::apps {

namespace {

using model::ReclaimState;

/// Fewer scanned pages tell nothing of how hard reclaim works.
constexpr std::uint64_t kFewPages = 1024;

double number(Bytes bytes) {
    return static_cast<double>(bytes.count);
}

double number(Microseconds duration) {
    return static_cast<double>(duration.count());
}

void book_proven(ReclaimState& state, const model::Outcome& outcome) {
    const bool ended = outcome.end != model::OutcomeEnd::interrupted;
    state.left += number(outcome.taken);
    state.left_at = outcome.at;
    if (2 * outcome.taken.count >= outcome.asked.count && outcome.asked.count > 0 &&
        state.refault_recent <= kRefaultLimit / 2.0 * state.taken_recent) {
        state.step *= 2.0;
    }
    if (outcome.actuator != model::Actuator::pageout &&
        outcome.actuator != model::Actuator::generations) {
        state.elsewhere = false;
        return;
    }
    if (ended && outcome.stuck >= kSmallestAsk) {
        state.stuck = number(outcome.stuck);
        state.stuck_until = outcome.at + kStuckRetry;
    }
    state.elsewhere = ended && outcome.found + kSmallestAsk < outcome.asked;
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
        state.taken_recent += number(outcome.taken);
        state.cpu_debt += number(outcome.cpu);
        if (outcome.proven) {
            book_proven(state, outcome);
        } else {
            state.carry -= std::max(0.0, number(outcome.taken) - number(outcome.asked));
        }
    }
}

void brake(ReclaimState& state, const Signals& signals, Bytes page, TimePoint at) {
    const double keep = std::exp2(-number(signals.elapsed) / number(kRefaultHalfLife));
    // What has decayed to less than a page is nothing.
    state.refault_recent =
        std::floor(state.refault_recent * keep / number(page)) * number(page) + signals.refaulted;
    const bool came_back = state.taken_recent >= number(kSmallestAsk) / 2.0 &&
                           state.refault_recent > kRefaultLimit * state.taken_recent;
    state.taken_recent *= keep;
    const bool holding = state.hold_until && at < *state.hold_until;
    if (came_back && !holding) {
        state.hold = state.hold.count() == 0 ? kFirstHold : std::min(state.hold * 2, kLastHold);
        state.hold_until = at + state.hold;
        state.carry = std::min(state.carry, 0.0);
        state.step = 0.0;
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
