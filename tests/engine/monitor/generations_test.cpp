#include "engine/monitor/generations.hpp"
#include "tests/support/temp_dir.hpp"

#include <gmock/gmock.h>

namespace cgtide::monitor {
namespace {

using model::IdleSlice;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint64_t kPages = 256; ///< of a MiB

Bytes mib(std::uint64_t count) {
    return Bytes{count << 20U};
}

TimePoint at(int seconds) {
    return TimePoint(std::chrono::seconds(seconds));
}

IdleSlice slice(int seconds, std::uint64_t anon) {
    return {Microseconds(seconds * 1'000'000LL), mib(anon), Bytes{}};
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

/// A kernel with one container, /web, whose pages are told by hand.
class FakeMglru final : public damon::Mglru {
public:
    /// What a command does.
    enum class Walk { full, none, raced, refused };

    struct State {
        TimePoint now = at(1000);
        Walk walk = Walk::full;
        bool named = true; ///< /web stands in the file
        std::vector<damon::Generation> generations{{0, {}, 0, 9}, {1, {}, 100, 0}};
        std::vector<TimePoint> born{at(900), at(950)};
        std::uint64_t used = 0; ///< pages that are in use all the time: the youngest
        int readings = 0;
        int walks = 0;
    };

    explicit FakeMglru(State& state) : state_(&state) {}

    Result<damon::LruGenerations> read() override {
        ++state_->readings;
        damon::LruGenerations all;
        if (state_->named) {
            for (std::size_t i = 0; i < state_->born.size(); ++i) {
                state_->generations[i].age =
                    std::chrono::duration_cast<Microseconds>(state_->now - state_->born[i]);
            }
            all["/web"] = {7, {{0, state_->generations}, {1, {{0, {}, 0, 5}}}}};
        }
        return all;
    }

    Result<void> age(std::uint64_t id, unsigned node, std::uint64_t youngest) override {
        EXPECT_EQ(id, 7U);
        EXPECT_EQ(node, 0U) << "no anonymous memory is there";
        ++state_->walks;
        if (state_->walk == Walk::refused) {
            return fail_errno(EEXIST, "age", "");
        }
        auto& all = state_->generations;
        if (state_->walk == Walk::raced) { // reclaim was faster: Linux up to 6.13 says yes
            all.push_back({youngest + 1, {}, 0, 0});
            state_->born.push_back(state_->now - std::chrono::seconds(1));
        }
        if (state_->walk == Walk::full) {
            EXPECT_EQ(youngest, all.back().number);
            std::uint64_t found = 0;
            for (auto one = all.rbegin(); one != all.rend(); ++one) {
                const std::uint64_t some = std::min(one->anon_pages, state_->used - found);
                one->anon_pages -= some;
                found += some;
            }
            all.back().anon_pages += found;
            all.push_back({youngest + 1, {}, 0, 0});
            state_->born.push_back(state_->now);
        }
        return {};
    }

private:
    State* state_;
};

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

} // namespace
} // namespace cgtide::monitor
