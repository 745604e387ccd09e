#include "engine/damon/pool.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/vm/kernel/trace.hpp"
#include "tests/vm/kernel/worker.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <list>
#include <map>
#include <memory>

#include <gmock/gmock.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace cgtide::damon {
namespace {

using test::TracedRegion;
using test::Worker;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr const char* kTree = "/sys/kernel/mm/damon/admin/kdamonds";
constexpr std::uintptr_t kPlace = 0x100000000000;
constexpr std::size_t kSize = 8U << 20U;
/// Handed over in one region, and soon in three: kFewestRegions.
constexpr std::size_t kSmall = 1U << 20U;
constexpr Intervals kIntervals{Microseconds(20'000), Microseconds(400'000)};

/// Few numbers for processes, so that they come back soon.
class FewNumbers {
public:
    FewNumbers() {
        EXPECT_TRUE(sysctl_.write("pid_max", "500"));
        // Those below 300 are given out once. Source: RESERVED_PIDS in kernel/pid.c.
        while (Worker(kPlace, 4096, Worker::Does::nothing).pid() < 300) {
        }
    }
    ~FewNumbers() { EXPECT_TRUE(sysctl_.write("pid_max", before_)); }
    FewNumbers(const FewNumbers&) = delete;
    FewNumbers& operator=(const FewNumbers&) = delete;

    /// Another process of a number that is free; null where it does not come back.
    static std::unique_ptr<Worker> take(int pid) {
        for (int tries = 0; tries < 2000; ++tries) {
            auto worker = std::make_unique<Worker>(kPlace, 64U << 10U, Worker::Does::nothing);
            if (worker->pid() == pid) {
                return worker;
            }
        }
        return nullptr;
    }

private:
    KernelFiles sysctl_{Dir::open("/proc/sys/kernel").value()};
    std::string before_ = sysctl_.read("pid_max").value();
};

double milliseconds(const Epoch& epoch) {
    return std::chrono::duration<double, std::milli>(epoch.end - epoch.begin).count();
}

double seconds(TimePoint at) {
    return std::chrono::duration<double>(at.time_since_epoch()).count();
}

class DamonKernel : public ::testing::Test {
protected:
    static void SetUpTestSuite() {
        // The kernel's own user is there from the first test on, as after a boot.
        KernelFiles modules(Dir::open("/sys/module").value());
        for (const Module& module : read_modules(modules)) {
            std::printf("%s: %s\n", std::string(module.name).c_str(), module.enabled ? "Y" : "N");
        }
    }

    void TearDown() override {
        pool_.reset();
        if (ownership_) {
            EXPECT_TRUE(ownership_->release());
        }
        EXPECT_EQ(tree_.number("nr_kdamonds").value(), 0U);
        EXPECT_EQ(read_modules(modules_), found_);
    }

    void open(std::size_t slots = 4, std::size_t targets = 100) {
        ownership_.emplace(
            Ownership::acquire(realm_, {.slots = slots, .take_modules = true, .engine = ::getpid()})
                .value());
        options_.targets_per_slot = targets;
        options_.intervals = kIntervals;
        pool_.emplace(Pool::open(*ownership_, options_).value());
    }

    Applied apply(std::vector<Target> wanted) {
        Applied applied = pool_->apply(std::move(wanted)).value();
        for (const Epoch& epoch : applied.epochs) {
            std::printf("commit of %zu targets: %.1f ms\n", epoch.keys.size(), milliseconds(epoch));
        }
        for (const Applied::Failure& failure : applied.failed) {
            ADD_FAILURE() << "slot " << failure.slot << ": " << failure.error.message();
        }
        return applied;
    }

    /// Waits until a region of a target, told after `since`, is as asked for.
    bool see(std::size_t target, TimePoint since,
             const std::function<bool(const Region&)>& wanted) {
        const int kdamond = pool_->kdamonds().at(0);
        return trace_.until([&](const TracedRegion& traced) {
            return traced.kdamond == kdamond && traced.target == target &&
                   traced.seconds > seconds(since) && wanted(traced.region);
        });
    }

