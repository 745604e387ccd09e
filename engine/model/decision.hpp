#pragma once

#include "cgroup/base/cgroup_id.hpp"
#include "cgroup/base/units.hpp"
#include "engine/model/actuator.hpp"
#include "engine/model/app_name.hpp"
#include "engine/model/policy.hpp"
#include "engine/model/reason.hpp"

#include <cstdint>
#include <optional>

namespace cgtide::model {

/// Which way memory goes: into the fastest tier, out of it, or within its tier to a nearer node.
enum class Move : std::uint8_t { promote, demote, home };

std::string_view to_string(Move move);

/// What an app wants done for one container, and why. Data only; `ask` of 0 records the reason and
/// does nothing.
struct Decision {
    AppName app = AppName::stat;
    CgroupId id;
    Bytes ask;                ///< bytes that should leave
    Pages pages = Pages::all; ///< never `automatic`
    Reason reason;
    Actuator actuator = Actuator::memory_reclaim;
    std::optional<Microseconds> proven{}; ///< the bytes have been idle for so long at least
    std::optional<Move> move{};           ///< they stay in memory, and go to another NUMA node
};

/// How an actuator's work ended.
enum class OutcomeEnd : std::uint8_t {
    done,        ///< all that was asked for
    partial,     ///< the kernel gave less (EAGAIN): normal
    interrupted, ///< ended early on purpose: deadline, pressure or shutdown
    gone,        ///< the cgroup was removed
    failed,      ///< errno in `error`
    dry_run,     ///< nothing was written
};

std::string_view to_string(OutcomeEnd end);

/// What came of a decision.
struct Outcome {
    AppName app = AppName::stat;
    CgroupId id;
    TimePoint at{}; ///< when it ended
    Bytes asked;
    Bytes taken; ///< the fall of memory.current over the write, never less than 0; `move`: bytes
                 ///< that moved
    Microseconds wall{0};
    Microseconds cpu{0}; ///< kernel CPU of the writing thread; `damos`: of DAMON's, about
    OutcomeEnd end = OutcomeEnd::done;
    int error = 0; ///< errno where `failed`
    Actuator actuator = Actuator::memory_reclaim;
    bool proven = false;        ///< the bytes were asked for as proven idle
    Bytes found{};              ///< by address, `lru_gen`: bytes that were present and idle
    Bytes stuck{};              ///< by address: of these, those that were to leave and did not
    std::optional<Move> move{}; ///< as decided
    Bytes returned{};           ///< `move`: of `taken`, those that had moved the other way lately
};

/// Bytes that left by the actuator's own account: a container that grows or frees memory meanwhile
/// changes `taken`, and what left by nothing. Never more than the kernel was asked for by
/// `memory.reclaim`; all that left its page tables by address. Pure.
Bytes left_by(const Outcome& outcome);

/// One line of a container's journal. Equal decisions without bytes in a row are one entry with a
/// count.
struct JournalEntry {
    std::uint64_t sequence = 0; ///< rises by one for each entry of a container
    std::int64_t wall_ms = 0;   ///< milliseconds since the epoch, when first recorded
    std::int64_t last_ms = 0;   ///< ... and when last repeated
    std::uint32_t repeats = 1;
    AppName app = AppName::stat;
    bool acted = false; ///< an outcome follows
    Actuator actuator = Actuator::memory_reclaim;
    Bytes ask;
    Reason reason;
    std::optional<Outcome> outcome;
};

} // namespace cgtide::model
