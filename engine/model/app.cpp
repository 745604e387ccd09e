#include "engine/model/app.hpp"

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstdio>

namespace cgtide::model {

namespace {

double seconds(const std::optional<TimePoint>& at) {
    return at ? std::chrono::duration<double>(at->time_since_epoch()).count() : -1.0;
}

std::string idle_text(const IdleSummary& idle) {
    constexpr std::size_t kMedian = 50;
    constexpr std::size_t kHigh = 90;
    const auto percentile = [&](std::size_t p) {
        return std::chrono::duration<double>(idle.percentiles.at(p)).count();
    };
    std::array<char, 240> text{};
    std::snprintf(text.data(), text.size(),
                  " idle=%s@%.3f p50=%.1fs p90=%.1fs working=%" PRIu64 " seen=%" PRIu64
                  " unsure=%" PRIu64 " unseen=%" PRIu64,
                  to_string(idle.source).data(), seconds(idle.at), percentile(kMedian),
                  percentile(kHigh), idle.working_set.count, idle.seen.count, idle.unsure.count,
                  idle.unseen.count);
    return text.data();
}

struct Printer {
    std::string operator()(const StatState& state) const {
        std::array<char, 160> text{};
        std::snprintf(text.data(), text.size(),
                      "stat at=%.3f refaults/s=%.2f memory=%.2fbp io=%.2fbp",
                      seconds(state.last_at), state.refaults_per_second,
                      state.memory_pressure.count, state.io_pressure.count);
        return text.data() + (state.idle ? idle_text(*state.idle) : std::string());
    }

    std::string operator()(const ReclaimState& state) const {
        std::array<char, 320> text{};
        std::snprintf(text.data(), text.size(),
                      "reclaim at=%.3f carry=%.0f taken=%.0f refault=%.0f hold=%.1fs until=%.3f "
                      "trial=%.1fs until=%.3f oom=%.3f cpu=%.0fus step=%.0f left=%.0f stuck=%.0f",
                      seconds(state.last_at), state.carry, state.taken_recent, state.refault_recent,
                      std::chrono::duration<double>(state.hold).count(), seconds(state.hold_until),
                      std::chrono::duration<double>(state.trial).count(),
                      seconds(state.trial_until), seconds(state.oom_until), state.cpu_debt,
                      *std::max_element(state.steps.begin(), state.steps.end()), state.left,
                      state.stuck);
        return text.data();
    }

    std::string operator()(const TierState& state) const {
        std::array<char, 240> text{};
        std::snprintf(text.data(), text.size(),
                      "tier at=%.3f step=%.0f moved=%.0f returned=%.0f hold=%.1fs until=%.3f "
                      "cpu=%.0fus",
                      seconds(state.pace.last_at), state.pace.step, state.moved_recent,
                      state.returned_recent, std::chrono::duration<double>(state.hold).count(),
                      seconds(state.hold_until), state.pace.cpu_debt);
        return text.data();
    }

    std::string operator()(const NumaState& state) const {
        std::array<char, 160> text{};
        std::snprintf(text.data(), text.size(),
                      "numa at=%.3f step=%.0f moved=%" PRIu64 " rest=%.3f cpu=%.0fus",
                      seconds(state.pace.last_at), state.pace.step, state.moved.count,
                      seconds(state.rest), state.pace.cpu_debt);
        return text.data();
    }
};

} // namespace

Needs merge(const Needs& a, const Needs& b) {
    return {.period = std::min(a.period, b.period),
            .counters = a.counters || b.counters,
            .pressure = a.pressure || b.pressure,
            .seldom = a.seldom && b.seldom,
            .protection = a.protection || b.protection,
            .idle = a.idle || b.idle,
            .placement = a.placement || b.placement,
            .homing = a.homing || b.homing};
}

void RecentMost::see(Bytes value, TimePoint now, Microseconds window) {
    if (now - since_ >= window) {
        before_ = now - since_ < 2 * window ? now_ : Bytes{};
        now_ = {};
        since_ = now;
    }
    now_ = std::max(now_, value);
}

std::string to_string(const State& state) {
    return std::visit(Printer{}, state);
}

} // namespace cgtide::model
