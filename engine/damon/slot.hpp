#pragma once

#include "engine/damon/ownership.hpp"
#include "engine/damon/plan.hpp"

#include <functional>
#include <span>
#include <unordered_map>

namespace cgtide::damon {

/// What apply() did. A target that is in none of the lists is watched.
struct Applied {
    /// Why the targets of one slot could not be brought to what was wanted. What the slot held
    /// before it may hold still.
    struct Failure {
        std::size_t slot = 0;
        Error error;
        std::vector<TargetKey> keys; ///< wanted there, and not watched
    };

    std::vector<Epoch> epochs;   ///< in the order of their commits; one for every `before_commit`
    std::vector<TargetKey> gone; ///< the process has ended
    std::vector<TargetKey> invalid; ///< is_valid() says no
    std::vector<TargetKey> no_room; ///< all slots are full
    std::vector<Failure> failed;
};

/// How a pool watches.
struct PoolOptions {
    std::size_t targets_per_slot = 100;
    std::uint64_t min_regions_per_target = 10;
    std::uint64_t max_regions_per_target = 100;
    Intervals intervals;
    bool with_scheme = false; ///< so that read() works
    bool with_goals = false;  ///< SchemeOptions::with_goals; Pool::open() finds out
    /// System RAM, rising. Where it is known the last slot is for it alone, if the kernel has what
    /// that takes.
    std::vector<Range> memory;
    bool with_moves = false; ///< the slot before it is for moves of physical memory, likewise
    /// Called just before each commit to a running worker, with its pid and the begin of the epoch
    /// that Applied::epochs will hold: what the kernel tells from now on may mean either.
    std::function<void(int kdamond, TimePoint begin)> before_commit;
};

/// One kdamond of the pool: off while it has nothing to watch. Every call blocks as the tree does.
class Slot {
public:
    explicit Slot(std::size_t number) : number_(number) {}

    std::size_t number() const { return number_; }
    /// The pid of its worker; 0 while it is off.
    int worker() const { return worker_; }
    const Seats& seats() const { return seats_; }
    /// By which it pages out.
    const std::vector<Scheme>& schemes() const { return schemes_; }
    /// In force while it runs.
    const Intervals& intervals() const { return intervals_; }

    /// Brings the slot to `wanted`, without the processes that have ended or do while it is at it,
    /// and has its worker page out what `page_outs` says of them.
    void apply(Ownership& ownership, const PoolOptions& options, std::vector<Target> wanted,
               std::span<const PageOut> page_outs, Applied& applied);

    /// Has the worker know how long a container's tasks stall, by which it pages out or holds.
    Result<void> tell_stall(Ownership& ownership, const PoolOptions& options, CgroupId container,
                            std::uint64_t measured);

    /// Turns an idle slot on with what `change` says; it is bare again where that fails.
    Result<void> start(Ownership& ownership, const PoolOptions& options, Commit change,
                       Applied& applied);

    /// Has the running worker take over what `change` says. Where that fails it goes on as before,
    /// or has ended: see worker().
    Result<void> commit(Ownership& ownership, const PoolOptions& options, Commit change,
                        Applied& applied);

    /// A round of each target whose process lives, as the worker's files tell it; nothing while it
    /// is off. Blocks as read_tried_regions() does.
    Result<std::vector<Round>> read(Ownership& ownership) const;

    /// Turns the slot off and leaves its folder bare.
    Result<void> stop(Ownership& ownership, Applied& applied);

    /// To be called where the worker has ended without us.
    Result<void> ended(Ownership& ownership, Applied& applied);

private:
    using Processes = std::unordered_map<TargetKey, UniqueFd>;

    Result<void> change(Ownership& ownership, const PoolOptions& options,
                        const std::vector<Target>& wanted, std::span<const PageOut> page_outs,
                        Applied& applied);
    void add_schemes(std::vector<Commit>& changes, Tree& tree, const PoolOptions& options,
                     std::span<const PageOut> wanted);
    std::vector<std::uint64_t> snapshots(Tree& tree, const PoolOptions& options) const;
    Result<void> write(Tree& tree, const std::vector<Write>& writes) const;
    Result<void> clear(Ownership& ownership) const;
    void forget(Applied& applied, TimePoint begin);
    void hold(const Host& host, std::vector<Target>& wanted, Applied& applied);
    bool drop_ended(std::vector<Target>& wanted, Applied& applied);
    bool holds(const std::vector<Target>& wanted) const;
    bool is_at(const std::vector<Target>& wanted, std::span<const PageOut> page_outs,
               const Intervals& intervals) const;
    void tell(Applied& applied, int worker, TimePoint begin) const;

    std::size_t number_;
    int worker_ = 0;
    Seats seats_;
    std::vector<Scheme> schemes_;
    bool has_folders_ = false; ///< of schemes that page out, which a commit would take over
    Intervals intervals_;      ///< in force while it runs
    Processes processes_;      ///< of what is wanted, while apply() runs
};

} // namespace cgtide::damon
