// A pool whose workers page out; pool_test.cpp has what it watches.
#include "engine/damon/pool.hpp"
#include "tests/engine/damon/fixtures.hpp"

#include <cerrno>

#include <gmock/gmock.h>

namespace cgtide::damon {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using test::kBatch;
using test::kRange;
using test::kWeb;

class PagingOut : public test::PoolTest {
protected:
    PagingOut() {
        for (int pid = 101; pid < 110; ++pid) {
            kernel_.add_process(pid);
        }
    }

    void open(std::size_t targets = 3, bool with_scheme = false) {
        own(2);
        PoolOptions options;
        options.targets_per_slot = targets;
        options.with_scheme = with_scheme;
        options.before_commit = [this](int, TimePoint) {
            ++begun_;
        };
        pool_.emplace(Pool::open(*ownership_, options).value());
    }

    static PageOut page_out(TargetKey key, CgroupId container = kWeb) {
        return {.container = container,
                .pid = static_cast<int>(100 + key),
                .pid_start = 100,
                .ranges = {kRange},
                .least_age = 9,
                .bytes = 0x8000,
                .rounds = 6,
                .stall = {.measured = 0, .target = 1000}};
    }

    Applied apply(std::vector<Target> wanted) { return pool_->apply(std::move(wanted)).value(); }
    Applied begin(std::vector<PageOut> wanted) {
        return pool_->page_out(std::move(wanted)).value();
    }
    Applied end(CgroupId container = kWeb) { return pool_->end_page_out(container).value(); }

    /// Which seat a scheme is for.
    std::string seat(std::size_t scheme, std::size_t slot = 0) const {
        return kernel_.scheme(slot, scheme, "core_filters/0/damon_target_idx");
    }
    std::string last(std::size_t scheme) const {
        return kernel_.scheme(0, scheme, "stats/max_nr_snapshots");
    }

