#pragma once

#include "engine/model/app.hpp"

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace cgtide::model {

/// A row of `cgtide ps`.
struct ContainerSummary {
    std::string name; ///< printable
    std::string id;   ///< the runtime's id
    CgroupId cgroup;
    std::string path; ///< v2 path
    std::vector<AppName> apps;
    bool ended = false;
    bool dry_run = false;
    std::optional<Bytes> usage;
    std::optional<Bytes> swap;
    std::optional<BasisPoints> memory_pressure; ///< share of the last period
    Bytes taken;                                ///< reclaimed since registration
    std::int64_t registered_ms = 0;             ///< since the epoch
    std::optional<JournalEntry> last;
    std::size_t faults = 0; ///< annotations that were refused
};

/// An idle summary and how old it is.
struct IdleFigures {
    IdleSummary summary;
    Microseconds age{0};
};

/// A row of `cgtide stat`.
struct StatRow {
    std::string name; ///< printable
    std::string id;   ///< the runtime's id
    bool ended = false;
    std::optional<Bytes> usage;
    std::optional<Bytes> swap;
    std::optional<cgroup::MemoryStat> kinds;
    std::optional<BasisPoints> memory_pressure; ///< share of the last period
    std::optional<BasisPoints> io_pressure;
    std::optional<double> refaults_per_second;
    std::shared_ptr<const IdleSummary> idle; ///< the last that a sensor told
    Microseconds idle_age{0};                ///< how old it is
};

/// What `stat` knew of a container at one time in the past. Sizes are whole KiB.
struct HistoryPoint {
    TimePoint at{};           ///< to a second
    std::int64_t wall_ms = 0; ///< ... in milliseconds since the epoch, by the clock of that time
    Bytes usage;
    Bytes working_set;
    std::array<Bytes, 3> cold; ///< at the ages of kShownAges; kUnlimited: not watched for so long
    Bytes unseen;
    Microseconds median{0}; ///< idle time, to a millisecond
    BasisPoints memory_pressure;
    double refaults_per_second = 0.0;

    bool operator==(const HistoryPoint&) const = default;
};

/// `cgtide inspect`.
struct ContainerDetail {
    ContainerSummary summary;
    std::string bundle;
    int pid = 0;
    Policy policy;
    std::vector<AppName> attached; ///< by root, beyond the annotation
    std::vector<AppName> detached; ///< by root, against the annotation
    std::optional<Snapshot> snapshot;
    std::optional<StatState> stat;
    std::optional<IdleFigures> idle; ///< the last that a sensor told
    Bytes floor;                     ///< max(reclaim.keep, effective min and low)
    Microseconds period{0};          ///< control period in force
    std::string age = "unproven";    ///< or `proven`: a sensor has watched for reclaim.idle
};

/// What would leave a container if reclaim.idle were another.
struct WhatIf {
    Microseconds idle{0};
    bool known = false; ///< a sensor has watched for `idle`; else nothing is proven
    Bytes anon;         ///< would leave
    Bytes file;
    Bytes kept_by_kind;  ///< idle too, and stays: the policy's pages, or no swap for it
    Bytes kept_by_floor; ///< idle too, and stays: reclaim.keep, memory.min or memory.low
    Bytes floor;
    Bytes unproven; ///< of unknown age: may be as old
    Bytes usage;
};

/// How much a suggestion is worth.
enum class Confidence : std::uint8_t { low, medium, high };

std::string_view to_string(Confidence confidence);

/// A request and a limit for a container, and what they come from.
struct Suggestion {
    Bytes request; ///< memory that it should always have
    Bytes limit;   ///< memory that it should never exceed
    Confidence confidence = Confidence::low;
    Microseconds window{0}; ///< what the figures cover
    std::size_t points = 0;
    Bytes working_set;   ///< the largest
    Bytes highest_usage; ///< memory.current
    Bytes unseen;        ///< most that no sensor saw
    Bytes refaulted;     ///< most that came back within a minute
};

/// A record that could not become a container.
struct RefusedRecord {
    std::string key;    ///< the file's name without its ending
    std::string name;   ///< what is known of it; may be empty
    std::string reason; ///< a code: shared-cgroup, newer-version, malformed
    std::string message;
};

/// One capability as `cgtide doctor` prints it.
struct Capability {
    std::string name; ///< stable: `memory.reclaim swappiness=`
    bool present = false;
    std::string probed;  ///< the file that was probed
    std::string detail;  ///< value found, or what came back
    std::string without; ///< what cgtide does without it
    bool required = false;
};

} // namespace cgtide::model
