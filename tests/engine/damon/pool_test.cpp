#include "engine/damon/pool.hpp"
#include "tests/engine/damon/fixtures.hpp"

#include <cerrno>

#include <gmock/gmock.h>

namespace cgtide::damon {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

using test::kEngine;
using test::kRange;

class Pooled : public test::PoolTest {
protected:
    Pooled() {
        for (int pid = 101; pid < 110; ++pid) {
            kernel_.add_process(pid);
        }
    }

    void open(std::size_t slots = 2, std::size_t targets = 3, bool with_scheme = false) {
        own(slots);
        PoolOptions options;
        options.targets_per_slot = targets;
        options.with_scheme = with_scheme;
        options.before_commit = [this](int kdamond, TimePoint begin) {
            begun_.emplace_back(kdamond, begin);
        };
        pool_.emplace(Pool::open(*ownership_, options).value());
    }

    Applied apply(std::vector<Target> wanted) { return pool_->apply(std::move(wanted)).value(); }

    /// The pids that a slot watches, by index.
    std::vector<int> pids(std::size_t slot) {
        std::vector<int> found;
        const auto targets = kernel_.running(slot);
        for (const auto& one : targets.value_or(std::vector<test::FakeDamon::Target>{})) {
            found.push_back(one.pid);
        }
        return found;
    }

    /// Ends a process just before or just after the kernel takes a write.
    void end_at(const std::string& path_end, const std::string& text, bool done, int pid) {
        kernel_.on_write([=, this, once = false](const std::string& path, std::string_view what,
                                                 bool after) mutable {
            if (!once && path.ends_with(path_end) && what == text && after == done) {
                once = true;
                kernel_.end_process(pid);
            }
        });
    }

