#include "engine/act/move_log.hpp"
#include "tests/support/times.hpp"

#include <random>

#include <gmock/gmock.h>

namespace cgtide::act {
namespace {

using model::Move;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

using test::at;
constexpr SpaceId kSpace{42, 1000};

TEST(MoveLog, WhatMovedIsLeftAloneForAWhile) {
    MoveLog log;
    log.moved(kSpace, {10, 20}, Move::promote, at(100));
    EXPECT_THAT(log.movable(kSpace, {0, 30}, at(101)),
                ElementsAre(AddressRange{0, 10}, AddressRange{20, 30}));
    EXPECT_THAT(log.movable(kSpace, {12, 18}, at(119)), IsEmpty());
    EXPECT_THAT(log.movable(kSpace, {12, 18}, at(120)), ElementsAre(AddressRange{12, 18}));
}

TEST(MoveLog, WhatStayedIsLeftAloneAndIsNoReturn) {
    MoveLog log;
    log.stayed(kSpace, {10, 20}, at(100));
    EXPECT_THAT(log.movable(kSpace, {10, 20}, at(101)), IsEmpty());
    EXPECT_EQ(log.would_return(kSpace, {10, 20}, Move::demote, at(101)), Bytes{});
}

TEST(MoveLog, TellsWhatGoesBackSoon) {
    MoveLog log;
    log.moved(kSpace, {10, 20}, Move::promote, at(100));
    EXPECT_EQ(log.would_return(kSpace, {15, 40}, Move::demote, at(129)), Bytes{5});
    EXPECT_EQ(log.would_return(kSpace, {15, 40}, Move::promote, at(129)), Bytes{});
    EXPECT_EQ(log.would_return(kSpace, {15, 40}, Move::demote, at(130)), Bytes{});
}

TEST(MoveLog, LongPeriodsRememberForLonger) {
    MoveLog log;
    log.remember_for(std::chrono::minutes(1));
    log.moved(kSpace, {10, 20}, Move::promote, at(100));
    EXPECT_EQ(log.would_return(kSpace, {10, 20}, Move::demote, at(239)), Bytes{10});
    EXPECT_EQ(log.would_return(kSpace, {10, 20}, Move::demote, at(240)), Bytes{});
    log.remember_for(std::chrono::seconds(2));
    EXPECT_EQ(log.would_return(kSpace, {10, 20}, Move::demote, at(130)), Bytes{});
}

TEST(MoveLog, AnotherSpaceIsAnother) {
    MoveLog log;
    log.moved(kSpace, {10, 20}, Move::promote, at(100));
    for (const SpaceId other : {SpaceId{43, 1000}, SpaceId{42, 1001}}) {
        EXPECT_THAT(log.movable(other, {10, 20}, at(101)), ElementsAre(AddressRange{10, 20}));
        EXPECT_EQ(log.would_return(other, {10, 20}, Move::demote, at(101)), Bytes{});
    }
}

TEST(MoveLog, ForgetsWhatIsOldOrTooMuch) {
    MoveLog log;
    log.moved(kSpace, {10, 20}, Move::promote, at(100));
    log.moved(kSpace, {30, 40}, Move::promote, at(120));
    log.forget(at(131));
    EXPECT_EQ(log.size(), 1U);
    for (std::uint64_t i = 0; i <= MoveLog::kMostRanges; ++i) {
        log.moved(kSpace, {1000 + 2 * i, 1001 + 2 * i}, Move::demote, at(200));
    }
    log.forget(at(200));
    EXPECT_EQ(log.size(), 0U);
}

TEST(MoveLog, NeighboursThatSayTheSameAreOne) {
    MoveLog log;
    log.moved(kSpace, {10, 20}, Move::promote, at(100));
    log.moved(kSpace, {20, 30}, Move::promote, at(100));
    EXPECT_EQ(log.size(), 1U);
    log.moved(kSpace, {30, 40}, Move::promote, at(101));
    EXPECT_EQ(log.size(), 2U);
}

/// Against a note for each address.
TEST(MoveLog, ALaterNoteReplacesAnEarlierOneWhereverTheyMeet) {
    constexpr std::uint64_t kAddresses = 40;
    std::mt19937_64 random(7);
    for (int round = 0; round < 300; ++round) {
        MoveLog log;
        std::vector<int> noted(kAddresses, -1000);
        std::vector<Move> ways(kAddresses, Move::promote);
        for (int second = 0; second < 30; ++second) {
            const std::uint64_t start = random() % kAddresses;
            const std::uint64_t end = start + 1 + random() % (kAddresses - start);
            const Move way = random() % 2 == 0 ? Move::promote : Move::demote;
            log.moved(kSpace, {start, end}, way, at(second));
            for (std::uint64_t i = start; i < end; ++i) {
                noted[i] = second;
                ways[i] = way;
            }
        }
        for (std::uint64_t i = 0; i < kAddresses; ++i) {
            const bool is_movable = !log.movable(kSpace, {i, i + 1}, at(35)).empty();
            EXPECT_EQ(is_movable, 35 - noted[i] >= 20) << round << ' ' << i;
            const bool returns =
                log.would_return(kSpace, {i, i + 1}, Move::demote, at(35)).count == 1;
            EXPECT_EQ(returns, noted[i] > 5 && ways[i] == Move::promote) << round << ' ' << i;
        }
    }
}

} // namespace
} // namespace cgtide::act
