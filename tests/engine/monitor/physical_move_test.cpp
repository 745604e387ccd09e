#include "engine/monitor/physical_move.hpp"
#include "tests/support/sizes.hpp"

#include <gmock/gmock.h>

namespace cgtide::monitor {
namespace {

using test::kMiB;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr Microseconds kOneSecond{1'000'000};

MoveOrder demotion() {
    return {.container = CgroupId{7},
            .way = model::Move::demote,
            .cgroups = {{CgroupId{8}, "/web"}},
            .targets = {{1, 1, mebibytes(512)}},
            .from = {{0, 1024 * kMiB}},
            .ask = mebibytes(50),
            .idle = 10 * kOneSecond,
            .by_page = false,
            .period = 6 * kOneSecond,
            .with_unmapped = false};
}

TEST(PhysicalMoves, AreWhatWasAskedForOfMemoryThatWasIdle) {
    const auto moves = physical_moves(demotion(), kOneSecond);
    ASSERT_THAT(moves, SizeIs(1));
    EXPECT_EQ(moves[0].bytes, 50 * kMiB);
    EXPECT_EQ(moves[0].look_at, kOneSecond);
    EXPECT_EQ(moves[0].move_at, 2 * kOneSecond);
    EXPECT_EQ(moves[0].idle_for, 9U) << "the count is 0 in the first one";
    EXPECT_EQ(moves[0].to, 1U);
    EXPECT_FALSE(moves[0].hot);
    EXPECT_FALSE(moves[0].with_unmapped);
    EXPECT_THAT(moves[0].from, ElementsAre(damon::Range{0, 1024 * kMiB}));
}

TEST(PhysicalMoves, ByPageLookLongerInsteadOfAtRegions) {
    MoveOrder order = demotion();
    order.by_page = true;
    EXPECT_EQ(physical_moves(order, kOneSecond).front().idle_for, std::nullopt);
    const auto move_at = [&](Microseconds idle, Microseconds period) {
        order.idle = idle;
        order.period = period;
        return physical_moves(order, kOneSecond).front().move_at;
    };
    EXPECT_EQ(move_at(5 * kOneSecond, 6 * kOneSecond), 6 * kOneSecond);
    EXPECT_EQ(move_at(300 * kOneSecond, 6 * kOneSecond), 11 * kOneSecond) << "others wait";
    order.way = model::Move::promote;
    EXPECT_EQ(move_at(300 * kOneSecond, 6 * kOneSecond), 2 * kOneSecond);
}

TEST(PhysicalMoves, ByPageAreByRegionsWhereTwoPeriodsAreTooShortForTheLook) {
    MoveOrder order = demotion();
    order.by_page = true;
    order.period = 2 * kOneSecond;
    EXPECT_EQ(physical_moves(order, kOneSecond).front().idle_for, 9U);
    order.idle = 3 * kOneSecond;
    EXPECT_EQ(physical_moves(order, kOneSecond).front().idle_for, std::nullopt);
}

TEST(PhysicalMoves, ByPageAreForTheNodeWithTheMostRoom) {
    MoveOrder order = demotion();
    order.by_page = true;
    order.targets = {{1, 9, mebibytes(5)}, {2, 1, mebibytes(512)}};
    const auto moves = physical_moves(order, kOneSecond);
    ASSERT_THAT(moves, SizeIs(1)) << "the first one's look would make pages old for the second";
    EXPECT_EQ(moves[0].to, 2U);
    EXPECT_EQ(moves[0].bytes, 50 * kMiB);
}

TEST(PhysicalMoves, UpAskForNoAge) {
    MoveOrder order = demotion();
    order.way = model::Move::promote;
    const auto moves = physical_moves(order, kOneSecond);
    ASSERT_THAT(moves, SizeIs(1));
    EXPECT_TRUE(moves[0].hot);
    EXPECT_EQ(moves[0].idle_for, std::nullopt);
}

TEST(PhysicalMoves, AreSpreadByWeightAndAsFarAsThereIsRoom) {
    MoveOrder order = demotion();
    order.targets = {{1, 3, mebibytes(512)}, {2, 1, mebibytes(5)}, {3, 1, Bytes{}}};
    const auto moves = physical_moves(order, kOneSecond);
    ASSERT_THAT(moves, SizeIs(2)) << "one is full";
    EXPECT_EQ(moves[0].bytes, 30 * kMiB);
    EXPECT_EQ(moves[1].bytes, 5 * kMiB);
    EXPECT_EQ(moves[1].to, 2U);
    order.targets = {{3, 1, Bytes{}}};
    EXPECT_THAT(physical_moves(order, kOneSecond), IsEmpty());
}

TEST(PhysicalMoves, AreBoundedForAWorkerThatMovesDoesNotLook) {
    MoveOrder order = demotion();
    order.ask = mebibytes(400);
    EXPECT_EQ(physical_moves(order, kOneSecond).front().bytes, model::kMostOfDamosMove.count);
}

} // namespace
} // namespace cgtide::monitor
