#include "engine/monitor/generations.hpp"
#include "tests/engine/monitor/memory.hpp"
#include "tests/support/fake_mglru.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/times.hpp"

#include <gmock/gmock.h>

namespace cgtide::monitor {
namespace {

using test::at;
using test::FakeMglru;
using test::slice;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint64_t kPages = 256; ///< of a MiB

Bytes mib(std::uint64_t count) {
    return Bytes{count << 20U};
}

/// 80 MiB that were used until the 100th second, 16 until the 110th, 32 until the walk at the
/// 120th.
GenerationFigures figures() {
    return {.at = at(120),
            .watched = Microseconds(30'000'000),
            .resolution = Microseconds(5'000'000),
            .cost = {},
            .anon = {{at(120), 32 * kPages}, {at(100), 80 * kPages}, {at(110), 16 * kPages}}};
}

TEST(GenerationView, TellsAnonymousMemoryByTheTimeSinceItWasUsed) {
    const auto view = generation_view(figures(), {mib(128), mib(10)});
    EXPECT_EQ(view.source, model::IdleSource::generations);
    EXPECT_EQ(view.at, at(120));
    EXPECT_EQ(view.watched, Microseconds(30'000'000));
    EXPECT_EQ(view.resolution, Microseconds(5'000'000));
    EXPECT_THAT(view.slices, ElementsAre(slice(0, 32), slice(10, 16), slice(20, 80)));
    EXPECT_EQ(view.unseen, mib(10)); // page cache
}

TEST(GenerationView, TakesTheLongestIdleForSharedMemory) {
    const auto view = generation_view(figures(), {mib(38), mib(90), mib(90)});
    EXPECT_THAT(view.slices, ElementsAre(slice(0, 32), slice(10, 6)));
    EXPECT_EQ(view.unseen, mib(90));
}

TEST(GenerationView, TellsNoMoreThanIsChargedAndTakesTheLongestIdleForOthers) {
    // Pages that wait in the swap cache are old, and nobody is charged for them as `anon`.
    const auto view = generation_view(figures(), {mib(64), mib(0)});
    EXPECT_THAT(view.slices, ElementsAre(slice(0, 32), slice(10, 16), slice(20, 16)));
    EXPECT_EQ(view.unseen, Bytes{});
    EXPECT_THAT(generation_view({}, {mib(64), mib(0)}).slices, IsEmpty());
}

TEST(GenerationView, TellsWhenPagesWereCounted) {
    auto told = figures();
    told.counted = at(121);
    EXPECT_EQ(generation_view(told, {mib(128), {}}).counted, at(121));
}

TEST(GenerationView, TellsWhatTheWalkCost) {
    auto told = figures();
    told.cost = Microseconds(1234);
    EXPECT_EQ(generation_view(told, {mib(128), {}}).cpu, Microseconds(1234));
}

TEST(Turns, LieOnAGridAndTakeOneHundredthOfAProcessor) {
    const auto turn = [](int cost_ms) {
        return next_turn(TimePoint(std::chrono::milliseconds(100'300)),
                         Microseconds(cost_ms * 1000LL));
    };
    EXPECT_EQ(turn(0), at(105));
    EXPECT_EQ(turn(50), at(105));
    EXPECT_EQ(turn(51), at(110)); // 5.1 s
    EXPECT_EQ(turn(1000), at(200));
    EXPECT_EQ(turn(100'000), at(700));
}

class GenerationsTest : public testing::Test {
protected:
    GenerationsTest() {
        dir_.make("group");
        auto group = cgroup::Group::open(dir_.dir("group"));
        wish_ = {group->id(), std::make_shared<cgroup::Group>(std::move(*group)), "/web", {}};
    }

    /// Walks at a second and gives the pages that are told as idle for at least `seconds`.
    std::uint64_t idle_at(int second, int seconds) {
        state_.now = at(second);
        EXPECT_TRUE(generations_.walk({wish_}));
        const auto told = generations_.figures(wish_.id);
        std::uint64_t pages = 0;
        for (const UsedUntil& time : told ? told->anon : std::vector<UsedUntil>{}) {
            pages += told->at - time.used >= std::chrono::seconds(seconds) ? time.pages : 0;
        }
        return pages;
    }

    const test::TempDir dir_;
    FakeMglru::State state_;
    Generations generations_{std::make_unique<FakeMglru>(state_), [this] {
                                 return state_.now;
                             }};
    Wish wish_;
};

TEST_F(GenerationsTest, TellsWhatStaysUnusedFromWalkToWalk) {
    state_.used = 30;
    EXPECT_EQ(idle_at(1000, 5), 0U); // unknown age is not old age
    EXPECT_EQ(idle_at(1005, 5), 70U);
    EXPECT_EQ(idle_at(1010, 10), 70U);
    EXPECT_EQ(generations_.figures(wish_.id)->watched, Microseconds(10'000'000));
    EXPECT_EQ(generations_.figures(wish_.id)->resolution, Microseconds(5'000'000));
}

TEST_F(GenerationsTest, ReadsTwiceATurnAndNotBetween) {
    idle_at(1000, 5);
    EXPECT_EQ(state_.readings, 2);
    EXPECT_EQ(state_.walks, 1);
    idle_at(1004, 5);
    EXPECT_EQ(state_.readings, 2);
    idle_at(1005, 5);
    EXPECT_EQ(state_.readings, 4);
}

TEST_F(GenerationsTest, TellsWhenPagesWereCounted) {
    state_.call_takes = std::chrono::seconds(1); // a reading, the walk, and a reading
    idle_at(1000, 5);
    const auto told = generations_.figures(wish_.id);
    EXPECT_EQ(told->at, at(1001));
    EXPECT_EQ(told->counted, at(1002));
    state_.walk = FakeMglru::Walk::refused;
    idle_at(1006, 5);
    EXPECT_EQ(generations_.figures(wish_.id)->counted, at(1002)) << "nothing is known anew";
}

TEST_F(GenerationsTest, AWalkThatTheKernelDidNotMakeProvesNothing) {
    for (const auto walk : {FakeMglru::Walk::none, FakeMglru::Walk::refused}) {
        state_ = {};
        EXPECT_TRUE(generations_.walk({}));
        idle_at(1000, 5);
        state_.walk = walk;
        idle_at(1005, 5);
        const auto told = generations_.figures(wish_.id);
        ASSERT_NE(told, nullptr);
        EXPECT_EQ(told->at, at(1000)) << "no use after the last full walk is known";
        state_.walk = FakeMglru::Walk::full;
        EXPECT_EQ(idle_at(1010, 10), 100U) << "what was known is not lost";
    }
}

TEST_F(GenerationsTest, AGenerationThatReclaimMadeIsNoWalk) {
    idle_at(1000, 5);
    state_.walk = FakeMglru::Walk::raced;
    idle_at(1005, 5);
    EXPECT_EQ(generations_.figures(wish_.id)->at, at(1000));
}

TEST_F(GenerationsTest, WhatIsMissedForLongIsForgotten) {
    idle_at(1000, 5);
    state_.named = false;
    for (int second = 1005; second <= 1015; second += 5) {
        idle_at(second, 5);
        EXPECT_NE(generations_.figures(wish_.id), nullptr) << second;
    }
    idle_at(1020, 5);
    EXPECT_EQ(generations_.figures(wish_.id), nullptr);
}

TEST_F(GenerationsTest, AContainerThatTheFileDoesNotNameHasNoFigures) {
    state_.named = false;
    idle_at(1000, 5);
    EXPECT_EQ(generations_.figures(wish_.id), nullptr);
    EXPECT_EQ(state_.walks, 0);
}

TEST_F(GenerationsTest, AContainerWithoutAnonymousMemoryCostsNoWalk) {
    state_.generations = {{0, {}, 0, 9}};
    state_.born = {at(900)};
    idle_at(1000, 5);
    EXPECT_EQ(state_.walks, 0);
    const auto told = generations_.figures(wish_.id);
    ASSERT_NE(told, nullptr);
    EXPECT_THAT(told->anon, IsEmpty());
    EXPECT_EQ(told->at, at(1000));
}

TEST_F(GenerationsTest, NamesTheGenerationsThatAreColdByTheirCgroup) {
    state_.used = 30;
    idle_at(1000, 5);
    EXPECT_THAT(cold_generations(*generations_.figures(wish_.id), Microseconds(0)), IsEmpty());
    idle_at(1005, 5);
    idle_at(1010, 5);
    const auto told = generations_.figures(wish_.id);
    const model::ColdGenerations cold{wish_.id, "/web", 0, 2, 70};
    EXPECT_THAT(cold_generations(*told, Microseconds(10'000'000)), ElementsAre(cold));
    EXPECT_THAT(cold_generations(*told, Microseconds(10'000'001)), IsEmpty());
}

TEST_F(GenerationsTest, AnEvictionBetweenWalksLeavesFewerPagesAndAgesAsTheyWere) {
    state_.used = 30;
    idle_at(1000, 5);
    idle_at(1005, 5);
    EXPECT_EQ(idle_at(1010, 10), 70U);
    FakeMglru kernel(state_);
    ASSERT_TRUE(kernel.evict({7, 0, 2, 50, true}));
    EXPECT_EQ(idle_at(1015, 15), 20U);
    const auto cold = cold_generations(*generations_.figures(wish_.id), Microseconds(15'000'000));
    ASSERT_THAT(cold, testing::SizeIs(1));
    EXPECT_EQ(cold[0].pages, 20U);
    ASSERT_TRUE(kernel.evict({7, 0, cold[0].last, 50, true}));
    EXPECT_EQ(idle_at(1020, 5), 0U);
    EXPECT_THAT(cold_generations(*generations_.figures(wish_.id), Microseconds(5'000'000)),
                IsEmpty());
    EXPECT_EQ(generations_.figures(wish_.id)->watched, Microseconds(20'000'000));
}

TEST(ColdGenerations, ThoseWithMostPagesComeFirst) {
    GenerationFigures told;
    told.at = at(110);
    for (const std::uint64_t pages : {5U, 50U}) {
        NodeLedger one{CgroupId{pages}, "/web", 0, {}};
        const auto add = [&](int second) {
            one.ledger.add({0,
                            {{0, Microseconds(second * 1'000'000LL), pages, 0},
                             {1, Microseconds((second - 100) * 1'000'000LL), 0, 0},
                             {2, {}, 0, 0}}},
                           at(second), at(second));
        };
        add(100);
        add(110);
        told.ledgers.push_back(one);
    }
    const auto cold = cold_generations(told, Microseconds(10'000'000));
    ASSERT_THAT(cold, testing::SizeIs(2));
    EXPECT_EQ(cold[0].group, CgroupId{50});
    EXPECT_EQ(cold[1].pages, 5U);
}

} // namespace
} // namespace cgtide::monitor
