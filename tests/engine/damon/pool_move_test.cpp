#include "engine/damon/pool.hpp"
#include "tests/engine/damon/fixtures.hpp"

#include <cerrno>
#include <vector>

#include <gmock/gmock.h>

namespace cgtide::damon {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// The slot for moves; the last one is for physical memory.
constexpr std::size_t kMoves = 1;

/// The scheme that looks, and the one that moves.
constexpr std::size_t kLook = 0;
constexpr std::size_t kMove = 1;

/// A pool whose second slot is for moves.
class PoolMoves : public test::PoolTest {
protected:
    PoolMoves() {
        own(kMoves + 2);
        pool_.emplace(Pool::open(*ownership_, options(true)).value());
    }

    static PoolOptions options(bool with_moves) {
        PoolOptions options;
        options.memory = {{0x100000, 0x40000000}};
        options.with_moves = with_moves;
        return options;
    }

    static PhysicalMove demotion(std::uint64_t container) {
        return {.container = CgroupId{container},
                .hot = false,
                .cgroups = {{CgroupId{container}, "/web"}},
                .to = 1,
                .from = {{0x100000, 0x20000000}},
                .bytes = 1U << 20U,
                .look_at = Microseconds(1'000'000),
                .move_at = Microseconds(2'000'000),
                .idle_for = 9,
                .with_unmapped = true};
    }

    void watch() { EXPECT_THAT(pool_->watch_moves(true).value().failed, IsEmpty()); }

    /// The errors, if any.
    std::vector<Errc> begin(std::uint64_t container) {
        std::vector<Errc> errors;
        const Applied applied = pool_->begin_move({demotion(container)}).value();
        for (const auto& failure : applied.failed) {
            errors.push_back(static_cast<Errc>(failure.error.code.value()));
        }
        return errors;
    }

