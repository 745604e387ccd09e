#pragma once

#include "engine/damon/move_slot.hpp"
#include "engine/damon/physical_slot.hpp"

namespace cgtide::damon {

/// All targets of the engine, spread over a few kdamonds of the slots that an Ownership has made.
/// Every call blocks as the tree does; all must come from one thread.
class Pool {
public:
    /// Reads what this kernel's DAMON offers. `ownership` must outlive the pool.
    ///
    /// \returns `unsupported` where it can neither watch ranges of address spaces (fvaddr) nor
    ///          physical memory; `out_of_range` for options that the kernel would refuse.
    static Result<Pool> open(Ownership& ownership, PoolOptions options);

    const Support& support() const { return support_; }

    /// The pids of the workers that run.
    std::vector<int> kdamonds() const;

    /// Brings the pool to exactly these targets, whose keys differ from one another. Targets that
    /// stay keep their history; one slot's failure does not keep the others from being applied.
    ///
    /// \returns `conflict` where the tree is somebody else's, and nothing is written; else see
    ///          Applied.
    Result<Applied> apply(std::vector<Target> wanted);

    /// How often the workers look from the next apply() on, which makes one commit a slot of it. To
    /// be a whole part of the aggregation, and no longer.
    void set_sample(Microseconds sample) { options_.intervals.sample = sample; }

    /// Whether page_out() works: the kernel ends a scheme by itself where nobody does.
    bool pages_out() const { return support_.fvaddr && support_.max_nr_snapshots; }

    /// Has the workers page out more, from now on until end_page_out() or, where that never comes,
    /// until the schemes end by themselves: see carry_on(). Needs pages_out(). Address spaces that
    /// are not watched are left out. What fails is in Applied, and is tried again by the next call
    /// that commits.
    ///
    /// \returns as apply() does.
    Result<Applied> page_out(std::vector<PageOut> wanted);

    /// Has them page out nothing more of a container. Blocks until a worker that is at it has taken
    /// what one aggregation may take.
    ///
    /// \returns as apply() does.
    Result<Applied> end_page_out(CgroupId container);

    /// Address spaces of a container that workers page out from.
    std::size_t paging_out(CgroupId container) const;

    /// Has them hold or go on by how long a container's tasks stall: see Stall. Without effect
    /// where the kernel has no such goals.
    Result<void> tell_stall(CgroupId container, std::uint64_t measured);

    /// Slots that are for targets, which are the first ones; none where the kernel has no fvaddr.
    std::size_t target_slots() const;

    /// Whether watch_memory() works: PoolOptions::memory is known, there is a slot to spare, and
    /// DAMON can tell how many bytes of a region are whose.
    bool watches_memory() const;

    /// Has physical memory watched so. Needs watches_memory(); what fails is in Applied.
    ///
    /// \returns as apply() does.
    Result<Applied> watch_memory(const PhysicalWatch& watch);

    /// From when on read_memory() is worth a call; nullopt while nothing is counted.
    std::optional<TimePoint> memory_due() const { return memory_.due(slots_.back()); }

    /// What is counted next in physical memory: see PhysicalSlot::read().
    Result<std::optional<PhysicalReading>> read_memory(TimePoint now);

    /// Whether moves of physical memory work: PoolOptions::with_moves, and the kernel ends a scheme
    /// by itself, tells pages of cgroups apart and does not charge all that it tries to a quota.
    bool moves_memory() const;

    /// Has a worker watch physical memory for moves, or not any more. Needs moves_memory(); what
    /// fails is in Applied.
    ///
    /// \returns as apply() does.
    Result<Applied> watch_moves(bool wanted);

    /// Has it move pages of one container: see MoveSlot::begin(). What fails is in Applied.
    ///
    /// \returns as apply() does.
    Result<Applied> begin_move(const std::vector<PhysicalMove>& moves);

    /// Whether all that begin_move() asked for was tried: see MoveSlot::is_over().
    bool move_is_over();

    /// What came of begin_move().
    struct MoveEnd {
        Applied applied;
        std::uint64_t bytes = 0; ///< that were moved
    };

    /// Has it move nothing more: see MoveSlot::end(). What fails is in Applied, and is tried again
    /// by watch_moves().
    ///
    /// \returns as apply() does.
    Result<MoveEnd> end_move();

    /// Compares the tree with what we left there. To be called once a period.
    ///
    /// \returns epochs of workers that were ended by others, whose targets the next apply() watches
    ///          again; `conflict` where somebody else uses the tree: ours were turned off, and
    ///          nothing is written ever after. Costs two reads of small files a slot.
    Result<Applied> check();

    /// A round of each target of a slot, as the kernel's files tell it; nothing where it is off.
    /// For kernels where the stream cannot be had. Needs PoolOptions::with_scheme. Blocks for one
    /// to two aggregations.
    Result<std::vector<Round>> read(std::size_t slot);

    /// Turns all ours off. The pool can be used on.
    ///
    /// \returns the first error; the others are turned off all the same.
    Result<Applied> stop();

private:
    Pool(Ownership& ownership, PoolOptions options, Support support);

    Result<Applied> commit_schemes();
    Slot& move_slot() { return slots_[slots_.size() - 2]; }
    Result<std::string> find_stranger(Applied& applied);
    tl::unexpected<Error> lose(std::string why);

    Ownership* ownership_;
    PoolOptions options_;
    Support support_;
    std::vector<Slot> slots_;
    std::vector<PageOut> page_outs_;
    PhysicalSlot memory_; ///< on the last of them
    MoveSlot moves_;      ///< on the one before it
    std::string lost_;    ///< why the tree is somebody else's; empty while it is ours
};

} // namespace cgtide::damon