    int begun_ = 0;
};

TEST_F(PagingOut, OneCommitBeginsAndOneEnds) {
    open();
    apply({target(1), target(2)});
    EXPECT_TRUE(pool_->pages_out());
    const auto before = kernel_.running(0);
    const int commits = kernel_.commits();
    const Applied applied = begin({page_out(2)});
    EXPECT_THAT(applied.failed, IsEmpty());
    EXPECT_THAT(applied.epochs, SizeIs(1));
    EXPECT_EQ(begun_, 1);
    EXPECT_EQ(kernel_.scheme(0, 0, "action"), "pageout");
    EXPECT_EQ(seat(0), "2");
    EXPECT_EQ(pool_->paging_out(kWeb), 1U);
    EXPECT_EQ(kernel_.running(0), before); // whose ages are kept
    EXPECT_THAT(end().failed, IsEmpty());
    EXPECT_EQ(kernel_.schemes(0), 0U);
    EXPECT_EQ(pool_->paging_out(kWeb), 0U);
    EXPECT_EQ(kernel_.running(0), before);
    EXPECT_EQ(kernel_.commits(), commits + 2);
    const int writes = kernel_.writes();
    apply({target(1), target(2)});
    EXPECT_EQ(kernel_.writes(), writes);
}

TEST_F(PagingOut, FiltersFollowTheSeats) {
    open();
    apply({target(1), target(2)});
    begin({page_out(2)});
    apply({target(2)}); // a hole before it, and then somebody else
    EXPECT_EQ(seat(0), "2");
    apply({target(2), target(3)});
    EXPECT_EQ(seat(0), "2");
    end();
    begin({page_out(3)});
    EXPECT_EQ(seat(0), "1");
}

TEST_F(PagingOut, AContainerMayHaveTargetsInSeveralSlots) {
    open(1);
    apply({target(1), target(2)});
    begin({page_out(1), page_out(2)});
    EXPECT_EQ(pool_->paging_out(kWeb), 2U);
    EXPECT_EQ(seat(0, 0), "1");
    EXPECT_EQ(seat(0, 1), "1");
    end();
    EXPECT_EQ(kernel_.schemes(0) + kernel_.schemes(1), 0U);
}

TEST_F(PagingOut, SeveralContainersShareASlot) {
    open();
    apply({target(1), target(2)});
    begin({page_out(1)});
    const std::string first = last(0);
    kernel_.count_snapshots(0, 5);
    begin({page_out(2, kBatch)});
    EXPECT_EQ(seat(1), "2");
    EXPECT_EQ(last(0), first);
    kernel_.count_snapshots(0, 4);
    // What is left goes on under an index that has counted more.
    const auto left = std::stoi(last(1)) - 4;
    end(kWeb);
    ASSERT_EQ(kernel_.schemes(0), 1U);
    EXPECT_EQ(seat(0), "2");
    EXPECT_EQ(last(0), std::to_string(9 + left));
    end(kBatch);
    EXPECT_EQ(kernel_.schemes(0), 0U);
}

TEST_F(PagingOut, WhoIsNotWatchedIsLeftOut) {
    open();
    apply({target(1)});
    begin({page_out(1), page_out(5)});
    EXPECT_EQ(kernel_.schemes(0), 1U);
    apply({}); // all have left
    EXPECT_EQ(pool_->paging_out(kWeb), 0U);
    EXPECT_FALSE(kernel_.running(0));
    end();
}

TEST_F(PagingOut, AProcessThatEndedCostsNobodyElseTheScheme) {
    open();
    apply({target(1), target(2)});
    kernel_.end_process(101);
    const Applied applied = begin({page_out(2)});
    EXPECT_THAT(applied.gone, ::testing::ElementsAre(1));
    EXPECT_THAT(applied.failed, IsEmpty());
    EXPECT_EQ(seat(0), "2");
}

TEST_F(PagingOut, ACommitThatFailsIsMadeUpForByTheNext) {
    open();
    const std::vector<Target> wanted{target(1)};
    apply(wanted);
    kernel_.fail("addr_end", EINVAL, 1000);
    EXPECT_THAT(begin({page_out(1)}).failed, SizeIs(1));
    EXPECT_EQ(pool_->paging_out(kWeb), 0U);
    kernel_.clear_faults();
    EXPECT_THAT(apply(wanted).failed, IsEmpty());
    EXPECT_EQ(pool_->paging_out(kWeb), 1U);
    kernel_.fail("state", EINVAL, 1000);
    EXPECT_THAT(end().failed, SizeIs(1));
    EXPECT_EQ(pool_->paging_out(kWeb), 1U);
    kernel_.clear_faults();
    apply(wanted);
    EXPECT_EQ(kernel_.schemes(0), 0U);
}

TEST_F(PagingOut, NoCommitTakesOverWhatAFailedOneHasLeftInTheTree) {
    open();
    apply({target(1)});
    kernel_.fail("state", EINVAL, 1000);
    EXPECT_THAT(begin({page_out(1)}).failed, SizeIs(1));
    EXPECT_THAT(end().failed, IsEmpty()); // the worker has no scheme
    kernel_.clear_faults();
    apply({target(1), target(2)});
    EXPECT_EQ(kernel_.schemes(0), 0U);
    EXPECT_EQ(kernel_.get("0/contexts/0/schemes/nr_schemes"), "0");
}

TEST_F(PagingOut, AStallIsToldWithoutACommit) {
    open();
    apply({target(1), target(2)});
    begin({page_out(1), page_out(2, kBatch)});
    const int commits = kernel_.commits();
    ASSERT_TRUE(pool_->tell_stall(kBatch, 2000));
    EXPECT_EQ(kernel_.scheme(0, 0, "quotas/goals/0/current_value"), "0");
    EXPECT_EQ(kernel_.scheme(0, 1, "quotas/goals/0/current_value"), "2000");
    const int writes = kernel_.writes();
    apply({target(1), target(2)});
    EXPECT_EQ(kernel_.writes(), writes);
    EXPECT_EQ(kernel_.commits(), commits);
}

TEST_F(PagingOut, WithoutGoalsNoStallIsTold) {
    kernel_.remove_file("goal_tuner");
    open();
    apply({target(1)});
    begin({page_out(1)});
    const int writes = kernel_.writes();
    EXPECT_TRUE(pool_->tell_stall(kWeb, 2000));
    EXPECT_EQ(kernel_.writes(), writes);
    EXPECT_EQ(kernel_.scheme(0, 0, "quotas/goals/nr_goals"), "0");
}

TEST_F(PagingOut, RegionsAreReadFromFilesMeanwhile) {
    open(3, true);
    apply({target(1), target(2)});
    begin({page_out(1)});
    EXPECT_EQ(kernel_.scheme(0, 0, "action"), "stat");
    EXPECT_EQ(kernel_.scheme(0, 1, "action"), "pageout");
    EXPECT_THAT(pool_->read(0).value(), SizeIs(2));
    end();
    EXPECT_EQ(kernel_.schemes(0), 1U);
    EXPECT_THAT(pool_->read(0).value(), SizeIs(2));
}

TEST_F(PagingOut, AWorkerThatStartsAnewPagesOutAgain) {
    open();
    apply({target(1)});
    begin({page_out(1)});
    const std::string first = last(0);
    kernel_.count_snapshots(0, 5);
    kernel_.poke("0/state", "off");
    apply({target(1)});
    EXPECT_EQ(seat(0), "1");
    EXPECT_EQ(last(0), first);
}

TEST_F(PagingOut, ASlotThatSomebodyElseTookIsLeftAlone) {
    open();
    apply({target(1)});
    begin({page_out(1)});
    kernel_.poke("0/state", "off");
    kernel_.poke("0/state", "on");
    const int writes = kernel_.writes();
    const auto told = pool_->tell_stall(kWeb, 2000);
    ASSERT_FALSE(told);
    EXPECT_THAT(told.error().message(), HasSubstr("not ours"));
    EXPECT_FALSE(pool_->end_page_out(kWeb));
    EXPECT_EQ(kernel_.writes(), writes);
    EXPECT_TRUE(pool_->tell_stall(kWeb, 3000)); // nothing of ours runs any more
}

TEST_F(PagingOut, SchemesThatWouldOutliveTheEngineAreNotOffered) {
    kernel_.remove_file("max_nr_snapshots");
    open();
    EXPECT_FALSE(pool_->pages_out());
}

} // namespace
} // namespace cgtide::damon