    std::uint64_t end() { return pool_->end_move().value().bytes; }
};

TEST_F(PoolMoves, HaveASlotOfTheirOwnThatIsOffWhereNobodyAsks) {
    EXPECT_TRUE(pool_->moves_memory());
    EXPECT_EQ(pool_->target_slots(), 1U);
    EXPECT_EQ(kernel_.worker(kMoves), 0);
    watch();
    EXPECT_NE(kernel_.worker(kMoves), 0);
    EXPECT_EQ(kernel_.schemes(kMoves), 0U);
    EXPECT_THAT(pool_->watch_moves(false).value().failed, IsEmpty());
    EXPECT_EQ(kernel_.worker(kMoves), 0);
}

TEST_F(PoolMoves, TellNoRounds) {
    const Applied applied = pool_->watch_moves(true).value();
    ASSERT_EQ(applied.epochs.size(), 1U);
    EXPECT_EQ(applied.epochs[0].keys, std::vector<TargetKey>{kSentinel});
}

TEST_F(PoolMoves, AreNotBegunBeforeMemoryIsWatched) {
    EXPECT_THAT(begin(7), ElementsAre(Errc::gone));
}

TEST_F(PoolMoves, EndWithWhatTheyHaveMoved) {
    watch();
    EXPECT_THAT(begin(7), IsEmpty());
    EXPECT_EQ(kernel_.scheme(kMoves, 0, "action"), "stat");
    EXPECT_EQ(kernel_.scheme(kMoves, kMove, "action"), "migrate_cold");
    kernel_.count_applied(kMoves, kMove, 4096);
    EXPECT_EQ(end(), 4096U);
    EXPECT_EQ(kernel_.schemes(kMoves), 0U);
    EXPECT_EQ(end(), 0U);
    EXPECT_THAT(begin(8), IsEmpty());
    EXPECT_EQ(end(), 0U) << "what the one before has moved is not the next one's";
}

TEST_F(PoolMoves, AreOverOnceTheWorkerHasTriedThem) {
    EXPECT_TRUE(pool_->move_is_over()) << "there are none";
    watch();
    EXPECT_THAT(begin(7), IsEmpty());
    EXPECT_FALSE(pool_->move_is_over());
    kernel_.count_snapshot_of(kMoves, kLook);
    kernel_.count_applied(kMoves, kLook, 4096);
    EXPECT_FALSE(pool_->move_is_over()) << "it has only looked";
    kernel_.count_snapshot_of(kMoves, kMove);
    EXPECT_TRUE(pool_->move_is_over());
    EXPECT_EQ(end(), 0U) << "nothing moves by a look";
    EXPECT_THAT(begin(7), IsEmpty());
    EXPECT_FALSE(pool_->move_is_over());
    kernel_.count_applied(kMoves, kMove, 1U << 20U); // no snapshot counts that uses the quota up
    EXPECT_TRUE(pool_->move_is_over());
}

TEST_F(PoolMoves, AreOverWhereTheWorkerIsSomebodyElses) {
    watch();
    EXPECT_THAT(begin(7), IsEmpty());
    kernel_.poke(slot_path(kMoves, "state"), "off");
    kernel_.poke(slot_path(kMoves, "state"), "on");
    const int writes = kernel_.writes();
    EXPECT_TRUE(pool_->move_is_over());
    EXPECT_EQ(kernel_.writes(), writes);
}

TEST_F(PoolMoves, AreOneContainersAtATime) {
    watch();
    EXPECT_THAT(begin(7), IsEmpty());
    EXPECT_THAT(begin(8), ElementsAre(Errc::conflict));
    EXPECT_EQ(kernel_.schemes(kMoves), 2U);
    kernel_.count_applied(kMoves, kMove, 8192);
    EXPECT_EQ(end(), 8192U);
}

TEST_F(PoolMoves, AnotherSamplingIntervalWaitsForTheirEnd) {
    watch();
    EXPECT_THAT(begin(7), IsEmpty());
    pool_->set_sample(Microseconds(100'000));
    watch();
    EXPECT_EQ(kernel_.schemes(kMoves), 2U);
    end();
    const int writes = kernel_.writes();
    watch();
    EXPECT_EQ(kernel_.schemes(kMoves), 0U);
    EXPECT_EQ(kernel_.writes(), writes) << "the end was a commit with the new interval";
}

TEST_F(PoolMoves, AnEndThatFailsIsMadeUpForByTheNextPeriod) {
    watch();
    EXPECT_THAT(begin(7), IsEmpty());
    kernel_.count_applied(kMoves, kMove, 4096);
    kernel_.fail("schemes/nr_schemes", EINVAL);
    const auto ended = pool_->end_move().value();
    EXPECT_EQ(ended.bytes, 4096U) << "they have moved all the same";
    EXPECT_EQ(ended.applied.failed.size(), 1U);
    EXPECT_THAT(begin(8), ElementsAre(Errc::conflict)) << "the worker has the old scheme";
    watch();
    EXPECT_EQ(kernel_.schemes(kMoves), 0U);
    EXPECT_THAT(begin(8), IsEmpty());
}

TEST_F(PoolMoves, ABeginThatFailsLeavesNothingBehind) {
    watch();
    kernel_.fail("schemes/nr_schemes", EINVAL); // such as a cgroup that is gone
    EXPECT_EQ(pool_->begin_move({demotion(7)}).value().failed.size(), 1U);
    EXPECT_EQ(end(), 0U);
    EXPECT_EQ(kernel_.schemes(kMoves), 0U);
    EXPECT_THAT(begin(8), IsEmpty());
}

TEST_F(PoolMoves, AWorkerThatEndedHasNoneAnyMore) {
    watch();
    EXPECT_THAT(begin(7), IsEmpty());
    kernel_.poke(slot_path(kMoves, "state"), "off");
    EXPECT_EQ(end(), 0U);
    watch();
    EXPECT_NE(kernel_.worker(kMoves), 0);
    EXPECT_THAT(begin(7), IsEmpty());
}

TEST_F(PoolMoves, AreNotThereWhereTheyAreNotWanted) {
    pool_.emplace(Pool::open(*ownership_, options(false)).value());
    EXPECT_FALSE(pool_->moves_memory());
    EXPECT_EQ(pool_->target_slots(), 2U);
    EXPECT_THAT(pool_->watch_moves(true).value().epochs, IsEmpty());
    EXPECT_EQ(kernel_.worker(kMoves), 0);
}

} // namespace
} // namespace cgtide::damon
