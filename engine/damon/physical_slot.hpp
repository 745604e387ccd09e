#pragma once

#include "engine/damon/physical_plan.hpp"
#include "engine/damon/slot.hpp"
#include "engine/damon/tried_regions.hpp"

#include <optional>

namespace cgtide::damon {

/// Bytes in one region of physical memory that were counted.
struct CountedRegion {
    Range range;
    std::uint64_t bytes = 0;

    bool operator==(const CountedRegion&) const = default;
};

/// What came of a PageCount: all regions, by rising address.
struct Counted {
    CgroupId container;
    PageClass pages = PageClass::file;
    std::vector<CountedRegion> regions;
};

/// What was read of physical memory.
struct PhysicalReading {
    Round round; ///< of kPhysical
    std::vector<Counted> counts;
};

/// Physical memory, watched by a slot of the pool that is for it alone. Every call blocks as the
/// tree does, and gets the same slot.
class PhysicalSlot {
public:
    /// Brings the slot to `watch`, which begins a new period: so a change waits until a count was
    /// read, or has gone by, since the change before it. What fails is one of `applied.failed`; the
    /// worker then does what it did, and the next call tries again.
    void apply(Slot& slot, Ownership& ownership, const PoolOptions& options,
               const PhysicalWatch& watch, Applied& applied);

    /// Whether apply() would have nothing to do.
    bool holds(const Slot& slot, const PoolOptions& options, const PhysicalWatch& watch) const;

    /// From when on read() would wait for the next count, and not for long; nullopt while nothing
    /// is counted.
    std::optional<TimePoint> due(const Slot& slot) const;

    /// Waits for the next count and reads it: five small files a region, and three more for each
    /// count beyond the first. Blocks for 1 to 5 s, and longer where the worker is
    /// late. `now` is CLOCK_MONOTONIC.
    ///
    /// \returns nullopt where it is not due, or the count has gone by; `malformed` where regions
    ///          are not those of the memory; as the tree does.
    Result<std::optional<PhysicalReading>> read(const Slot& slot, Ownership& ownership,
                                                TimePoint now);

private:
    Result<void> change(Slot& slot, Ownership& ownership, const PoolOptions& options,
                        const PhysicalWatch& watch, Applied& applied);

    bool is_time(const Slot& slot, TimePoint now);
    Result<TriedRegions> wait(Tree& tree, std::size_t slot);
    Result<PhysicalReading> read_counts(const Slot& slot, Tree& tree, std::size_t number,
                                        const TriedRegions& tried) const;

    PhysicalWatch held_;
    bool is_odd_ = false;
    bool had_turn_ = true;   ///< a count was read, or has gone by, since the last commit
    TimePoint counted_{};    ///< when all was last counted, or put in step by a commit
    bool was_read_ = false;  ///< whether `counted_` was seen, and not reckoned
    Microseconds period_{0}; ///< until the next; a busy worker takes longer than was asked
    Microseconds lead_{0};   ///< so long before it we begin to wait
};

} // namespace cgtide::damon
