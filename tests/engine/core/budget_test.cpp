#include "engine/core/budget.hpp"

#include <numeric>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cgtide::core {
namespace {

using model::Pages;
using testing::ElementsAre;

constexpr Bytes kLeast = mebibytes(1);
constexpr TimePoint kNow{std::chrono::hours(1)};

std::vector<Bytes> share(const std::vector<Claim>& claims, Bytes room) {
    return share_out(claims, room, kLeast);
}

TEST(ShareOut, GivesAllWhatTheyAskForWhereItIsThere) {
    EXPECT_THAT(share({{mebibytes(5)}, {mebibytes(1)}}, mebibytes(6)),
                ElementsAre(mebibytes(5), mebibytes(1)));
    EXPECT_THAT(share({}, mebibytes(6)), ElementsAre());
}

TEST(ShareOut, GivesEqualPartsAndLeavesWhatSmallOnesDoNotNeedToTheOthers) {
    EXPECT_THAT(share({{mebibytes(50)}, {mebibytes(2)}, {mebibytes(60)}}, mebibytes(22)),
                ElementsAre(mebibytes(10), mebibytes(2), mebibytes(10)));
}

TEST(ShareOut, ServesThoseThatWaitedLongestWherePartsWouldBeTooSmall) {
    EXPECT_THAT(
        share({{mebibytes(5)}, {mebibytes(5), Microseconds(3)}, {mebibytes(5), Microseconds(1)}},
              mebibytes(2)),
        ElementsAre(Bytes{}, kLeast, kLeast));
}

TEST(ShareOut, NeverGivesMoreThanThereIsNorLessThanIsWorthAWrite) {
    std::mt19937 random(3);
    for (int round = 0; round < 2000; ++round) {
        std::vector<Claim> claims(random() % 20);
        for (Claim& claim : claims) {
            claim = {mebibytes(1 + random() % 100), Microseconds(random() % 5)};
        }
        const Bytes room = kibibytes(random() % 200'000);
        const auto grants = share(claims, room);
        Bytes sum;
        for (std::size_t i = 0; i < claims.size(); ++i) {
            ASSERT_LE(grants[i], claims[i].ask);
            ASSERT_TRUE(grants[i] == Bytes{} || grants[i] >= kLeast);
            sum = sum + grants[i];
        }
        ASSERT_LE(sum, room);
    }
}

TEST(ShareOut, TwoHundredContainersAreAllServedInTurn) {
    std::vector<Claim> claims(200, Claim{mebibytes(64)});
    std::vector<int> served(claims.size());
    for (int period = 0; period < 40; ++period) {
        const auto grants = share(claims, mebibytes(10));
        for (std::size_t i = 0; i < claims.size(); ++i) {
            served[i] += grants[i] > Bytes{} ? 1 : 0;
            claims[i].waited =
                grants[i] > Bytes{} ? Microseconds(0) : claims[i].waited + Microseconds(1);
        }
    }
    EXPECT_THAT(served, testing::Each(2));
}

TEST(Budget, IsFullAtFirstAndFillsWithTime) {
    Budget budget({.rate = mebibytes(10)});
    budget.fill(kNow);
    EXPECT_EQ(budget.room(), mebibytes(60));
    budget.spend(mebibytes(60), Pages::all);
    EXPECT_EQ(budget.room(), Bytes{});
    budget.fill(kNow + std::chrono::seconds(2));
    EXPECT_EQ(budget.room(), mebibytes(20));
    budget.fill(kNow + std::chrono::hours(1));
    EXPECT_EQ(budget.room(), mebibytes(60));
}

TEST(Budget, AClockThatGoesBackGivesNothing) {
    Budget budget({.rate = mebibytes(10)});
    budget.fill(kNow);
    budget.spend(mebibytes(60), Pages::all);
    budget.fill(kNow - std::chrono::hours(1));
    EXPECT_EQ(budget.room(), Bytes{});
}

TEST(Budget, SwapHasABucketOfItsOwn) {
    Budget budget({.rate = mebibytes(10), .swap_rate = mebibytes(1)});
    budget.fill(kNow);
    EXPECT_EQ(budget.swap_room(), mebibytes(6));
    budget.spend(mebibytes(6), Pages::anon);
    EXPECT_EQ(budget.swap_room(), Bytes{});
    EXPECT_EQ(budget.room(), mebibytes(54));
    budget.spend(mebibytes(54), Pages::file);
    budget.fill(kNow + std::chrono::seconds(1));
    EXPECT_EQ(budget.swap_room(), mebibytes(1));
}

TEST(Budget, WithoutABoundOnSwapTheOtherOneCounts) {
    Budget budget({.rate = mebibytes(10)});
    budget.fill(kNow);
    EXPECT_EQ(budget.swap_room(), mebibytes(60));
}

TEST(Budget, GetsBackWhatDidNotLeave) {
    Budget budget({.rate = mebibytes(10), .swap_rate = mebibytes(5)});
    budget.fill(kNow);
    budget.spend(mebibytes(20), Pages::all);
    model::Outcome outcome;
    outcome.asked = mebibytes(20);
    outcome.taken = mebibytes(5);
    outcome.end = model::OutcomeEnd::partial;
    budget.settle(outcome, Pages::all);
    EXPECT_EQ(budget.room(), mebibytes(55));
    EXPECT_EQ(budget.swap_room(), mebibytes(25));
}

/// Bytes left it, and it has grown by as many: they were written to swap all the same.
TEST(Budget, AContainerThatGrowsMeanwhileGivesNothingBack) {
    Budget budget({.rate = mebibytes(10)});
    budget.fill(kNow);
    budget.spend(mebibytes(20), Pages::all);
    model::Outcome outcome;
    outcome.asked = mebibytes(20);
    budget.settle(outcome, Pages::all);
    EXPECT_EQ(budget.room(), mebibytes(40));
}

TEST(Budget, WaitsUntilItsCpuIsPaidOff) {
    Budget budget({.cpu = BasisPoints{1'000.0}});
    budget.fill(kNow);
    model::Outcome outcome;
    outcome.cpu = Microseconds(300'000);
    budget.settle(outcome, Pages::all);
    EXPECT_GT(budget.cpu_debt(), Microseconds(0));
    budget.fill(kNow + std::chrono::seconds(2));
    EXPECT_GT(budget.cpu_debt(), Microseconds(0));
    budget.fill(kNow + std::chrono::seconds(3));
    EXPECT_EQ(budget.cpu_debt(), Microseconds(0));
}

} // namespace
} // namespace cgtide::core
