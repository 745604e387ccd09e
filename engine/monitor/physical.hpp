#pragma once

#include "engine/damon/physical_slot.hpp"
#include "engine/monitor/ages.hpp"
#include "engine/monitor/physical_choice.hpp"
#include "engine/monitor/physical_view.hpp"
#include "engine/monitor/presence.hpp"
#include "engine/monitor/wish.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <vector>

namespace cgtide::monitor {

/// What of the containers physical regions are to tell.
enum class PhysicalUse : std::uint8_t {
    nothing,
    page_cache, ///< what no process maps; regions tell the rest
    everything, ///< anonymous and file memory
};

/// What DAMON can do with physical memory.
struct PhysicalSupport {
    Bytes memory;          ///< that is watched; 0 where none can be
    bool unmapped = false; ///< pages that nobody maps can be counted apart
};

/// A container to watch, and what it is charged for.
struct PhysicalWish {
    Wish wish;
    Charged charged;
};

/// The sensor of physical regions: how long physical memory has been idle, and how much of each of
/// its regions is whose. One thread at a time uses it.
class Physical {
public:
    using Clock = std::function<TimePoint()>;

    /// `sys` is the root of sysfs.
    Physical(Dir sys, damon::Intervals intervals, Clock clock = std::chrono::steady_clock::now);

    /// How often a container's cgroups are looked at anew.
    static constexpr Microseconds kLookPeriod{10'000'000};

    void support(PhysicalSupport support) { support_ = support; }

    /// Chooses whom to watch, and forgets all others. About 50 us a cgroup of these, once in
    /// kLookPeriod.
    damon::PhysicalWatch plan(const std::vector<PhysicalWish>& wishes, PhysicalUse use);

    /// A round of kPhysical, whatever told it. Older ones are dropped.
    void add(const damon::Round& round);

    /// What was counted. `by_files` says that nothing else tells rounds.
    void take(damon::PhysicalReading reading, bool by_files);

    /// All that is known of a container; null before its second count.
    std::shared_ptr<const model::IdleView> view(CgroupId id, const Charged& charged) const;

    /// `view`, of regions, with what is known of the container's page cache that no process maps,
    /// or why it is not.
    std::shared_ptr<const model::IdleView>
    complete(const std::shared_ptr<const model::IdleView>& view, CgroupId id,
             const Charged& charged) const;

    /// Why page cache that no process maps is not told of anybody; PageCache::seen where it may be.
    model::PageCache page_cache() const { return page_cache_; }

    /// Whether the kernel hides the use of pages by read(2) and write(2) now.
    bool hides_reads() const;

private:
    struct Placed {
        std::vector<damon::CountedRegion> regions;
        Presence presence;
    };
    struct Watched {
        std::vector<damon::Memcg> cgroups;
        TimePoint looked{};
        TimePoint first{}; ///< count
        TimePoint last{};
        Microseconds step{0}; ///< between the last two: a busy worker takes longer than asked
        std::map<damon::PageClass, Placed> placed;
    };

    void set_use(PhysicalUse use);
    std::vector<PhysicalNeed> needs(const std::vector<PhysicalWish>& wishes);
    damon::PhysicalWatch watch() const;
    void look(const Wish& wish, Watched& watched, TimePoint now) const;
    bool is_current(const Watched& watched) const;
    PhysicalFrame frame(const Watched& watched) const;

    Dir sys_;
    damon::Intervals intervals_;
    Clock clock_;
    PhysicalSupport support_;
    Ages ages_;
    std::vector<IdleRange> idle_; ///< of `ages_`, as of its last round
    Microseconds resolution_;
    Microseconds period_{0};
    PhysicalUse use_ = PhysicalUse::nothing;
    std::vector<damon::PageClass> classes_; ///< that are counted
    model::PageCache page_cache_ = model::PageCache::off;
    std::map<CgroupId, Watched> containers_;
    std::map<CgroupId, model::PageCache> left_out_; ///< why, of those that are not watched
};

} // namespace cgtide::monitor
