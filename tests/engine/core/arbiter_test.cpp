#include "engine/core/arbiter.hpp"

#include <map>
#include <random>
#include <set>

#include <gtest/gtest.h>

namespace cgtide::core {
namespace {

using model::Decision;
using model::InputKey;
using model::ReasonCode;

constexpr double kUsage = 4096.0;

Decision decision_of(std::uint64_t id, Bytes ask, ReasonCode code = ReasonCode::reclaimed) {
    return {model::AppName::reclaim, CgroupId{id}, ask, model::Pages::all,
            model::Reason(code, {{InputKey::usage, kUsage}, {InputKey::ask, 1.0}})};
}

Standing nobody(CgroupId) {
    return {};
}

/// All of whom `is_busy` holds have a request under way.
template <class Test>
std::function<Standing(CgroupId)> busy(Test is_busy) {
    return [is_busy](CgroupId id) {
        return Standing{.is_busy = is_busy(id)};
    };
}

TEST(Arbiter, LetsSingleRequestsPass) {
    const auto settled =
        arbitrate({decision_of(1, mebibytes(1)), decision_of(2, mebibytes(2))}, nobody, {});
    ASSERT_EQ(settled.size(), 2U);
    EXPECT_EQ(settled[0].ask, mebibytes(1));
    EXPECT_EQ(settled[1].ask, mebibytes(2));
    EXPECT_EQ(settled[1].reason.code(), ReasonCode::reclaimed);
}

TEST(Arbiter, ARequestDuringAWriteIsBusy) {
    const auto settled = arbitrate({decision_of(1, mebibytes(1)), decision_of(2, mebibytes(2))},
                                   busy([](CgroupId id) { return id.value == 1; }), {});
    EXPECT_EQ(settled[0].ask, Bytes{});
    EXPECT_EQ(settled[0].reason.code(), ReasonCode::busy);
    EXPECT_DOUBLE_EQ(settled[0].reason.input(InputKey::usage), kUsage);
    EXPECT_EQ(settled[1].ask, mebibytes(2));
}

TEST(Arbiter, NothingLeavesWhatCanGoToALowerTier) {
    Decision move = decision_of(1, mebibytes(4));
    move.app = model::AppName::tier;
    move.move = model::Move::demote;
    const auto standing = [](CgroupId id) {
        return Standing{.has_lower_tier = id.value < 3};
    };
    const auto settled =
        arbitrate({move, decision_of(2, mebibytes(1)), decision_of(3, mebibytes(1))}, standing, {});
    EXPECT_EQ(settled[0].ask, mebibytes(4));
    EXPECT_EQ(settled[1].ask, Bytes{});
    EXPECT_EQ(settled[1].reason.code(), ReasonCode::lower_tier);
    EXPECT_EQ(settled[2].ask, mebibytes(1));
    Decision unmapped = decision_of(1, mebibytes(2));
    unmapped.pages = model::Pages::file;
    EXPECT_EQ(arbitrate({unmapped}, standing, {})[0].ask, mebibytes(2));
}

TEST(Arbiter, MovesShareTheRoomOfWhereTheyGo) {
    std::vector<Decision> moves;
    for (std::uint64_t id = 1; id <= 4; ++id) {
        moves.push_back(decision_of(id, mebibytes(40)));
        moves.back().move = id < 3 ? model::Move::promote : model::Move::demote;
    }
    const Allowance rooms{.fast_room = mebibytes(20), .slow_room = Bytes{1}};
    const auto settled = arbitrate(moves, nobody, rooms);
    EXPECT_EQ(settled[0].ask, mebibytes(10));
    EXPECT_EQ(settled[1].ask, mebibytes(10));
    for (const std::size_t i : {2U, 3U}) {
        EXPECT_EQ(settled[i].ask, Bytes{});
        EXPECT_EQ(settled[i].reason.code(), ReasonCode::tier_full);
    }
}

TEST(Arbiter, AMoveTakesNothingOfWhatIsShared) {
    Decision move = decision_of(1, mebibytes(40));
    move.move = model::Move::promote;
    const Allowance none{.cpu_debt = Microseconds(1), .room = {}, .swap_room = {}, .swap_free = {}};
    EXPECT_EQ(arbitrate({move}, nobody, none)[0].ask, mebibytes(40));
    EXPECT_EQ(arbitrate({move}, nobody, {.paused = true})[0].reason.code(), ReasonCode::paused);
    const Allowance some{.room = mebibytes(8)};
    EXPECT_EQ(arbitrate({move, decision_of(2, mebibytes(8))}, nobody, some)[1].ask, mebibytes(8));
}

TEST(Arbiter, OfTwoRequestsForOneContainerTheFirstStands) {
    const auto settled =
        arbitrate({decision_of(1, mebibytes(1)), decision_of(1, mebibytes(2))}, nobody, {});
    EXPECT_EQ(settled[0].ask, mebibytes(1));
    EXPECT_EQ(settled[1].ask, Bytes{});
    EXPECT_EQ(settled[1].reason.code(), ReasonCode::busy);
}

TEST(Arbiter, DecisionsThatAskForNothingKeepTheirReason) {
    const auto settled = arbitrate(
        {decision_of(1, {}, ReasonCode::frozen), decision_of(1, mebibytes(2))}, nobody, {});
    EXPECT_EQ(settled[0].reason.code(), ReasonCode::frozen);
    EXPECT_EQ(settled[1].ask, mebibytes(2));
    const auto during = arbitrate({decision_of(1, {}, ReasonCode::pressure)},
                                  busy([](CgroupId) { return true; }), {});
    EXPECT_EQ(during[0].reason.code(), ReasonCode::pressure);
}

TEST(Arbiter, NobodyAsksForAnythingOnAPausedNode) {
    const auto settled =
        arbitrate({decision_of(1, mebibytes(1)), decision_of(2, mebibytes(2)),
                   decision_of(3, {}, ReasonCode::frozen)},
                  busy([](CgroupId id) { return id.value == 1; }), {.paused = true});
    ASSERT_EQ(settled.size(), 3U);
    for (std::size_t i = 0; i < 2; ++i) {
        EXPECT_EQ(settled[i].ask, Bytes{});
        EXPECT_EQ(settled[i].reason.code(), ReasonCode::paused); // rather than busy
        EXPECT_EQ(settled[i].reason.inputs().size(), 1U);
        EXPECT_DOUBLE_EQ(settled[i].reason.input(InputKey::usage), kUsage);
    }
    EXPECT_EQ(settled[2].reason.code(), ReasonCode::frozen);
}

TEST(Arbiter, RequestsThatMaySwapShareTheSwapRate) {
    std::vector<Decision> before{decision_of(1, mebibytes(8)), decision_of(2, mebibytes(8)),
                                 decision_of(3, mebibytes(8))};
    before[1].pages = model::Pages::file;
    auto settled = arbitrate(before, nobody, {.swap_room = mebibytes(6)});
    EXPECT_EQ(settled[0].ask, mebibytes(3));
    EXPECT_EQ(settled[1].ask, mebibytes(8)) << "it takes no swap";
    EXPECT_EQ(settled[2].ask, mebibytes(3));
    settled = arbitrate(before, nobody, {.swap_room = {}});
    EXPECT_EQ(settled[0].reason.code(), ReasonCode::budget);
    EXPECT_EQ(explain(settled[0].reason), "kept 4.0 KiB: of the budget of all containers together "
                                          "0 B are left, and 8.0 MiB were wanted");
    EXPECT_EQ(settled[1].ask, mebibytes(8));
}

TEST(Arbiter, RequestsShareTheFreeSwap) {
    std::vector<Decision> before{decision_of(1, mebibytes(8)), decision_of(2, mebibytes(8)),
                                 decision_of(3, mebibytes(8))};
    before[1].pages = model::Pages::file;
    auto settled = arbitrate(before, nobody, {.swap_free = mebibytes(6)});
    EXPECT_EQ(settled[0].ask, mebibytes(3));
    EXPECT_DOUBLE_EQ(settled[0].reason.input(InputKey::ask), 3.0 * 0x1p20);
    EXPECT_EQ(settled[1].ask, mebibytes(8)); // takes no swap
    EXPECT_EQ(settled[2].ask, mebibytes(3));
    settled = arbitrate(before, nobody, {.swap_free = mebibytes(1)});
    EXPECT_EQ(settled[0].ask, mebibytes(1));
    EXPECT_EQ(settled[2].reason.code(), ReasonCode::no_swap);
    EXPECT_EQ(explain(settled[2].reason),
              "kept 4.0 KiB: 0 B of swap free beyond its reserve, under "
              "1.0 MiB, for 8.0 MiB of anonymous memory");
}

TEST(Arbiter, RequestsShareTheNodesBudget) {
    const std::vector<Decision> before{decision_of(1, mebibytes(8)), decision_of(2, mebibytes(1)),
                                       decision_of(3, mebibytes(8))};
    const auto settled = arbitrate(before, nobody, {.room = mebibytes(11)});
    EXPECT_EQ(settled[0].ask, mebibytes(5));
    EXPECT_EQ(settled[1].ask, mebibytes(1));
    EXPECT_EQ(settled[2].ask, mebibytes(5));
    EXPECT_EQ(settled[2].reason.code(), ReasonCode::reclaimed);
}

TEST(Arbiter, WhoWaitedLongestIsServedFirstWhereTheBudgetIsShort) {
    const auto waited = [](CgroupId id) {
        return Standing{.waited = Microseconds(id.value == 3 ? 5 : 0)};
    };
    const std::vector<Decision> before{decision_of(1, mebibytes(8)), decision_of(3, mebibytes(8))};
    const auto settled = arbitrate(before, waited, {.room = mebibytes(1)});
    EXPECT_EQ(settled[0].reason.code(), ReasonCode::budget);
    EXPECT_EQ(settled[1].ask, mebibytes(1));
}

TEST(Arbiter, NobodyAsksWhileReclaimIsOverItsCpu) {
    const auto settled =
        arbitrate({decision_of(1, mebibytes(8))}, nobody,
                  {.cpu_debt = std::chrono::milliseconds(30), .cpu_share = BasisPoints{1000}});
    EXPECT_EQ(settled[0].ask, Bytes{});
    EXPECT_EQ(settled[0].reason.code(), ReasonCode::budget);
    EXPECT_EQ(
        explain(settled[0].reason),
        "kept 4.0 KiB: reclaim of all containers together is 30 ms over its 10.00 % of a core");
}

TEST(Arbiter, ADryRunTakesNothingFromOthers) {
    const auto first_is_dry = [](CgroupId id) {
        return Standing{.is_dry_run = id.value == 1, .waited = Microseconds(id.value == 1 ? 9 : 0)};
    };
    const std::vector<Decision> before{decision_of(1, mebibytes(8)), decision_of(2, mebibytes(8))};
    auto settled =
        arbitrate(before, first_is_dry, {.room = mebibytes(8), .swap_free = mebibytes(8)});
    EXPECT_EQ(settled[0].ask, mebibytes(8));
    EXPECT_EQ(settled[1].ask, mebibytes(8));
    settled = arbitrate(before, first_is_dry, {.room = mebibytes(1)});
    EXPECT_EQ(settled[1].ask, mebibytes(1));
    settled = arbitrate(before, first_is_dry, {.paused = true});
    EXPECT_EQ(settled[0].reason.code(), ReasonCode::paused); // as it would be told without one
}

TEST(Arbiter, ARequestThatWaitedTooLongForAThreadIsNotBegun) {
    constexpr Microseconds kPeriod{2'000'000};
    const TimePoint decided(std::chrono::hours(1));
    EXPECT_EQ(time_to_work(decided, decided, kPeriod), kPeriod);
    EXPECT_EQ(time_to_work(decided, decided + kMostWait * kPeriod, kPeriod), kPeriod);
    EXPECT_EQ(time_to_work(decided, decided + kMostWait * kPeriod + Nanoseconds(1), kPeriod),
              Microseconds(0));
}

TEST(Arbiter, NoDecisionsNoAnswer) {
    EXPECT_TRUE(arbitrate({}, nobody, {}).empty());
}

TEST(Arbiter, HoldsItsPromisesForAnyDecisions) {
    std::mt19937 random(20260301); // NOLINT: the same cases in every run
    std::uniform_int_distribution<std::uint64_t> ids(1, 6);
    std::uniform_int_distribution<std::uint64_t> asks(0, 3);
    for (int round = 0; round < 2000; ++round) {
        std::vector<Decision> before;
        for (std::uint64_t count = ids(random) * 2; count > 0; --count) {
            before.push_back(decision_of(ids(random), mebibytes(asks(random))));
        }
        const std::set<std::uint64_t> writing{ids(random), ids(random)};
        const auto after =
            arbitrate(before, busy([&](CgroupId id) { return writing.contains(id.value); }), {});
        ASSERT_EQ(after.size(), before.size());
        std::map<CgroupId, int> granted;
        for (std::size_t i = 0; i < after.size(); ++i) {
            ASSERT_EQ(after[i].id, before[i].id);
            ASSERT_EQ(after[i].app, before[i].app);
            if (after[i].ask.count > 0) {
                ASSERT_EQ(after[i].ask, before[i].ask);
                ASSERT_FALSE(writing.contains(after[i].id.value));
                ASSERT_EQ(++granted[after[i].id], 1);
                continue;
            }
            const bool refused = before[i].ask.count > 0;
            ASSERT_EQ(after[i].reason.code(), refused ? ReasonCode::busy : ReasonCode::reclaimed);
            // Refused for a cause: a write under way, or an earlier request in this period.
            ASSERT_TRUE(!refused || writing.contains(after[i].id.value) ||
                        granted.contains(after[i].id));
        }
    }
}

} // namespace
} // namespace cgtide::core
