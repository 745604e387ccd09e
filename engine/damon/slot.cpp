#include "engine/damon/slot.hpp"

#include "engine/damon/scheme_plan.hpp"
#include "engine/damon/tried_regions.hpp"

#include <algorithm>

namespace cgtide::damon {

namespace {

constexpr std::string_view kOp = "watch by DAMON";

TimePoint now() {
    return std::chrono::steady_clock::now();
}

PlanOptions plan_options(const Ownership& ownership, const PoolOptions& options) {
    return {.targets = options.targets_per_slot,
            .min_regions = options.min_regions_per_target,
            .max_regions = options.max_regions_per_target,
            .sentinel = ownership.engine(),
            .with_scheme = options.with_scheme,
            .intervals = options.intervals};
}

std::string scheme_path(std::size_t index, const PoolOptions& options) {
    return "contexts/0/schemes/" + std::to_string(index + (options.with_scheme ? 1 : 0)) + "/";
}

} // namespace

void Slot::apply(Ownership& ownership, const PoolOptions& options, std::vector<Target> wanted,
                 std::span<const PageOut> page_outs, Applied& applied) {
    // Each round ends without a process that ended in the one before; a container in which they
    // never live that long must not keep the others waiting.
    constexpr int kRounds = 5;
    Result<void> done;
    for (int round = 0; round < kRounds && !is_at(wanted, page_outs, options.intervals); ++round) {
        hold(ownership.host(), wanted, applied);
        if (is_at(wanted, page_outs, options.intervals)) {
            break;
        }
        const bool ran = worker_ != 0;
        if (wanted.empty()) {
            done = stop(ownership, applied);
        } else if (ran) {
            done = change(ownership, options, wanted, page_outs, applied);
        } else {
            std::vector<Commit> starts{plan_start(wanted, plan_options(ownership, options))};
            add_schemes(starts, ownership.tree(), options, seated(page_outs, wanted));
            done = start(ownership, options, std::move(starts.front()), applied);
        }
        const bool again = drop_ended(wanted, applied) || (ran && worker_ == 0);
        if (!again) {
            break;
        }
    }
    processes_.clear();
    if (is_at(wanted, page_outs, options.intervals)) {
        return;
    }
    if (done) {
        done = fail(Errc::timeout, kOp, "its processes end faster than they are listed");
    }
    Applied::Failure failure{number_, done.error(), {}};
    for (const Target& target : wanted) {
        if (std::find(seats_.begin(), seats_.end(), target) == seats_.end()) {
            failure.keys.push_back(target.key);
        }
    }
    applied.failed.push_back(std::move(failure));
}

Result<void> Slot::start(Ownership& ownership, const PoolOptions& options, Commit change,
                         Applied& applied) {
    const TimePoint begin = now();
    Tree& tree = ownership.tree();
    bool on = false;
    auto worker = ownership.starting(number_)
                      .and_then([&] { return write(tree, change.writes); })
                      .and_then([&] { return tree.write(slot_path(number_, "state"), "on"); })
                      .and_then([&] {
                          on = true;
                          return tree.worker(number_);
                      })
                      .and_then([&](int pid) -> Result<int> {
                          if (pid == 0) {
                              return fail(Errc::gone, kOp, "the worker ended as soon as it ran");
                          }
                          return ownership.started(number_, pid).map([pid] { return pid; });
                      });
    if (!worker) {
        if (on) {
            (void)tree.write(slot_path(number_, "state"), "off");
        }
        (void)clear(ownership);
        return tl::unexpected(worker.error());
    }
    worker_ = *worker;
    seats_ = std::move(change.seats);
    schemes_ = std::move(change.schemes);
    intervals_ = options.intervals;
    tell(applied, worker_, begin);
    return {};
}

Result<void> Slot::change(Ownership& ownership, const PoolOptions& options,
                          const std::vector<Target>& wanted, std::span<const PageOut> page_outs,
                          Applied& applied) {
    const PlanOptions how = plan_options(ownership, options);
    auto changes = plan_changes(seats_, wanted, how);
    if (changes.empty()) { // then its intervals or its schemes are to change
        changes.push_back(plan_same(seats_, how));
    }
    add_schemes(changes, ownership.tree(), options, seated(page_outs, wanted));
    for (Commit& next : changes) {
        if (auto done = commit(ownership, options, std::move(next), applied); !done) {
            return done;
        }
    }
    return {};
}

void Slot::add_schemes(std::vector<Commit>& changes, Tree& tree, const PoolOptions& options,
                       std::span<const PageOut> wanted) {
    // A commit that failed has left its folders: the next one would take them over.
    if (wanted.empty() && !has_folders_) {
        return;
    }
    has_folders_ = true;
    const SchemeOptions how{options.with_scheme, options.with_goals, options.intervals};
    const auto schemes = carry_on(schemes_, snapshots(tree, options), wanted, changes.back().seats);
    for (Commit& next : changes) {
        const auto writes = plan_schemes(schemes, next.seats, how);
        next.writes.insert(next.writes.end(), writes.begin(), writes.end());
        next.schemes = schemes;
    }
}

/// What the worker has counted for each of its schemes; 0 where that cannot be read, and then they
/// may end early.
std::vector<std::uint64_t> Slot::snapshots(Tree& tree, const PoolOptions& options) const {
    std::vector<std::uint64_t> counts;
    if (!schemes_.empty() && tree.write(slot_path(number_, "state"), "update_schemes_stats")) {
        for (std::size_t i = 0; i < schemes_.size(); ++i) {
            counts.push_back(
                tree.number(slot_path(number_, scheme_path(i, options) + "stats/nr_snapshots"))
                    .value_or(0));
        }
    }
    return counts;
}

Result<void> Slot::tell_stall(Ownership& ownership, const PoolOptions& options, CgroupId container,
                              std::uint64_t measured) {
    Tree& tree = ownership.tree();
    const auto worker = tree.worker(number_);
    if (!schemes_.empty() && worker && *worker != worker_) {
        return fail(Errc::conflict, kOp, "slot " + std::to_string(number_) + " is not ours");
    }
    bool changed = false;
    for (std::size_t i = 0; i < schemes_.size(); ++i) {
        const PageOut& what = schemes_[i].what;
        if (what.container != container || what.stall.target == 0) {
            continue;
        }
        const std::string file = scheme_path(i, options) + "quotas/goals/0/current_value";
        if (auto done = tree.write(slot_path(number_, file), std::to_string(measured)); !done) {
            return done;
        }
        schemes_[i].what.stall.measured = measured;
        changed = true;
    }
    return changed ? tree.write(slot_path(number_, "state"), "commit_schemes_quota_goals")
                   : Result<void>{};
}

Result<void> Slot::commit(Ownership& ownership, const PoolOptions& options, Commit change,
                          Applied& applied) {
    Tree& tree = ownership.tree();
    if (auto done = write(tree, change.writes); !done) {
        return done;
    }
    const TimePoint begin = now();
    if (options.before_commit) {
        options.before_commit(worker_, begin);
    }
    auto done = tree.write(slot_path(number_, "state"), "commit");
    const auto worker = tree.worker(number_);
    if (worker && *worker != worker_) {
        // 6.12 ends the worker where an input is bad, and the write succeeds; 7.3 refuses it.
        forget(applied, begin);
        const bool free = *worker == 0;
        return (free ? clear(ownership) : Result<void>{}).and_then([&]() -> Result<void> {
            return done ? fail(Errc::gone, kOp, "the worker ended at a commit") : done;
        });
    }
    if (done) {
        seats_ = std::move(change.seats);
        schemes_ = std::move(change.schemes);
        has_folders_ = !schemes_.empty();
        intervals_ = options.intervals;
    }
    tell(applied, worker_, begin);
    return done;
}

Result<std::vector<Round>> Slot::read(Ownership& ownership) const {
    if (worker_ == 0) {
        return std::vector<Round>();
    }
    const auto worker = ownership.tree().worker(number_);
    if (worker && *worker != worker_) {
        return fail(Errc::conflict, kOp, "slot " + std::to_string(number_) + " is not ours");
    }
    const auto tried = read_tried_regions(ownership.tree(), number_);
    if (!tried) {
        return tl::unexpected(tried.error());
    }
    const auto with_looks = [&](std::vector<Round> rounds) {
        for (Round& round : rounds) {
            round.looks = intervals_.looks();
        }
        return rounds;
    };
    if (auto rounds = rounds_of(seats_, *tried)) {
        return with_looks(std::move(*rounds));
    }
    // 7.x does not try the regions of a process that has ended.
    Seats living = seats_;
    std::erase_if(living, [&](const Target& seat) {
        return seat.key != kSentinel && !ownership.host().hold(seat.pid, seat.pid_start);
    });
    return rounds_of(living, *tried).map(with_looks);
}

Result<void> Slot::stop(Ownership& ownership, Applied& applied) {
    if (worker_ == 0) {
        return {};
    }
    Tree& tree = ownership.tree();
    const TimePoint begin = now();
    const auto worker = tree.worker(number_);
    if (!worker) {
        return tl::unexpected(worker.error());
    }
    if (*worker != 0 && *worker != worker_) {
        return fail(Errc::conflict, kOp,
                    "kdamond " + std::to_string(*worker) + " in slot " + std::to_string(number_) +
                        " is not ours");
    }
    if (*worker != 0) {
        auto done = tree.write(slot_path(number_, "state"), "off");
        // It may have ended by itself in between.
        if (!done && tree.worker(number_).value_or(worker_) != 0) {
            return done;
        }
    }
    forget(applied, begin);
    return clear(ownership);
}

Result<void> Slot::ended(Ownership& ownership, Applied& applied) {
    forget(applied, now());
    return clear(ownership);
}

void Slot::forget(Applied& applied, TimePoint begin) {
    seats_.clear();
    schemes_.clear();
    has_folders_ = false;
    tell(applied, worker_, begin);
    worker_ = 0;
}

Result<void> Slot::clear(Ownership& ownership) const {
    Tree& tree = ownership.tree();
    return tree.write(slot_path(number_, "contexts/nr_contexts"), "0").and_then([&] {
        return ownership.stopped(number_);
    });
}

Result<void> Slot::write(Tree& tree, const std::vector<Write>& writes) const {
    for (const Write& one : writes) {
        if (auto done = tree.write(slot_path(number_, one.path), one.text); !done) {
            return done;
        }
    }
    return {};
}

void Slot::hold(const Host& host, std::vector<Target>& wanted, Applied& applied) {
    std::erase_if(wanted, [&](const Target& target) {
        if (processes_.count(target.key) != 0) {
            return false;
        }
        auto process = host.hold(target.pid, target.pid_start);
        if (process) {
            processes_.emplace(target.key, std::move(*process));
            return false;
        }
        applied.gone.push_back(target.key);
        return true;
    });
}

bool Slot::drop_ended(std::vector<Target>& wanted, Applied& applied) {
    return std::erase_if(wanted, [&](const Target& target) {
               const bool ended = has_ended(processes_.at(target.key));
               if (ended) {
                   applied.gone.push_back(target.key);
               }
               return ended;
           }) != 0;
}

bool Slot::is_at(const std::vector<Target>& wanted, std::span<const PageOut> page_outs,
                 const Intervals& intervals) const {
    const auto outs = seated(page_outs, wanted);
    return holds(wanted) && (worker_ == 0 || intervals_ == intervals) &&
           std::equal(schemes_.begin(), schemes_.end(), outs.begin(), outs.end(),
                      [](const Scheme& scheme, const PageOut& out) { return scheme.what == out; });
}

bool Slot::holds(const std::vector<Target>& wanted) const {
    const auto seated = std::count_if(seats_.begin(), seats_.end(),
                                      [](const Target& seat) { return seat.key != kSentinel; });
    return static_cast<std::size_t>(seated) == wanted.size() &&
           std::all_of(wanted.begin(), wanted.end(), [&](const Target& target) {
               return std::find(seats_.begin(), seats_.end(), target) != seats_.end();
           });
}

void Slot::tell(Applied& applied, int worker, TimePoint begin) const {
    Epoch epoch{
        .kdamond = worker, .begin = begin, .end = now(), .keys = {}, .looks = intervals_.looks()};
    epoch.keys.reserve(seats_.size());
    for (const Target& seat : seats_) {
        const auto process = processes_.find(seat.key);
        // The number of a process that ended may have been another's when the kernel looked it up.
        const bool stranger = process != processes_.end() && has_ended(process->second);
        epoch.keys.push_back(stranger ? kSentinel : seat.key);
    }
    applied.epochs.push_back(std::move(epoch));
}

} // namespace cgtide::damon
