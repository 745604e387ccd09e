#pragma once

#include "engine/model/decision.hpp"
#include "engine/model/policy.hpp"
#include "engine/model/snapshot.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace cgtide::model {

/// Which sensors an app wants, and how often.
struct Needs {
    Microseconds period{6'000'000};
    bool counters = true;  ///< usage, stat, swap
    bool pressure = false; ///< memory and io PSI, events
    bool seldom = false;   ///< each kSeldom-th step is enough for pressure and protection, and for
                           ///< stat while usage stays as it is
    bool protection = false; ///< effective min and low, swap headroom
    bool idle = false;       ///< how long memory has been idle
    bool placement = false;  ///< in which memory tier it is, and how hot there
    bool homing = false;     ///< on which NUMA nodes it is, beside the CPUs of its threads

    bool operator==(const Needs&) const = default;
};

/// Steps from one reading of what is wanted seldom to the next: 60 s at a period of 6 s. The kernel
/// makes nine readings of memory.current for one of memory.stat, and half of that for PSI and
/// events.
inline constexpr std::uint64_t kSeldom = 10;

/// Both needs at once: the shorter period, every sensor that either wants.
Needs merge(const Needs& a, const Needs& b);

/// What stat remembers of a container.
struct StatState {
    std::optional<TimePoint> last_at;     ///< of the last step that had memory.stat
    std::uint64_t refaults = 0;           ///< workingset_refault_anon + _file at last_at
    double refaults_per_second = 0.0;     ///< between the last two of these
    std::optional<TimePoint> pressure_at; ///< of the last step that had PSI
    Microseconds memory_stall{0};         ///< PSI some total at pressure_at
    Microseconds io_stall{0};
    BasisPoints memory_pressure; ///< share of the time between the last two steps with PSI
    BasisPoints io_pressure;
    std::shared_ptr<const IdleSummary> idle; ///< the last that a sensor told; null before it
};

/// Proven bytes that left, and from when to when the request was under way.
struct Departure {
    TimePoint since{};
    TimePoint until{};
    double bytes = 0.0;
};

/// What the reclaim law remembers of a container. docs/apps/reclaim.md has the formulas.
struct ReclaimState {
    std::optional<TimePoint> last_at; ///< of the sample that the deltas are taken from
    Microseconds memory_stall{0};
    Microseconds io_stall{0};
    std::uint64_t refault_pages = 0;
    std::uint64_t oom_kills = 0;
    std::uint64_t max_events = 0;
    Bytes anon;
    std::uint64_t scanned_pages = 0;
    std::uint64_t stolen_pages = 0;
    double carry = 0.0;          ///< bytes owed (or, below 0, taken in advance)
    double taken_recent = 0.0;   ///< bytes taken, decayed: what refaults are held against
    double refault_recent = 0.0; ///< bytes that came back, decayed likewise
    double taken_held = 0.0;     ///< ... of both, when the last hold began
    double refault_held = 0.0;
    Microseconds hold{0}; ///< length of the current or last hold
    std::optional<TimePoint> hold_until;
    double fresh = 0.0;      ///< proven bytes taken since the last hold began, decayed
    TimePoint fresh_at{};    ///< when those left, on average
    Microseconds trial{0};   ///< how long steps are to stay out; 0: nothing came back
    double on_trial = 0.0;   ///< bytes of the last step of proven age
    TimePoint trial_until{}; ///< when they have stayed out for long enough
    std::optional<TimePoint> oom_until;
    double cpu_debt = 0.0; ///< microseconds of CPU over the container's share
    /// By actuator: bytes of the next request of proven age at most; 0: the first one.
    std::array<double, kActuatorNames.size()> steps{};
    std::vector<Departure> departures; ///< those that ended after present pages were counted
    double left = 0.0;                 ///< of their bytes, those that left after that, about
    double stuck = 0.0;                ///< proven bytes that were advised and did not leave
    TimePoint stuck_until{};
    bool asks_lists = false;    ///< the last request was for what is stuck, of the kernel's lists
    TimePoint listless_until{}; ///< they gave next to none of it
    bool elsewhere = false;     ///< proven bytes of files were not found in any address space
};

/// By what moves between NUMA nodes are paced.
struct MovePace {
    std::optional<TimePoint> last_at; ///< of the last step
    double step = 0.0;                ///< bytes of the next move at most; 0: the first one
    double cpu_per_byte = 0.0;        ///< microseconds, of the last move; 0: not known
    double cpu_debt = 0.0;            ///< microseconds of CPU over the container's share
};

/// The greatest value of the last one to two windows of time.
class RecentMost {
public:
    /// Takes a value. `now` does not go back.
    void see(Bytes value, TimePoint now, Microseconds window);
    Bytes most() const { return std::max(now_, before_); }

private:
    TimePoint since_{}; ///< begin of this window
    Bytes now_;         ///< of this window
    Bytes before_;      ///< of the one before
};

/// A demotion that was left to the kernel, until it is seen what that took.
struct KernelDemotion {
    TimePoint at{};             ///< when it was decided
    Bytes used_below;           ///< was then in use in slower memory
    std::optional<Bytes> taken; ///< none while it is under way
    TimePoint done{};           ///< when it ended
};

/// Hot memory of slower tiers that was tried and stayed there, whatever holds it.
struct Immovable {
    Bytes bytes;
    TimePoint until{};    ///< when it is tried again
    Microseconds wait{0}; ///< length of the current or last wait
};

/// What the tier law remembers of a container. docs/apps/tier.md has the formulas.
struct TierState {
    MovePace pace;
    double moved_recent = 0.0;    ///< bytes moved, decayed: what returns are held against
    double returned_recent = 0.0; ///< bytes that moved back, decayed likewise
    double moved_held = 0.0;      ///< ... of both, when the last hold began
    double returned_held = 0.0;
    Microseconds hold{0}; ///< length of the current or last hold
    std::optional<TimePoint> hold_until;
    RecentMost in_use;                               ///< hot or warm in the fastest tier
    std::array<std::optional<TimePoint>, 2> rests{}; ///< by Move: nothing could be moved
    Bytes promotable;                                ///< when it was last asked to come up
    Immovable immovable;
    std::optional<KernelDemotion> kernel;      ///< the last one, until it was judged
    std::optional<TimePoint> by_address_until; ///< the kernel took what it should not have
    Bytes promoted;                            ///< all in all
    Bytes demoted;
    Bytes returned; ///< of both
};

/// What the law of app `numa` remembers of a container. docs/apps/numa.md has it.
struct NumaState {
    MovePace pace;
    std::optional<TimePoint> rest; ///< until then nothing could be moved
    Bytes moved;                   ///< all in all
};

using State = std::variant<StatState, ReclaimState, TierState, NumaState>;

/// A state on one line, for logs and golden tests.
std::string to_string(const State& state);

struct Step {
    State state;
    std::vector<Decision> decisions;
};

/// A job that attaches to a container. Pure: the same arguments give the same step, on any machine,
/// without privileges.
struct App {
    AppName name;
    Needs (*needs)(const Policy&);
    State (*init)(const Policy&, TimePoint);
    Step (*step)(const State&, const Policy&, const Snapshot&, std::span<const Outcome>,
                 const NodeView&);
};

} // namespace cgtide::model
