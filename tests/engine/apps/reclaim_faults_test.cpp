// The law under faults; docs/apps/reclaim.md names for each what happens and which test shows it.
#include "engine/apps/reclaim.hpp"
#include "tests/engine/apps/scene.hpp"

#include <gmock/gmock.h>

namespace cgtide::apps {
namespace {

using model::InputKey;
using model::OutcomeEnd;
using model::Pages;
using model::ReasonCode;
using test::ColdScene;
using test::Scene;

/// All of its memory is anonymous.
void lose_files(Scene& scene) {
    scene.now.stat->file = scene.now.stat->inactive_file = {};
}

TEST(ReclaimFaults, SwapThatIsRemovedAndComesBackIsFollowedAtOnce) {
    Scene scene;
    scene.step();
    EXPECT_EQ(scene.step().pages, Pages::all);
    scene.node.swap_total = scene.node.swap_free = {};
    EXPECT_EQ(scene.step().pages, Pages::file);
    lose_files(scene);
    EXPECT_EQ(scene.step().reason.code(), ReasonCode::exhausted);
    scene.node.swap_total = scene.node.swap_free = mebibytes(512);
    EXPECT_EQ(scene.step().pages, Pages::all);
}

TEST(ReclaimFaults, ColdAnonymousMemoryStaysWithoutSwap) {
    ColdScene scene(mebibytes(64), mebibytes(16));
    scene.node.swap_total = scene.node.swap_free = {};
    const model::Decision decision = scene.step();
    EXPECT_EQ(decision.pages, Pages::file);
    EXPECT_DOUBLE_EQ(decision.reason.input(InputKey::cold), 0x1p24);
    ColdScene anonymous;
    anonymous.node.swap_total = anonymous.node.swap_free = {};
    EXPECT_EQ(anonymous.step().reason.code(), ReasonCode::exhausted);
}

/// Less is free than a request is worth: nobody could use it, and files may leave all the same.
TEST(ReclaimFaults, FilesLeaveWhereStrangersFillSwap) {
    for (const Bytes beyond : {Bytes{}, Bytes{1}, kibibytes(512), kSmallestAsk - Bytes{1}}) {
        Scene scene;
        const auto reserve =
            static_cast<std::uint64_t>(kSwapReserve * static_cast<double>(mebibytes(512).count));
        scene.node.swap_free = Bytes{reserve} + beyond;
        scene.step();
        EXPECT_EQ(scene.step().pages, Pages::file) << beyond.count;
        lose_files(scene);
        EXPECT_EQ(scene.step().reason.code(), ReasonCode::no_swap) << beyond.count;
    }
}

TEST(ReclaimFaults, AContainerThatMayNotSwapLosesFilesAlone) {
    Scene scene;
    scene.now.swap_limit = Bytes{}; // memory.swap.max = 0, of its own or of an ancestor
    scene.step();
    EXPECT_EQ(scene.step().pages, Pages::file);
    scene.node.swappiness_key = false; // then the kernel itself finds no swap for it
    EXPECT_EQ(scene.step().pages, Pages::file);
    scene.policy.reclaim.pages = Pages::anon;
    EXPECT_EQ(scene.step().reason.code(), ReasonCode::no_swap);
}

TEST(ReclaimFaults, AContainerThatStaysAtItsLimitIsLeftAlone) {
    Scene scene;
    scene.step();
    for (int i = 0; i < 100; ++i) {
        scene.now.events->max += i % 20 == 0 ? 1U : 0U; // each 40 s
        ASSERT_EQ(scene.step().reason.code(), ReasonCode::after_oom);
    }
}

TEST(ReclaimFaults, MissingPressureIsNoCalm) {
    Scene scene;
    scene.step();
    scene.now.memory_pressure.reset();
    EXPECT_EQ(scene.step().reason.code(), ReasonCode::sensor);
    scene.now.memory_pressure.emplace();
    EXPECT_EQ(scene.step().reason.code(), ReasonCode::reclaimed);
    scene.now.events.reset();
    EXPECT_EQ(scene.step().reason.code(), ReasonCode::sensor);
    scene.now.events.emplace();
    scene.now.stat.reset();
    EXPECT_EQ(scene.step().reason.code(), ReasonCode::sensor);
}

TEST(ReclaimFaults, MissingIoPressureCountsAsNone) {
    Scene scene;
    scene.now.io_pressure.reset();
    scene.step();
    EXPECT_EQ(scene.step().reason.code(), ReasonCode::reclaimed);
    scene.now.io_pressure.emplace(); // it comes with the stalls of all its life
    scene.stall_io(std::chrono::hours(1));
    EXPECT_EQ(scene.step().reason.code(), ReasonCode::io_pressure);
    EXPECT_EQ(scene.step().reason.code(), ReasonCode::reclaimed);
}

/// It needs what it gets: the fall of usage tells nothing of what left.
TEST(ReclaimFaults, GrowthDoesNotHideWhatCameBack) {
    ColdScene scene;
    const Bytes ask = scene.step().ask;
    scene.report_cold(ask, ask);
    scene.outcomes.back().taken = {}; // as much was allocated meanwhile
    scene.refault(ask);
    EXPECT_EQ(scene.step().reason.code(), ReasonCode::refaults);

    Scene unproven;
    unproven.step();
    const Bytes share = unproven.step().ask;
    unproven.report(share, {}); // the kernel said that it reclaimed as much
    unproven.refault(share);
    EXPECT_EQ(unproven.step().reason.code(), ReasonCode::refaults);
}

TEST(ReclaimFaults, WhatLeftWhileItGrewIsNotAskedForAgain) {
    ColdScene scene(mebibytes(8));
    scene.view->source = model::IdleSource::generations;
    scene.view->counted = scene.now.at;
    ASSERT_EQ(scene.step().ask, mebibytes(8));
    scene.report_cold(mebibytes(8), {});
    scene.outcomes.back().actuator = model::Actuator::memory_reclaim;
    EXPECT_EQ(scene.step().ask.count, 0U);
}

TEST(ReclaimFaults, WhatAContainerFreesItselfHidesNothing) {
    Scene scene;
    scene.step();
    const Bytes ask = scene.step().ask;
    scene.report(ask, ask + mebibytes(1024)); // a process of it ended meanwhile
    scene.refault(Bytes{ask.count / 10});
    EXPECT_EQ(scene.step().reason.code(), ReasonCode::refaults);
}

TEST(ReclaimFaults, WhatAContainerFreesItselfIsOwedForAShortTimeOnly) {
    Scene scene;
    scene.step();
    const Bytes ask = scene.step().ask;
    scene.report(ask, ask + mebibytes(1024));
    int periods = 0;
    while (scene.step().ask.count == 0) {
        ASSERT_LT(++periods, 3);
    }
    EXPECT_GE(periods, 1);
}

/// A step that doubles while a process of it frees memory has learned nothing.
TEST(ReclaimFaults, WhatAContainerFreesItselfDoublesNoStep) {
    ColdScene scene;
    const Bytes ask = scene.step().ask;
    scene.report_cold(ask, ask);
    scene.outcomes.back().found = {};
    EXPECT_EQ(scene.step().ask, ask);
}

TEST(ReclaimFaults, AStallOfTheEngineIsNoMeasurement) {
    Scene scene;
    scene.step();
    EXPECT_EQ(scene.step().reason.code(), ReasonCode::reclaimed);
    // Far over the target where it fell, and under it where it is told of the whole time.
    scene.now.at += std::chrono::hours(1);
    scene.stall_memory(std::chrono::seconds(1));
    const model::Decision decision = scene.step();
    EXPECT_EQ(decision.reason.code(), ReasonCode::warming);
    EXPECT_LE(scene.reclaim_state().carry, 0.0);
    EXPECT_EQ(scene.step().reason.code(), ReasonCode::reclaimed);
}

TEST(ReclaimFaults, WhatHappenedDuringAStallCounts) {
    Scene scene;
    scene.step();
    scene.now.at += std::chrono::hours(1);
    ++scene.now.events->oom_kill;
    EXPECT_EQ(scene.step().reason.code(), ReasonCode::after_oom);
}

TEST(ReclaimFaults, AfterAStallAViewOfBeforeProvesNothing) {
    ColdScene scene;
    EXPECT_EQ(scene.step().reason.code(), ReasonCode::cold);
    const std::shared_ptr<model::IdleView> old = std::exchange(scene.view, nullptr); // stays as is
    scene.now.at += std::chrono::minutes(1);
    EXPECT_EQ(scene.step().reason.code(), ReasonCode::warming);
    const model::Decision decision = scene.step();
    EXPECT_EQ(decision.reason.code(), ReasonCode::reclaimed);
    EXPECT_FALSE(decision.proven.has_value());
    old->at = scene.now.at;
    EXPECT_EQ(scene.step().reason.code(), ReasonCode::cold);
}

TEST(ReclaimFaults, OneEventHoldsOnce) {
    ColdScene scene(mebibytes(512));
    scene.step();
    scene.report_cold(mebibytes(512), mebibytes(512));
    scene.refault(mebibytes(512));
    int held = 0;
    while (scene.step().reason.code() == ReasonCode::refaults) {
        ASSERT_LT(++held, 100);
    }
    EXPECT_EQ(held, 10); // periods of 2 s: the first hold
    EXPECT_EQ(scene.reclaim_state().hold, kFirstHold);
}

TEST(ReclaimFaults, WhatGoesOnComingBackAfterAHoldHoldsForLonger) {
    ColdScene scene(mebibytes(512));
    scene.step();
    scene.report_cold(mebibytes(512), mebibytes(512));
    int held = 0;
    do {
        scene.refault(mebibytes(64));
        ASSERT_LT(++held, 100);
    } while (scene.step().reason.code() == ReasonCode::refaults && held < 20);
    EXPECT_EQ(scene.reclaim_state().hold, 2 * kFirstHold);
}

/// While the node is paused all requests are turned away: nothing was tried.
TEST(ReclaimFaults, RequestsThatWereTurnedAwayForgetNoHold) {
    Scene scene;
    scene.step();
    const Bytes ask = scene.step().ask;
    scene.report(ask, ask);
    scene.refault(ask);
    ASSERT_EQ(scene.step().reason.code(), ReasonCode::refaults);
    const Microseconds hold = scene.reclaim_state().hold;
    for (int i = 0; i < 100; ++i) {
        scene.step();
    }
    EXPECT_EQ(scene.reclaim_state().hold, hold);
    scene.report(ask, ask);
    scene.step();
    EXPECT_LT(scene.reclaim_state().hold, hold);
}

TEST(ReclaimFaults, ADryRunLearnsNothing) {
    ColdScene scene;
    for (int i = 0; i < 10; ++i) {
        const model::Decision decision = scene.step();
        ASSERT_EQ(decision.reason.code(), ReasonCode::cold);
        ASSERT_EQ(decision.ask, kFirstStep);
        model::Outcome outcome;
        outcome.asked = decision.ask;
        outcome.at = scene.now.at;
        outcome.actuator = decision.actuator;
        outcome.proven = true;
        outcome.end = OutcomeEnd::dry_run;
        scene.outcomes.push_back(outcome);
        scene.refault(mebibytes(1)); // of its own
    }
    EXPECT_DOUBLE_EQ(scene.reclaim_state().taken_recent, 0.0);
    EXPECT_DOUBLE_EQ(scene.reclaim_state().left, 0.0);
}

TEST(ReclaimFaults, ProtectionOverUsageLeavesNothing) {
    ColdScene scene;
    scene.now.protection.min = Bytes{Bytes::kUnlimited};
    const model::Decision decision = scene.step();
    EXPECT_EQ(decision.reason.code(), ReasonCode::protected_floor);
    EXPECT_EQ(decision.ask.count, 0U);
}

} // namespace
} // namespace cgtide::apps