    /// What was told of a target around a commit, until three aggregations after it.
    struct Told {
        std::uint32_t oldest = 0;      ///< age, after the commit
        std::uint32_t accesses = 0;    ///< the most of one region since it had settled
        std::size_t fewest = SIZE_MAX; ///< regions of one aggregation, from the begin of the commit
    };

    std::map<std::size_t, Told> told_around(const Epoch& epoch) {
        std::map<std::size_t, Told> targets;
        const double end = seconds(epoch.end + 3 * kIntervals.aggregation);
        EXPECT_TRUE(trace_.until([&](const TracedRegion& traced) {
            Told& told = targets[traced.target];
            told.accesses = std::max(told.accesses, traced.region.accesses);
            if (traced.seconds > seconds(epoch.begin) && traced.seconds <= end) {
                told.fewest = std::min(told.fewest, traced.regions);
                if (traced.seconds > seconds(epoch.end)) {
                    told.oldest = std::max(told.oldest, traced.region.age);
                }
            }
            return traced.seconds > end;
        }));
        return targets;
    }

    /// A target that begins anew has the regions that it was handed over in, and age 0; one that is
    /// kept has been split to more. Ages end at an access too: in the guest 6.12 now and then
    /// counts one in all regions of processes that sleep.
    static void expect_kept(const Told& told, std::uint32_t age, std::size_t handed_over) {
        EXPECT_GT(told.fewest, handed_over);
        EXPECT_TRUE(told.oldest >= age || told.accesses > 0) << told.oldest;
    }

    /// Waits until no region of a target that begins at kPlace has changed its ways for `age`
    /// aggregations.
    void settle(std::size_t target, std::uint32_t age) {
        bool settled = false;
        std::deque<Region> last;
        const auto is_settled = [&](const Region& region) {
            constexpr std::size_t kShown = 40;
            last.push_back(region);
            if (last.size() > kShown) {
                last.pop_front();
            }
            if (region.range.start == kPlace) {
                if (settled) {
                    return true;
                }
                settled = true;
            }
            settled = settled && region.accesses == 0 && region.age >= age;
            return false;
        };
        if (see(target, TimePoint{}, is_settled)) {
            return;
        }
        for (const Region& region : last) {
            std::printf(
                "%#llx of %llu KiB: %u accesses, age %u\n",
                static_cast<unsigned long long>(region.range.start),
                static_cast<unsigned long long>((region.range.end - region.range.start) >> 10U),
                region.accesses, region.age);
        }
        FAIL() << "target " << target << " has not settled";
    }

