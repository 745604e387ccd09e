#pragma once

#include "cgroup/group.hpp"
#include "engine/act/interrupt.hpp"
#include "engine/act/migrate.hpp"
#include "engine/core/history.hpp"
#include "engine/core/journal.hpp"
#include "engine/core/run_dir.hpp"
#include "engine/model/app.hpp"
#include "engine/monitor/generations.hpp"

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace cgtide::core {

/// An app that is attached to a container.
struct Tenant {
    model::State state;
    TimePoint due{};                   ///< when its next step is
    std::vector<model::Outcome> inbox; ///< what came of its decisions since its last step
};

/// A registered container, live or ended.
struct Container {
    oci::Record record;
    std::string key; ///< of its files in the run folder
    CgroupId id;
    std::shared_ptr<cgroup::Group>
        group;            ///< its files are read on the sensor thread alone; none once ended
    model::Policy policy; ///< as annotated and granted
    Attachment attachment;
    std::array<std::optional<Tenant>, model::kApps.size()> tenants;
    Journal journal;
    History history; ///< of what `stat` told, from the first idle times on
    std::optional<model::Snapshot> snapshot;
    std::optional<model::StatState>
        stat;                  ///< the last, kept when `stat` is detached or the container ends
    int pressure_readings = 0; ///< since the last app came; a share takes two
    std::shared_ptr<act::Interrupt> writing; ///< set while a write for it is queued or under way
    model::AppName writer{};                 ///< the app that it is for
    std::shared_ptr<act::MoveMemory> moves =
        std::make_shared<act::MoveMemory>(); ///< used by `writing`
    TimePoint seen{};                        ///< when this engine first saw it
    std::int64_t registered_ms = 0;          ///< wall clock, milliseconds since the epoch
    std::int64_t ended_ms = 0;               ///< likewise; 0 while it lives
    TimePoint ended_at{};
    std::shared_ptr<const monitor::GenerationFigures>
        generations;                  ///< what walks of generations have told last
    std::optional<TimePoint> waiting; ///< since when its requests are turned away because of others
    bool wants_generations = false;   ///< its page tables are to be walked for them
    bool low_refused = false;         ///< for the LOW of others, which may end
    bool demotes_by_page = false;     ///< for DAMON's mover: by regions little was found
    bool frozen = false;
    bool stopped = false; ///< its runtime said so; the cgroup decides
    bool has_nested = false;

    bool ended() const { return ended_ms != 0; }

    /// The apps that run: those of the policy, with root's attachments and without root's
    /// detachments.
    std::vector<model::AppName> apps() const;

    /// When the next step of any app is; nullopt where no app runs.
    std::optional<TimePoint> due() const;

    /// Puts off the apps that are due at `now` by their periods, without a step.
    void postpone(TimePoint now);

    /// What all apps that are due at `now` want sensed. What they want seldom has its turn in the
    /// first two steps, and then by the cgroup's id: those of a node do not come together.
    model::Needs needs(TimePoint now) const;

    /// Notes whether its request was turned away because of others (`budget`, `no-swap`). Then it
    /// waits until one is made, also where it has nothing to ask for in between.
    void note(const model::Decision& decision, TimePoint now);

    /// Keeps the last snapshot; what it was not asked for stays as it was last known.
    void keep(model::Snapshot now, const model::Needs& needs);
};

/// Whether its share of the fastest tier was refused.
bool is_share_refused(const Container& container);

/// A multiple of `period` after `now`, counted from the clock's zero: apps with one period step
/// together, whenever they were attached. It is the first that is more than half a period away, for
/// rates over a shorter time say too little.
TimePoint next_due(TimePoint now, Microseconds period);

/// The first multiple of `period` after `now`, counted from the clock's zero: loops that look again
/// and again wake together, and with the apps.
TimePoint next_beat(TimePoint now, Microseconds period);

/// Starts the tenants that should run, with a first step at once, and ends those that should not;
/// the others keep their state.
void settle_tenants(Container& container, TimePoint now);

} // namespace cgtide::core