    std::vector<std::pair<int, TimePoint>> begun_;
};

TEST_F(Pooled, OneSlotRunsForAFewTargets) {
    open();
    const Applied applied = apply({target(1), target(2)});
    EXPECT_THAT(pids(0), ElementsAre(kEngine, 101, 102));
    EXPECT_FALSE(kernel_.running(1));
    ASSERT_THAT(applied.epochs, SizeIs(1));
    EXPECT_EQ(applied.epochs[0].kdamond, kernel_.worker(0));
    EXPECT_THAT(applied.epochs[0].keys, ElementsAre(kSentinel, 1, 2));
    EXPECT_LE(applied.epochs[0].begin, applied.epochs[0].end);
    EXPECT_THAT(pool_->kdamonds(), ElementsAre(kernel_.worker(0)));
}

TEST_F(Pooled, WithASchemeItsRegionsCanBeReadFromFiles) {
    open(2, 1, true);
    pool_->set_sample(Microseconds(100'000));
    apply({target(1), target(2)});
    const auto rounds = pool_->read(1).value();
    ASSERT_THAT(rounds, SizeIs(1));
    EXPECT_EQ(rounds[0].key, 2U);
    EXPECT_EQ(rounds[0].looks, 10U);
    EXPECT_THAT(rounds[0].regions, ElementsAre(Region{kRange, 2, 0}));
    apply({target(2)}); // also after commits, and with a slot off
    EXPECT_THAT(pool_->read(0).value(), IsEmpty());
    EXPECT_EQ(pool_->read(1).value().at(0).key, 2U);
    kernel_.fail("state", EBUSY);
    EXPECT_FALSE(pool_->read(1));
    EXPECT_THAT(pool_->read(1).value(), SizeIs(1));
}

TEST_F(Pooled, AProcessThatEndedCostsTheOthersNoReading) {
    for (const bool old : {false, true}) {
        kernel_.set_old(old);
        kernel_.add_process(102);
        open(1, 3, true);
        apply({target(1), target(2), target(3)});
        kernel_.end_process(102);
        const auto rounds = pool_->read(0);
        ASSERT_TRUE(rounds) << rounds.error().message();
        std::vector<TargetKey> keys;
        for (const Round& round : *rounds) {
            keys.push_back(round.key);
        }
        EXPECT_EQ(keys, old ? std::vector<TargetKey>({1, 2, 3}) : std::vector<TargetKey>({1, 3}));
        EXPECT_TRUE(pool_->stop());
        pool_.reset();
        EXPECT_TRUE(ownership_->release());
    }
}

TEST_F(Pooled, NothingIsReadFromASlotThatSomebodyElseTook) {
    open(1, 3, true);
    apply({target(1)});
    kernel_.poke("0/state", "off");
    kernel_.poke("0/state", "on");
    const int writes = kernel_.writes();
    const auto read = pool_->read(0);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, make_error_code(Errc::conflict));
    EXPECT_EQ(kernel_.writes(), writes);
}

TEST_F(Pooled, RegionsCannotBeReadFromFilesThatAreNotThere) {
    kernel_.remove_file("total_bytes");
    own(1);
    PoolOptions options;
    options.with_scheme = true;
    const auto opened = Pool::open(*ownership_, options);
    ASSERT_FALSE(opened);
    EXPECT_THAT(opened.error().message(), HasSubstr("tried_regions"));
}

TEST_F(Pooled, NeighboursKeepTheirHistory) {
    open();
    apply({target(1), target(2)});
    const auto before = kernel_.running(0).value();
    apply({target(2), target(3)});
    apply({target(2)});
    apply({target(2), target(4)});
    const auto after = kernel_.running(0).value();
    EXPECT_THAT(pids(0), ElementsAre(kEngine, 104, 102));
    EXPECT_EQ(after[2], before[2]);
    EXPECT_GT(after[1].regions[0].since, before[1].regions[0].since);
}

TEST_F(Pooled, AFullSlotsNewTargetInheritsNothing) {
    open(1, 1);
    apply({target(1)});
    const int before = kernel_.commits();
    const Applied applied = apply({target(2)});
    EXPECT_THAT(pids(0), ElementsAre(kEngine, 102));
    EXPECT_EQ(kernel_.running(0)->at(1).regions[0].since, before + 2);
    EXPECT_THAT(applied.epochs, SizeIs(2));
    EXPECT_THAT(begun_, SizeIs(2));
    EXPECT_EQ(begun_[0].second, applied.epochs[0].begin);
}

TEST_F(Pooled, NothingIsCommittedWhereNothingChanges) {
    open();
    apply({target(1), target(2)});
    const int before = kernel_.writes();
    EXPECT_THAT(apply({target(2), target(1)}).epochs, IsEmpty());
    EXPECT_EQ(kernel_.writes(), before);
}

TEST_F(Pooled, ASlotWithoutTargetsIsTurnedOffAlone) {
    open(2, 1);
    apply({target(1), target(2)});
    const int first = kernel_.worker(0);
    const int second = kernel_.worker(1);
    ASSERT_NE(second, 0);
    const Applied applied = apply({target(2)});
    EXPECT_EQ(kernel_.worker(0), 0);
    EXPECT_EQ(kernel_.worker(1), second);
    EXPECT_EQ(kernel_.get("0/contexts/nr_contexts"), "0");
    ASSERT_THAT(applied.epochs, SizeIs(1));
    EXPECT_EQ(applied.epochs[0].kdamond, first);
    EXPECT_THAT(applied.epochs[0].keys, IsEmpty());
}

TEST_F(Pooled, WhoFindsNoRoomOrIsWrongIsListed) {
    open(2, 1);
    const Applied applied = apply({target(1), target(9, {}), target(2), target(3)});
    EXPECT_THAT(applied.no_room, ElementsAre(3));
    EXPECT_THAT(applied.invalid, ElementsAre(9));
    EXPECT_THAT(pids(1), ElementsAre(kEngine, 102));
}

TEST_F(Pooled, AProcessThatEndedBeforeIsLeftOut) {
    open();
    kernel_.end_process(101);
    kernel_.add_process(102, 999); // its number is another's now
    const Applied applied = apply({target(1), target(2), target(3)});
    EXPECT_THAT(applied.gone, ElementsAre(1, 2));
    EXPECT_THAT(pids(0), ElementsAre(kEngine, 103));
}

TEST_F(Pooled, AProcessThatEndsBeforeTheCommitIsLeftOut) {
    open();
    apply({target(1)});
    end_at("state", "commit", false, 102);
    const Applied applied = apply({target(1), target(2), target(3)});
    EXPECT_THAT(applied.gone, ElementsAre(2));
    EXPECT_THAT(applied.failed, IsEmpty());
    EXPECT_THAT(pids(0), ElementsAre(kEngine, 101, 103));
    EXPECT_THAT(applied.epochs, SizeIs(begun_.size()));
    EXPECT_THAT(applied.epochs.back().keys, ElementsAre(kSentinel, 1, 3));
}

TEST_F(Pooled, ANeighbourThatEndsBeforeTheCommitDoesNotKeepOthersOut) {
    open();
    apply({target(1), target(2)});
    end_at("pid_target", "103", true, 101);
    const Applied applied = apply({target(1), target(2), target(3)});
    EXPECT_THAT(applied.gone, ElementsAre(1));
    EXPECT_THAT(pids(0), ElementsAre(kEngine, kEngine, 102, 103));
}

TEST_F(Pooled, AProcessThatEndsAfterTheCommitIsTakenOut) {
    open();
    apply({target(1)});
    end_at("state", "commit", true, 102);
    const Applied applied = apply({target(1), target(2), target(3)});
    EXPECT_THAT(applied.gone, ElementsAre(2));
    EXPECT_THAT(pids(0), ElementsAre(kEngine, 101, kEngine, 103));
    ASSERT_THAT(applied.epochs, SizeIs(2));
    // What index 2 tells may be a stranger's from the first commit on.
    EXPECT_THAT(applied.epochs[0].keys, ElementsAre(kSentinel, 1, kSentinel, 3));
}

TEST_F(Pooled, AProcessThatEndsBeforeTheStartIsLeftOut) {
    open();
    end_at("state", "on", false, 101);
    const Applied applied = apply({target(1), target(2)});
    EXPECT_THAT(applied.gone, ElementsAre(1));
    EXPECT_THAT(applied.failed, IsEmpty());
    EXPECT_THAT(pids(0), ElementsAre(kEngine, 102));
}

TEST_F(Pooled, AllOfASlotMayEnd) {
    open();
    apply({target(1), target(2)});
    kernel_.end_process(101);
    kernel_.end_process(102);
    EXPECT_THAT(pids(0), ElementsAre(kEngine, 101, 102));
    const Applied applied = apply({target(1), target(2), target(3)});
    EXPECT_THAT(applied.gone, UnorderedElementsAre(1, 2));
    EXPECT_THAT(pids(0), ElementsAre(kEngine, kEngine, kEngine, 103));
    kernel_.end_process(103);
    EXPECT_THAT(apply({}).gone, IsEmpty());
    EXPECT_FALSE(kernel_.running(0));
}

TEST_F(Pooled, OnOldKernelsABadCommitCostsTheHistoryAndNoMore) {
    kernel_.set_old(true);
    open();
    apply({target(1)});
    const int before = kernel_.worker(0);
    end_at("state", "commit", false, 102);
    const Applied applied = apply({target(1), target(2), target(3)});
    EXPECT_THAT(applied.gone, ElementsAre(2));
    EXPECT_THAT(applied.failed, IsEmpty());
    EXPECT_THAT(pids(0), ElementsAre(kEngine, 101, 103));
    ASSERT_THAT(applied.epochs, SizeIs(2));
    EXPECT_EQ(applied.epochs[0].kdamond, before);
    EXPECT_THAT(applied.epochs[0].keys, IsEmpty());
    EXPECT_EQ(applied.epochs[1].kdamond, kernel_.worker(0));
}

TEST_F(Pooled, WhereProcessesNeverLastTheOthersAreServedAllTheSame) {
    open(2, 7);
    apply({target(9)});
    int next = 101;
    kernel_.on_write([&](const std::string& path, std::string_view text, bool done) {
        if (path == "0/state" && text == "commit" && !done) {
            kernel_.end_process(next++);
        }
    });
    std::vector<Target> wanted{target(9)};
    for (TargetKey key = 1; key <= 7; ++key) {
        wanted.push_back(target(key));
    }
    const Applied applied = apply(wanted);
    EXPECT_THAT(applied.gone, ElementsAre(1, 2, 3, 4, 5));
    ASSERT_THAT(applied.failed, SizeIs(1));
    EXPECT_THAT(applied.failed[0].keys, ElementsAre(6));
    EXPECT_THAT(pids(0), ElementsAre(kEngine, 109));
    EXPECT_THAT(pids(1), ElementsAre(kEngine, 107));
    kernel_.on_write({});
    EXPECT_THAT(apply(wanted).failed, IsEmpty());
    EXPECT_THAT(pids(0), ElementsAre(kEngine, 109, 106));
}

/// Every file that apply() writes, with the error that the kernel may give.
class FaultyWrite : public Pooled,
                    public ::testing::WithParamInterface<std::tuple<std::string, int>> {};

TEST_P(FaultyWrite, FailsItsSlotAloneAndTheNextApplyMendsIt) {
    const auto& [path, error] = GetParam();
    open(3, 1);
    apply({target(1)});
    kernel_.fail("1/" + path, error, 1000);
    const Applied applied = apply({target(1), target(2), target(3)});
    EXPECT_THAT(pids(0), ElementsAre(kEngine, 101));
    EXPECT_THAT(pids(2), ElementsAre(kEngine, 103));
    ASSERT_THAT(applied.failed, SizeIs(1));
    EXPECT_EQ(applied.failed[0].slot, 1U);
    EXPECT_THAT(applied.failed[0].keys, ElementsAre(2));
    EXPECT_EQ(applied.failed[0].error.code.value(), error);
    EXPECT_THAT(applied.failed[0].error.message(), HasSubstr("1/" + path));
    kernel_.clear_faults();
    EXPECT_THAT(apply({target(1), target(2), target(3)}).failed, IsEmpty());
    EXPECT_THAT(pids(1), ElementsAre(kEngine, 102));
}

INSTANTIATE_TEST_SUITE_P(
    AllWritesOfAStart, FaultyWrite,
    ::testing::Combine(::testing::Values("contexts/nr_contexts", "contexts/0/operations",
                                         "contexts/0/monitoring_attrs/intervals/sample_us",
                                         "contexts/0/monitoring_attrs/intervals/aggr_us",
                                         "contexts/0/monitoring_attrs/nr_regions/min",
                                         "contexts/0/monitoring_attrs/nr_regions/max",
                                         "contexts/0/targets/nr_targets",
                                         "contexts/0/targets/1/pid_target",
                                         "contexts/0/targets/1/regions/nr_regions",
                                         "contexts/0/targets/1/regions/0/start",
                                         "contexts/0/targets/1/regions/0/end", "state"),
                       ::testing::Values(EBUSY, ENOMEM, EINVAL)));

TEST_F(Pooled, AnotherIntervalIsOneCommitASlotThatKeepsAll) {
    constexpr Microseconds kSlow{200'000};
    open();
    const std::vector<Target> wanted{target(1), target(2), target(3), target(4)};
    EXPECT_EQ(apply(wanted).epochs.back().looks, 20U);
    const std::vector before{kernel_.running(0), kernel_.running(1)};
    pool_->set_sample(kSlow);
    const Applied applied = apply(wanted);
    ASSERT_THAT(applied.epochs, SizeIs(2));
    EXPECT_THAT(applied.epochs[0].keys, ElementsAre(kSentinel, 1, 2, 3));
    EXPECT_EQ(applied.epochs[0].looks, 5U);
    EXPECT_EQ(applied.epochs[1].looks, 5U);
    EXPECT_THAT(begun_, SizeIs(2));
    EXPECT_EQ((std::vector{kernel_.running(0), kernel_.running(1)}), before);
    EXPECT_EQ(tree_.number(slot_path(0, "contexts/0/monitoring_attrs/intervals/sample_us")).value(),
              200'000U);
    EXPECT_THAT(apply(wanted).epochs, IsEmpty());
}

TEST_F(Pooled, AnIntervalThatTheKernelDidNotTakeIsTriedAgain) {
    open();
    const std::vector<Target> wanted{target(1)};
    apply(wanted);
    pool_->set_sample(Microseconds(100'000));
    kernel_.fail("state", EINVAL, 1000);
    const Applied failed = apply(wanted);
    ASSERT_THAT(failed.failed, SizeIs(1));
    EXPECT_THAT(failed.failed[0].keys, IsEmpty()); // it is watched as before
    EXPECT_EQ(failed.epochs.back().looks, 20U);
    kernel_.clear_faults();
    const Applied done = apply(wanted);
    EXPECT_THAT(done.failed, IsEmpty());
    EXPECT_EQ(done.epochs.back().looks, 10U);
}

/// The same for the writes of a change to a slot that runs.
class FaultyChange : public Pooled,
                     public ::testing::WithParamInterface<std::tuple<std::string, int>> {};

TEST_P(FaultyChange, LeavesWhatRuns) {
    const auto& [path, error] = GetParam();
    open();
    apply({target(1)});
    const auto before = kernel_.running(0);
    kernel_.fail(path, error, 1000);
    const Applied applied = apply({target(1), target(2)});
    EXPECT_EQ(kernel_.running(0), before);
    ASSERT_THAT(applied.failed, SizeIs(1));
    EXPECT_THAT(applied.failed[0].keys, ElementsAre(2));
    EXPECT_THAT(applied.epochs, SizeIs(begun_.size()));
    kernel_.clear_faults();
    EXPECT_THAT(apply({target(1), target(2)}).failed, IsEmpty());
    EXPECT_EQ(kernel_.running(0)->at(1), before->at(1));
    EXPECT_THAT(pids(0), ElementsAre(kEngine, 101, 102));
}

INSTANTIATE_TEST_SUITE_P(
    AllWritesOfAChange, FaultyChange,
    ::testing::Combine(::testing::Values("sample_us", "nr_regions/min", "nr_regions/max",
                                         "nr_targets", "2/pid_target", "regions/nr_regions",
                                         "regions/0/start", "regions/0/end", "state"),
                       ::testing::Values(EBUSY, ENOMEM, EINVAL)));

TEST_F(Pooled, AForeignStartEndsOurs) {
    kernel_.set_module("damon_stat", true);
    open(3);
    apply({target(1)});
    kernel_.poke("2/contexts/nr_contexts", "1");
    kernel_.poke("2/state", "on");
    const auto lost = pool_->check();
    ASSERT_FALSE(lost);
    EXPECT_EQ(lost.error().code, make_error_code(Errc::conflict));
    EXPECT_THAT(lost.error().message(), HasSubstr(std::to_string(kernel_.worker(2))));
    EXPECT_EQ(kernel_.worker(0), 0);
    EXPECT_NE(kernel_.worker(2), 0);

    const int before = kernel_.writes();
    EXPECT_FALSE(pool_->apply({target(1)}));
    EXPECT_FALSE(pool_->stop());
    EXPECT_EQ(kernel_.writes(), before);
    EXPECT_THAT(ownership_->release()->owed, ElementsAre("damon_stat"));
    EXPECT_EQ(kernel_.get("nr_kdamonds"), "3");
    EXPECT_FALSE(kernel_.module("damon_stat"));
}

TEST_F(Pooled, AnotherWorkerInOurSlotIsForeign) {
    open();
    apply({target(1)});
    kernel_.poke("0/state", "off");
    kernel_.poke("0/state", "on");
    EXPECT_FALSE(pool_->check());
    EXPECT_NE(kernel_.worker(0), 0);
}

TEST_F(Pooled, AnotherNumberOfSlotsIsForeign) {
    open();
    kernel_.poke("nr_kdamonds", "1");
    EXPECT_THAT(pool_->check().error().message(), HasSubstr("slots are 1"));
}

TEST_F(Pooled, AWorkerThatWasTurnedOffStartsAgain) {
    open();
    apply({target(1)});
    const int before = kernel_.worker(0);
    kernel_.poke("0/state", "off");
    const Applied ended = pool_->check().value();
    ASSERT_THAT(ended.epochs, SizeIs(1));
    EXPECT_EQ(ended.epochs[0].kdamond, before);
    apply({target(1)});
    EXPECT_THAT(pids(0), ElementsAre(kEngine, 101));
}

TEST_F(Pooled, StopTurnsAllOff) {
    open(2, 1);
    apply({target(1), target(2)});
    EXPECT_THAT(pool_->stop()->epochs, SizeIs(2));
    EXPECT_EQ(kernel_.worker(0) + kernel_.worker(1), 0);
    EXPECT_THAT(pool_->kdamonds(), IsEmpty());
}

TEST_F(Pooled, NeedsRangesOfAddressSpaces) {
    kernel_.set_operations("paddr\n");
    own(1);
    const auto pool = Pool::open(*ownership_, {});
    ASSERT_FALSE(pool);
    EXPECT_EQ(pool.error().code, make_error_code(Errc::unsupported));
}

} // namespace
} // namespace cgtide::damon
