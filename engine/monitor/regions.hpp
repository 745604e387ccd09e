#pragma once

#include "engine/damon/decoder.hpp"
#include "engine/damon/stream.hpp"
#include "engine/monitor/ages.hpp"
#include "engine/monitor/common_files.hpp"
#include "engine/monitor/handover.hpp"
#include "engine/monitor/idle_view.hpp"
#include "engine/monitor/physical.hpp"
#include "engine/monitor/placement.hpp"
#include "engine/monitor/processes.hpp"
#include "engine/monitor/region_map.hpp"
#include "engine/monitor/region_pool.hpp"
#include "engine/monitor/wish.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace cgtide::monitor {

/// The region sensor's own side: whose memory is watched, what the kernel tells of it, and how long
/// it has been idle. One thread at a time uses it; RegionPool is on another, and `handover` between
/// the two.
class Regions {
public:
    /// `proc` is the root of procfs. Without a `stream` what the kernel tells comes by take(), and
    /// processes are looked at every kLookPeriod alone.
    Regions(Dir proc, std::optional<damon::Stream> stream, damon::Intervals intervals,
            std::shared_ptr<Handover> handover);
    Regions(const Regions&) = delete; // its containers refer to its `proc_`
    Regions& operator=(const Regions&) = delete;

    /// How often a container's processes are looked at where nothing is known to have befallen
    /// them: memory comes and goes without a fork.
    static constexpr Microseconds kLookPeriod{5'000'000};

    /// Looks anew at the processes of those of these containers that are new, had a fork, exec or
    /// exit, or were not looked at for kLookPeriod, and forgets all others. About 200 us a process.
    /// \returns what the pool should watch.
    std::vector<damon::Target> refresh(const std::vector<Wish>& wishes);

    /// Looks anew at one that is watched, where something has befallen it since the last look, as
    /// the next refresh() would. About 200 us a process, else nothing.
    void catch_up(const Wish& wish);

    /// Takes over what the pool made of it.
    void adopt(const PoolState& state);

    /// Reads what the kernel has told. To be called once an aggregation, which also bounds how old
    /// a view can be. About 1 us a region.
    void drain();

    /// Whether drain() has a stream to read.
    bool has_stream() const { return stream_.has_value(); }

    /// What the kernel has told by other ways. What lies between two readings is known by DAMON's
    /// own ages alone, so that the time between them is the resolution of what is told.
    void take(const std::vector<damon::Round>& rounds);

    /// Where rounds of physical memory go; it outlives this.
    void tell_physical(Physical& physical) { physical_ = &physical; }

    /// How long a container's memory has been idle, as of the end of the last aggregation; null
    /// where nothing is known yet.
    std::shared_ptr<const model::IdleView> view(CgroupId id, const Charged& charged) const;

    /// Addresses of its memory that have been idle for at least `idle`, as view() tells it.
    std::vector<model::ColdSpace> cold(CgroupId id, Microseconds idle) const;

    /// Addresses that have been in use for at least `time` without a break; `idle` is below 0.
    std::vector<model::ColdSpace> hot(CgroupId id, Microseconds time) const;

    /// Where its memory is, of which `charged` tells how much each node has, and how hot it is
    /// there; memory is cold from `cold` on. Nothing is known of a container that is not watched.
    /// About 1 ms.
    model::Placement place(CgroupId id, const std::map<unsigned, cgroup::NodeBytes>& charged,
                           const model::Topology& topology, Microseconds cold) const;

    /// Its memory has changed at `at`: the next refresh() looks at it.
    void touch(CgroupId id, TimePoint at) { changed_[id] = at; }

    /// Where a container's memory lies and how long it has been idle; no spaces where nothing is
    /// known yet. With RegionCut::mappings `/proc/PID/maps` is read, about 1 us a mapping.
    model::RegionMap map(CgroupId id, model::RegionCut cut) const;

    const damon::DecoderCounters& counters() const { return decoder_.counters(); }

private:
    /// What of a space is asked for.
    using RangesOf =
        std::function<std::vector<model::ColdRange>(const SeenSpace& space, const Ages& ages)>;

    struct Watched {
        std::unique_ptr<Processes> processes;
        TimePoint looked{}; ///< when they were last looked at
    };

    /// A watched address space and what is known of it.
    struct Told {
        const Space* space = nullptr;
        const Ages* ages = nullptr;
    };

    std::vector<Told> told(CgroupId id) const;
    std::vector<model::ColdSpace> ranges(CgroupId id, const RangesOf& of) const;
    Microseconds resolution_of(const Ages& ages) const;
    std::vector<NamedRange> cuts_of(const Space& space, model::RegionCut cut) const;
    bool must_look(CgroupId id, const Watched& watched, TimePoint now) const;
    void look(const Wish& wish, Watched& watched, TimePoint now);

    Dir proc_;
    std::optional<damon::Stream> stream_;
    damon::Intervals intervals_;
    std::shared_ptr<Handover> handover_;
    damon::Decoder decoder_;
    std::map<CgroupId, Watched> containers_;
    CommonFiles files_;
    std::unordered_map<damon::TargetKey, Ages> ages_;
    std::unordered_set<damon::TargetKey> unwatched_;
    Physical* physical_ = nullptr;
    std::vector<int> kdamonds_;
    std::vector<CgroupId> watched_cgroups_;
    damon::TargetKey last_key_ = 0;
    std::vector<damon::Event> events_; ///< kept for its room
    std::vector<damon::Change> changes_;
    std::unordered_map<CgroupId, TimePoint> changed_; ///< containers whose processes have changed
};

} // namespace cgtide::monitor