    test::TempDir run_;
    Dir run_dir_ = run_.dir();
    KernelFiles files_{Dir::open(kTree).value()};
    KernelFiles modules_{Dir::open("/sys/module").value()};
    KernelHost host_{Dir::open("/proc").value()};
    Tree tree_{files_};
    Realm realm_{&run_dir_, &tree_, &modules_, &host_};
    std::vector<Module> found_ = read_modules(modules_);
    PoolOptions options_;
    std::optional<Ownership> ownership_;
    std::optional<Pool> pool_;
    test::Trace trace_;
};

TEST_F(DamonKernel, OffersWhatItsVersionHas) {
    open();
    const Support& support = pool_->support();
    EXPECT_TRUE(support.vaddr && support.fvaddr && support.paddr && support.tried_regions);
    const char* kernel = std::getenv("KERNEL");
    const bool newest = kernel == nullptr || std::string(kernel) == "newest";
    EXPECT_EQ(support.obsolete_target, newest);
    EXPECT_EQ(support.probes, newest);
    EXPECT_EQ(support.goal_tuner, newest);
    EXPECT_EQ(support.fail_charge, newest);
    EXPECT_EQ(support.max_nr_snapshots, newest);
    EXPECT_EQ(support.dests, newest);
}

TEST_F(DamonKernel, NeighboursComeAndGoWithoutLossOfHistory) {
    constexpr std::uint32_t kOld = 8;
    const Worker a(kPlace, kSmall, Worker::Does::nothing);
    const Worker b(kPlace, kSmall, Worker::Does::nothing);
    const Worker c(kPlace, kSmall, Worker::Does::nothing);
    open();
    apply({a.target(1)});
    settle(1, kOld);
    const Applied added = apply({a.target(1), b.target(2)});
    const std::size_t first = cut(a.target(1).ranges).size();
    ASSERT_EQ(first, 1U);
    expect_kept(told_around(added.epochs.back()).at(1), kOld, first);
    settle(2, kOld);
    const Applied removed = apply({b.target(2)});
    EXPECT_THAT(removed.epochs.back().keys, ElementsAre(kSentinel, kSentinel, 2));
    expect_kept(told_around(removed.epochs.back()).at(2), kOld, first);
    settle(2, kOld);
    const Applied grown = apply({b.target(2), c.target(3)});
    EXPECT_THAT(grown.epochs.back().keys, ElementsAre(kSentinel, 3, 2));
    const auto told = told_around(grown.epochs.back());
    EXPECT_LT(told.at(1).oldest, kOld);
    expect_kept(told.at(2), kOld, first);
    settle(1, kOld);
}

TEST_F(DamonKernel, AnIndexThatIsUsedAgainWatchesItsOwnMemoryFromTheBeginning) {
    constexpr std::uint32_t kOld = 8;
    const Worker cold(kPlace, kSize, Worker::Does::nothing);
    const Worker hot(kPlace, kSize, Worker::Does::touches);
    const Worker again(kPlace, kSize, Worker::Does::nothing);
    open(1, 1); // one seat: the new one must take it at once
    apply({cold.target(1)});
    settle(1, kOld);
    const Applied replaced = apply({hot.target(2)});
    EXPECT_THAT(replaced.failed, IsEmpty());
    EXPECT_THAT(replaced.epochs, SizeIs(2));
    EXPECT_LT(told_around(replaced.epochs.back()).at(1).oldest, kOld);
    EXPECT_TRUE(see(1, replaced.epochs.back().end, [](const Region& region) {
        return region.accesses > 0 && region.range.start >= kPlace;
    }));
    apply({again.target(3)});
    settle(1, kOld);
}

TEST_F(DamonKernel, RangesMayChangeWhileTheRestIsKept) {
    constexpr std::uint32_t kOld = 8;
    const Worker worker(kPlace, kSmall, Worker::Does::nothing);
    open();
    apply({worker.target(1)});
    settle(1, kOld);
    Target half = worker.target(1);
    half.ranges = {{kPlace, kPlace + kSmall / 4}, {kPlace + kSmall / 2, kPlace + kSmall}};
    const Applied changed = apply({half});
    expect_kept(told_around(changed.epochs.back()).at(1), kOld, half.ranges.size());
    EXPECT_TRUE(see(1, changed.epochs.back().end, [&](const Region& region) {
        return region.range.start == kPlace + kSmall / 2;
    }));
}

TEST_F(DamonKernel, AnotherIntervalKeepsRegionsAndAgesAndCountsFewerLooks) {
    constexpr std::uint32_t kOld = 8;
    const Worker cold(kPlace, kSmall, Worker::Does::nothing);
    const Worker hot(kPlace, kSmall, Worker::Does::touches);
    open();
    const std::vector<Target> wanted{cold.target(1), hot.target(2)};
    apply(wanted);
    settle(1, kOld);
    pool_->set_sample(4 * kIntervals.sample);
    const Applied slower = apply(wanted);
    ASSERT_THAT(slower.epochs, SizeIs(1));
    EXPECT_EQ(slower.epochs[0].looks, kIntervals.looks() / 4);
    expect_kept(told_around(slower.epochs[0]).at(1), kOld, 1);
    std::uint32_t most = 0;
    EXPECT_TRUE(trace_.until([&](const TracedRegion& traced) {
        most = traced.target == 2 ? std::max(most, traced.region.accesses) : most;
        return traced.seconds > seconds(slower.epochs[0].end + 8 * kIntervals.aggregation);
    }));
    EXPECT_GT(most, 0U);
    EXPECT_LE(most, slower.epochs[0].looks);
}

TEST_F(DamonKernel, ATargetThatComesBeginsInManyRegions) {
    const Worker a(kPlace, kSize, Worker::Does::nothing);
    const Worker large(kPlace, 8 * kSize, Worker::Does::nothing);
    open();
    apply({a.target(1)});
    const Applied added = apply({a.target(1), large.target(2)});
    // Cold neighbours are merged at the end of the first aggregation, to a tenth of all at most.
    EXPECT_GE(told_around(added.epochs.back()).at(2).fewest, options_.min_regions_per_target);
}

TEST_F(DamonKernel, ANumberThatIsAnothersNowIsNotWatched) {
    const FewNumbers few;
    Worker a(kPlace, kSize, Worker::Does::nothing);
    const Worker b(kPlace, kSize, Worker::Does::nothing);
    open();
    const Target before = a.target(1);
    a.end();
    const auto stranger = FewNumbers::take(before.pid);
    ASSERT_NE(stranger, nullptr);
    const Applied applied = apply({before, b.target(2)});
    EXPECT_THAT(applied.gone, ElementsAre(1));
    EXPECT_THAT(applied.epochs.back().keys, ElementsAre(kSentinel, 2));
}

TEST_F(DamonKernel, ANumberThatBecomesAnothersDuringTheCommitTellsNothing) {
    const FewNumbers few;
    Worker a(kPlace, kSize, Worker::Does::nothing);
    const Worker b(kPlace, kSize, Worker::Does::nothing);
    const Target before = a.target(1);
    std::unique_ptr<Worker> stranger;
    options_.before_commit = [&](int, TimePoint) {
        if (stranger == nullptr) {
            a.end();
            stranger = FewNumbers::take(before.pid);
        }
    };
    open();
    apply({b.target(2)});
    const Applied applied = apply({b.target(2), before});
    ASSERT_NE(stranger, nullptr);
    EXPECT_THAT(applied.gone, ElementsAre(1));
    EXPECT_THAT(applied.failed, IsEmpty());
    ASSERT_THAT(applied.epochs, SizeIs(2)); // the kernel took the stranger, and let it go again
    EXPECT_THAT(applied.epochs[0].keys, ElementsAre(kSentinel, 2, kSentinel));
    EXPECT_THAT(applied.epochs[1].keys, ElementsAre(kSentinel, 2));
}

TEST_F(DamonKernel, AProcessThatDiesBeforeTheCommitIsLeftOut) {
    Worker dying(kPlace, kSize, Worker::Does::nothing);
    const Worker a(kPlace, kSize, Worker::Does::nothing);
    const Worker b(kPlace, kSize, Worker::Does::nothing);
    options_.before_commit = [&](int, TimePoint) {
        dying.end();
    };
    open();
    apply({a.target(1)});
    const int before = pool_->kdamonds().at(0);
    const Applied applied = apply({a.target(1), dying.target(2), b.target(3)});
    EXPECT_THAT(applied.gone, ElementsAre(2));
    EXPECT_THAT(applied.failed, IsEmpty());
    EXPECT_THAT(applied.epochs.back().keys, ElementsAre(kSentinel, 1, 3));
    std::printf("the worker %s the bad commit\n",
                before == pool_->kdamonds().at(0) ? "outlived" : "was ended by");
    settle(2, 2);
}

TEST_F(DamonKernel, AllProcessesOfASlotMayDie) {
    Worker a(kPlace, kSize, Worker::Does::nothing);
    const Worker b(kPlace, kSize, Worker::Does::nothing);
    open();
    apply({a.target(1)});
    const Target gone = a.target(1);
    a.end();
    EXPECT_THAT(pool_->check()->epochs, IsEmpty());
    const Applied applied = apply({gone, b.target(2)});
    EXPECT_THAT(applied.gone, ElementsAre(1));
    settle(2, 2);
    EXPECT_THAT(apply({}).failed, IsEmpty());
    EXPECT_THAT(pool_->kdamonds(), IsEmpty());
}

TEST_F(DamonKernel, ManyTargetsFillSlotAfterSlot) {
    std::list<Worker> workers;
    std::vector<Target> targets;
    for (TargetKey key = 1; key <= 60; ++key) {
        workers.emplace_back(kPlace, 64U << 10U, Worker::Does::nothing);
        targets.push_back(workers.back().target(key));
    }
    open(64, 25);
    EXPECT_THAT(apply(targets).failed, IsEmpty());
    EXPECT_THAT(pool_->kdamonds(), SizeIs(3));
    targets.erase(targets.begin() + 10);
    EXPECT_THAT(apply(targets).epochs, SizeIs(1));
    EXPECT_THAT(apply({}).failed, IsEmpty());
}

TEST_F(DamonKernel, AStrangerGetsTheTree) {
    const Worker a(kPlace, kSize, Worker::Does::nothing);
    open();
    apply({a.target(1)});
    for (const auto& [path, text] :
         {std::pair<std::string, std::string>{"3/contexts/nr_contexts", "1"},
          {"3/contexts/0/operations", "vaddr"},
          {"3/contexts/0/targets/nr_targets", "1"},
          {"3/contexts/0/targets/0/pid_target", std::to_string(a.pid())},
          {"3/state", "on"}}) {
        ASSERT_TRUE(tree_.write(path, text)) << path;
    }
    EXPECT_EQ(pool_->check().error().code, make_error_code(Errc::conflict));
    EXPECT_EQ(tree_.worker(0).value(), 0);
    EXPECT_NE(tree_.worker(3).value(), 0);
    ASSERT_TRUE(ownership_->release());
    EXPECT_NE(tree_.worker(3).value(), 0);
    // They leave, and what is owed is given back.
    ASSERT_TRUE(tree_.write("3/state", "off"));
    ASSERT_TRUE(tree_.write("nr_kdamonds", "0"));
    ASSERT_TRUE(ownership_->release());
    ownership_.reset();
}

TEST_F(DamonKernel, AKilledEngineIsCleanedUp) {
    const Worker a(kPlace, kSize, Worker::Does::nothing);
    int ends[2] = {-1, -1};
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t engine = ::fork();
    if (engine == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        open();
        apply({a.target(1)});
        (void)!::write(ends[1], "r", 1);
        ::pause();
        ::_exit(0);
    }
    char ready = 0;
    ASSERT_EQ(::read(ends[0], &ready, 1), 1);
    EXPECT_NE(tree_.worker(0).value(), 0);
    EXPECT_EQ(recover(realm_).error().code, make_error_code(Errc::conflict)) << "it lives";
    ::kill(engine, SIGKILL);
    ASSERT_EQ(::waitpid(engine, nullptr, 0), engine);
    EXPECT_NE(tree_.worker(0).value(), 0) << "the target keeps the worker going";
    EXPECT_EQ(recover(realm_)->what, Recovered::What::cleaned);
    ::close(ends[0]);
    ::close(ends[1]);
}

TEST_F(DamonKernel, ModulesAreStoppedMeanwhile) {
    if (std::none_of(found_.begin(), found_.end(), [](const Module& one) { return one.enabled; })) {
        GTEST_SKIP() << "no module of this kernel runs";
    }
    EXPECT_EQ(Ownership::acquire(realm_, {.slots = 1, .take_modules = false, .engine = ::getpid()})
                  .error()
                  .code,
              make_error_code(Errc::conflict));
    open();
    for (const Module& module : read_modules(modules_)) {
        EXPECT_FALSE(module.enabled) << module.name;
    }
}

} // namespace
} // namespace cgtide::damon
