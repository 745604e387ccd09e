#pragma once

#include "cgroup/base/kernel_roots.hpp"
#include "engine/damon/pool.hpp"
#include "engine/damon/sample_law.hpp"
#include "engine/damon/worker_load.hpp"
#include "engine/model/view.hpp"
#include "engine/monitor/handover.hpp"
#include "engine/monitor/page_out.hpp"
#include "engine/monitor/physical.hpp"
#include "engine/monitor/physical_move.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace cgtide::monitor {

/// How to come by DAMON.
struct RegionPoolOptions {
    std::string run_dir;      ///< where what is changed in the kernel is written down first
    bool take_modules = true; ///< stop the kernel's own users of DAMON meanwhile
    damon::SampleBounds sampling;
    bool with_memory = true; ///< one slot is for physical memory
    bool with_moves = false; ///< ... and one for moving pages between NUMA nodes
    bool by_files = false;   ///< the kernel's files are to tell of regions, for want of BPF
};

/// What came of a period's targets.
struct PoolState {
    std::vector<int> kdamonds;               ///< the workers that run
    std::vector<damon::TargetKey> unwatched; ///< for want of room, or because the kernel refused
    std::vector<std::string> problems;       ///< what failed, for the log
    Microseconds sample{0};                  ///< between two looks of the workers
    BasisPoints used{};                      ///< of one processor, by all workers, of late
    std::optional<TimePoint> memory_due;     ///< from when on read_memory() has something to read
};

/// What came of a MoveOrder.
struct Moved {
    bool is_whole = false; ///< all of it was tried
    Bytes bytes;
    Microseconds cpu{0}; ///< of DAMON's workers, about
};

/// The kernel's side of the region sensor: DAMON, owned, and its workers. All calls block, one
/// commit for up to 20 s, and come from one thread.
class RegionPool {
public:
    /// Takes DAMON over, which also cleans up what an engine that was killed has left.
    ///
    /// \returns `conflict` naming who else uses it, `unsupported` where the kernel lacks it; with
    ///          nothing changed.
    static Result<std::unique_ptr<RegionPool>> open(const KernelRoots& roots,
                                                    const RegionPoolOptions& options,
                                                    std::shared_ptr<Handover> handover);

    /// What this kernel's DAMON has, by the names of its files, for people.
    std::string offers() const;

    /// Whether it can watch address spaces.
    bool watches_processes() const { return pool_->support().fvaddr; }

    /// What it can do with physical memory.
    PhysicalSupport physical() const;

    /// Why it cannot watch physical memory; empty where it can.
    std::string no_memory() const;

    /// Watches exactly these, and physical memory so, also for moves. To be called once a period,
    /// also where nothing changed: it notices a stranger.
    ///
    /// \returns `conflict` where the tree is somebody else's from now on: nothing is written any
    ///          more.
    Result<PoolState> apply(std::vector<damon::Target> targets, const damon::PhysicalWatch& memory,
                            bool moves);

    /// Slots that address spaces are in.
    std::size_t slots() const;

    /// What the kernel's files tell of a slot's regions, with RegionPoolOptions::by_files; nothing
    /// where it is off or DAMON was given back. Blocks for one to two aggregations.
    Result<std::vector<damon::Round>> read(std::size_t slot);

    /// What is counted next in physical memory; nullopt where that is not due. Blocks for an
    /// aggregation or two.
    Result<std::optional<damon::PhysicalReading>> read_memory();

    /// Whether page_out() works: the kernel has DAMOS schemes that end by themselves.
    bool pages_out() const { return pool_->pages_out(); }

    /// Has the workers page out what `order` says, from the end of the next aggregation on and a
    /// part in each, until end_page_out(). If that never comes they end it by themselves, within
    /// two periods: see damon::carry_on(). Address spaces that are not watched are left out.
    ///
    /// \returns until when that is worth waiting for, within the period if at all possible; the
    ///          error of the commit; `gone` where none of the spaces is watched; `conflict` where
    ///          DAMON was given back.
    Result<TimePoint> page_out(const PageOutOrder& order);

    /// Has them page out no more of it. \returns the CPU time that they used for it, about: what
    /// all workers used beyond watching, shared by those that page out.
    Microseconds end_page_out(CgroupId container);

    /// Tells them for what share of time the container's tasks have stalled since page_out().
    /// Without effect where the kernel has no quota goals that hold.
    Result<void> tell_stall(CgroupId container, BasisPoints share);

    /// Whether move() works: the kernel has DAMOS schemes that move pages of some cgroups alone,
    /// and that end by themselves.
    bool moves_pages() const { return pool_->moves_memory(); }

    /// Has a worker move what `order` says, once, after it has looked who uses it. end_move() is to
    /// be called whatever this returns. It knows no ages before apply() had it watch for that long.
    ///
    /// \returns until when move_is_over() is worth waiting for; `gone` where no target has room or
    ///          nothing is watched yet, `conflict` while another order runs or somebody else has
    ///          DAMON.
    Result<TimePoint> move(const MoveOrder& order);

    /// Whether all of its order was tried.
    bool move_is_over(CgroupId container);

    /// Has it move no more of a container. \returns what came of its order; nothing where it has
    /// none.
    Moved end_move(CgroupId container);

    /// Gives DAMON back as it was found; the end of this does too. Once. \returns what could not be
    /// put back; else what was, for people. apply() is a `conflict` from then on.
    Result<std::string> release();

    ~RegionPool();
    RegionPool(const RegionPool&) = delete;
    RegionPool& operator=(const RegionPool&) = delete;

private:
    RegionPool() = default;

    /// An order that is carried out.
    struct Order {
        CgroupId container;
        TimePoint since{};
        Microseconds cpu{0}; ///< of all workers at that time
    };

    void tune();
    TimePoint work_until(TimePoint begin, Microseconds period) const;
    Microseconds end_order(CgroupId container);
    Microseconds cpu_of_workers() const;

    std::shared_ptr<Handover> handover_;
    Result<std::vector<damon::Range>> memory_;
    Dir run_;
    std::unique_ptr<damon::KernelFiles> tree_files_;
    std::unique_ptr<damon::KernelFiles> module_files_;
    std::unique_ptr<damon::Tree> tree_;
    std::unique_ptr<damon::KernelHost> host_;
    std::unique_ptr<damon::Ownership> ownership_;
    std::unique_ptr<damon::Pool> pool_;
    damon::SampleBounds sampling_;
    damon::SampleState sample_;
    damon::WorkerLoad load_;
    BasisPoints used_{}; ///< for watching alone
    std::vector<Order> orders_;
    std::optional<CgroupId> moving_; ///< whose order move() carries out
    bool disturbed_ = false;         ///< some order was carried out since the last tune()
};

/// The folder of DAMON's kdamonds. \returns `unsupported` where this kernel has none.
Result<Dir> find_damon(const KernelRoots& roots);

/// The row of `cgtide doctor` for idle times by regions; whether they are known is the caller's to
/// fill in.
model::Capability region_capability();

/// Undoes what an engine that was killed has left in DAMON: for `cgtided --cleanup`. \returns what
/// was done, for people.
Result<std::string> clean_up_regions(const KernelRoots& roots, const std::string& run_dir);

} // namespace cgtide::monitor
