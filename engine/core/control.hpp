#pragma once

#include "cgroup/base/result.hpp"
#include "engine/model/region_map.hpp"
#include "engine/model/tier_view.hpp"
#include "engine/model/view.hpp"
#include "oci/record.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>

namespace cgtide::core {

/// A container with its journal, oldest entry first.
struct Explanation {
    model::ContainerSummary summary;
    std::vector<model::JournalEntry> entries;
    std::uint64_t dropped = 0; ///< entries that the ring has let go
};

/// A container with the idle times that `stat` last told of it.
struct IdleTimes {
    model::ContainerSummary summary;
    model::IdleFigures figures;
    std::string no_regions{}; ///< why no regions are told; empty where they are, or are not wanted
};

/// A container with the regions of its memory.
struct RegionTimes {
    model::ContainerSummary summary;
    model::RegionMap map;
};

/// A container with what `stat` told of it over the last hours, oldest first.
struct PastTimes {
    model::ContainerSummary summary;
    std::vector<model::HistoryPoint> points;
};

/// A container with what would leave it.
struct Forecast {
    model::ContainerSummary summary;
    model::WhatIf what_if;
};

/// A container with a request and a limit for it.
struct Advice {
    model::ContainerSummary summary;
    model::Suggestion suggestion;
};

/// What the detail of Control::suggest's error begins with where too little is known.
inline constexpr std::string_view kNoHistory = "no-history: ";

/// What the detail of Control::idle's error begins with where there is nothing to tell.
inline constexpr std::string_view kNoIdleView = "no-idle-view: ";

/// What the detail of Control::release_damon's error begins with where there is nothing to release.
inline constexpr std::string_view kNoDamon = "no-damon: ";

/// How long Control::pause() waits for writes under way: a signal ends them between two rounds of
/// the kernel, which take long where swap does.
inline constexpr Microseconds kPausePatience{5'000'000};

/// What the socket may ask of the engine. All of it runs on the engine's one thread; the awaited
/// calls do blocking reads on the pool meanwhile.
///
/// `name` is a container's name, its id, its cgroup id in digits or a unique prefix of name or id.
/// Errors: `not_found`; `conflict` for an ambiguous prefix, whose detail lists the names that
/// match, one a line.
class Control {
public:
    virtual ~Control() = default;

    /// Takes a registration. Idempotent for one key and cgroup. \returns the container's name;
    /// `conflict` for a shared cgroup (detail begins with `shared-cgroup`), `gone` where pid or
    /// cgroup are not there any more, `malformed` with the field's name.
    virtual boost::asio::awaitable<Result<std::string>> enroll(oci::Record record) = 0;

    /// Marks a container as stopped by its runtime. The cgroup decides when it has ended.
    /// `not_found` where nobody registered it.
    virtual boost::asio::awaitable<Result<void>> retire(std::string id, std::string bundle) = 0;

    /// Containers by name; `all` adds those that ended within the last hour.
    virtual std::vector<model::ContainerSummary> list(bool all) const = 0;

    /// Records that could not become a container.
    virtual std::vector<model::RefusedRecord> refused() const = 0;

    /// The figures of all containers, by name; `all` as in list().
    virtual std::vector<model::StatRow> stats(bool all) const = 0;
    virtual Result<model::StatRow> stat(std::string_view name) const = 0;

    /// What `stat` told of it earlier, oldest first; empty where no sensor has told of idle times.
    virtual Result<PastTimes> history(std::string_view name) const = 0;

    virtual Result<model::ContainerDetail> inspect(std::string_view name) const = 0;

    /// The last `limit` journal entries (0: all that are kept).
    virtual Result<Explanation> explain(std::string_view name, std::size_t limit) const = 0;

    /// How long its memory has been idle, as `stat` last knew it; also of a container that ended.
    /// `unsupported` with a detail that begins with kNoIdleView and says why and what to do, where
    /// `stat` is not attached or no sensor has told yet.
    virtual Result<IdleTimes> idle(std::string_view name) const = 0;

    /// How much would leave, by kind, if its reclaim.idle were `idle` (its own where none is
    /// given); nothing is touched. `unsupported` as idle(), also where no sensor has watched for so
    /// long.
    virtual Result<Forecast> what_if(std::string_view name,
                                     std::optional<Microseconds> idle) const = 0;

    /// A request and a limit from what `stat` told of it over the last hours. `unsupported` with a
    /// detail that begins with kNoHistory where that is too short.
    virtual Result<Advice> suggest(std::string_view name) const = 0;

    /// Where its memory lies and how long it has been idle, now. `unsupported` as idle(), also
    /// where it is told by another sensor than regions.
    virtual boost::asio::awaitable<Result<RegionTimes>> regions(std::string name,
                                                                model::RegionCut cut) = 0;

    /// Adds or takes away an app of an annotated container until it ends; kept over restarts.
    /// Idempotent.
    virtual boost::asio::awaitable<Result<void>> attach(std::string name, model::AppName app) = 0;
    virtual boost::asio::awaitable<Result<void>> detach(std::string name, model::AppName app) = 0;

    /// Gives DAMON back as it was found, until the engine is started again; generations tell idle
    /// times meanwhile, where they work. Takes as long as a commit. \returns what was done, for
    /// people; `conflict` with a detail that begins with kNoDamon where the engine does not use
    /// DAMON, or not any more, or not yet; else what could not be put back.
    virtual boost::asio::awaitable<Result<std::string>> release_damon() = 0;

    /// Stops all reclaim on the node: apps step and decide, every request is turned away as
    /// `paused`, and writes under way are ended. Kept over restarts; idempotent. \returns how many
    /// writes had not ended after kPausePatience, which end by themselves; an error, and no change,
    /// where the pause cannot be kept.
    virtual boost::asio::awaitable<Result<std::size_t>> pause() = 0;
    virtual boost::asio::awaitable<Result<void>> resume() = 0;
    virtual bool paused() const = 0;

    /// The node's memory tiers, and what each live container has in them, now.
    virtual boost::asio::awaitable<model::TierView> tiers() = 0;

    /// What the node has and lacks: as it was at start, but for NUMA nodes, tiers and who else
    /// moves pages, which are looked at anew.
    virtual boost::asio::awaitable<std::vector<model::Capability>> capabilities() = 0;
};

} // namespace cgtide::core
