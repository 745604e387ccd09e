#pragma once

#include "engine/model/app.hpp"

#include <optional>
#include <span>

namespace cgtide::apps {

/// What one period measured, from the deltas between two samples.
struct Signals {
    Microseconds elapsed{0};  ///< 0 at the first sample
    BasisPoints memory;       ///< share of the time in which a task stalled on memory
    BasisPoints io;           ///< ... and on io
    double refaulted = 0.0;   ///< bytes
    double growth = 0.0;      ///< bytes of anonymous memory more than a period ago
    double efficiency = 1.0;  ///< pages reclaimed / pages scanned; 1 where few were scanned
    bool limit_hit = false;   ///< an OOM kill or a `max` event
    bool stood_still = false; ///< the engine did: too much time has passed to tell of now
};

/// Takes the sample's counters into `state` and returns what changed since the one before. Needs
/// stat, memory_pressure and events. Pure.
Signals measure(model::ReclaimState& state, const model::Snapshot& now, Bytes page);

/// Books what the actuator reports: bytes beyond an unproven request are owed back, CPU counts
/// against the container's share, and what was advised and stayed is left alone for kStuckRetry.
void book(model::ReclaimState& state, std::span<const model::Outcome> outcomes);

/// Forgets what had left when present pages were `counted` last; nullopt: they were not. Of what
/// left meanwhile the share of its time after that counts as left.
void count_left(model::ReclaimState& state, std::optional<TimePoint> counted);

/// The refault brake: holds when too much of what was taken lately came back, longer each time, and
/// notes for how long that had been out.
void brake(model::ReclaimState& state, const Signals& signals, Bytes page, TimePoint at);

/// The step of an actuator: what one has taken without harm says nothing of another's choice.
double& step_of(model::ReclaimState& state, model::Actuator actuator);

/// Doubles the actuator's step where most of a proven request left, and what came back since, which
/// brake() has counted before, is within half of the limit.
void widen(model::ReclaimState& state, std::span<const model::Outcome> outcomes);

/// Forgets half of the last hold, and with the whole of it the trial, where bytes left more than
/// kRefaultHalfLife and the trial after it, and the brake, which comes before, did not trip. What
/// was turned away has shown nothing.
void relax(model::ReclaimState& state, std::span<const model::Outcome> outcomes, TimePoint at);

/// How much of a request refaults leave: 1 with none, falling to 0 at kRefaultLimit.
double accuracy(const model::ReclaimState& state);

} // namespace cgtide::apps
