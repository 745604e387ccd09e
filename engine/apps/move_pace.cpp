#include "engine/apps/move_pace.hpp"

#include "engine/apps/numbers.hpp"

#include <algorithm>

namespace cgtide::apps {

namespace {

/// More than any period moves.
constexpr double kMostStep = 0x1p50;

} // namespace

double seconds_since(const model::MovePace& pace, TimePoint now) {
    return pace.last_at ? std::max(std::chrono::duration<double>(now - *pace.last_at).count(), 0.0)
                        : 0.0;
}

void fade(model::MovePace& pace, const model::Policy& policy, TimePoint now) {
    constexpr double kMicro = 1e6;
    const double paid = policy.profile.cpu.ratio() * seconds_since(pace, now) * kMicro;
    pace.cpu_debt = std::max(0.0, pace.cpu_debt - paid);
    pace.last_at = now;
}

std::optional<TimePoint> book(model::MovePace& pace, const model::Outcome& outcome) {
    pace.cpu_debt += number(outcome.cpu);
    if (outcome.taken.count > 0) {
        pace.cpu_per_byte = number(outcome.cpu) / number(outcome.taken);
        pace.step = std::min(2.0 * std::max(pace.step, number(kFirstMove)), kMostStep);
    }
    const bool is_barren = outcome.end != model::OutcomeEnd::dry_run &&
                           outcome.end != model::OutcomeEnd::interrupted &&
                           outcome.taken.count * kBarren < outcome.asked.count;
    return is_barren ? std::optional(outcome.at + kBarrenWait) : std::nullopt;
}

Bytes bounded(const model::MovePace& pace, const model::Policy& policy, Bytes bytes) {
    const double seconds = std::chrono::duration<double>(policy.profile.period).count();
    double most = std::min(number(kMoveRate) * seconds, std::max(pace.step, number(kFirstMove)));
    if (pace.cpu_per_byte > 0.0) {
        const double cpu = policy.profile.cpu.ratio() * number(policy.profile.period);
        most = std::min(most, std::max(cpu / pace.cpu_per_byte, number(kSmallestMove)));
    }
    return std::min(bytes, Bytes{static_cast<std::uint64_t>(std::max(most, 0.0))});
}

} // namespace cgtide::apps
