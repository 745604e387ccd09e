// The law where a sensor proves ages; reclaim_test.cpp has the law where none does.
#include "engine/apps/reclaim.hpp"
#include "tests/engine/apps/scene.hpp"

#include <random>

#include <gmock/gmock.h>

namespace cgtide::apps {
namespace {

using model::Actuator;
using model::InputKey;
using model::Pages;
using model::ReasonCode;
using test::ColdScene;
using test::Scene;

TEST(ReclaimCold, AsksForProvenBytesByAddress) {
    ColdScene scene;
    const model::Decision decision = scene.step();
    EXPECT_EQ(decision.reason.code(), ReasonCode::cold);
    EXPECT_EQ(decision.actuator, Actuator::pageout);
    EXPECT_EQ(decision.proven, scene.policy.reclaim.idle);
    EXPECT_EQ(decision.ask, kFirstStep);
    EXPECT_DOUBLE_EQ(decision.reason.input(InputKey::cold), 0x1p26);
}

TEST(ReclaimCold, TakesNothingThatIsInUse) {
    ColdScene scene(Bytes{});
    for (int i = 0; i < 100; ++i) {
        const model::Decision decision = scene.step();
        ASSERT_EQ(decision.ask.count, 0U);
        ASSERT_EQ(decision.reason.code(), ReasonCode::in_use);
    }
}

TEST(ReclaimCold, StepsDoubleWhileNothingComesBack) {
    ColdScene scene(mebibytes(96));
    std::vector<std::uint64_t> asks;
    Bytes cold = mebibytes(96);
    while (cold >= kSmallestAsk) {
        const Bytes ask = scene.step().ask;
        ASSERT_GT(ask.count, 0U);
        asks.push_back(ask.count >> 20U);
        scene.report_cold(ask, ask);
        cold = cold - ask;
        scene.show(cold);
        scene.view->counted = scene.now.at + Microseconds(2);
    }
    EXPECT_THAT(asks, testing::ElementsAre(8, 16, 32, 40));
    scene.step();
    EXPECT_EQ(scene.step().reason.code(), ReasonCode::in_use);
}

TEST(ReclaimCold, TheFirstStepOfALargeContainerIsAShareOfIt) {
    ColdScene scene(mebibytes(1024));
    EXPECT_EQ(scene.step().ask, mebibytes((1024 + 32) / 64) + kibibytes(512));
}

TEST(ReclaimCold, StepsStayWhileSomeComesBackAndBeginAnewAfterAHold) {
    ColdScene scene;
    Bytes ask = scene.step().ask;
    scene.report_cold(ask, ask);
    ask = scene.step().ask;
    EXPECT_EQ(ask, mebibytes(16));
    scene.report_cold(ask, ask);
    scene.refault(mebibytes(4));
    EXPECT_EQ(scene.step().reason.code(), ReasonCode::refaults);
    EXPECT_THAT(scene.reclaim_state().steps, testing::Each(0.0));
}

TEST(ReclaimCold, SomeRefaultsMakeRequestsSmaller) {
    ColdScene scene;
    const Bytes ask = scene.step().ask;
    scene.report_cold(ask, ask);
    scene.refault(kibibytes(204)); // half of what trips the brake
    const Bytes next = scene.step().ask;
    EXPECT_GT(next, kSmallestAsk);
    EXPECT_LT(next, mebibytes(12));
}

/// The next step waits for what comes back of the last, not only of those before it.
TEST(ReclaimCold, AStepOfWhichSomeCameBackIsNotDoubled) {
    ColdScene scene;
    const Bytes ask = scene.step().ask;
    scene.report_cold(ask, ask);
    scene.refault(kibibytes(300)); // more than half of what trips the brake
    EXPECT_LE(scene.step().ask, mebibytes(8));
    EXPECT_THAT(scene.reclaim_state().steps, testing::Contains(0x1p23));
}

TEST(ReclaimCold, SaysWhatCameBackOfWhatWasTaken) {
    ColdScene scene;
    const Bytes ask = scene.step().ask;
    scene.report_cold(ask, ask);
    scene.refault(kibibytes(200));
    EXPECT_THAT(explain(scene.step().reason), testing::EndsWith(", 200.0 KiB came back"));
}

/// What left by address without harm says nothing of what the kernel's lists would choose.
TEST(ReclaimCold, EachActuatorBeginsWithSmallSteps) {
    ColdScene scene(mebibytes(256));
    for (const std::uint64_t expected : {8, 16, 32}) {
        const Bytes ask = scene.step().ask;
        ASSERT_EQ(ask, mebibytes(expected));
        scene.report_cold(ask, ask);
    }
    Bytes ask = scene.step().ask;
    EXPECT_EQ(ask, mebibytes(64));
    scene.report_cold(ask, {}, mebibytes(256)); // it has forked
    const model::Decision listed = scene.step();
    ASSERT_EQ(listed.actuator, Actuator::memory_reclaim);
    EXPECT_EQ(listed.ask, kFirstStep);
}

/// Cold memory that turns hot the moment it leaves, for ten minutes.
TEST(ReclaimCold, WhatComesBackAtOnceIsHardlyTried) {
    ColdScene scene;
    Bytes tried;
    for (int period = 0; period < 300; ++period) {
        const Bytes ask = scene.step().ask;
        tried = tried + ask;
        if (ask.count > 0) {
            scene.report_cold(ask, ask);
            scene.refault(ask);
            scene.show(mebibytes(64)); // the sensor learns nothing
            scene.view->counted = scene.now.at + Microseconds(2);
        }
    }
    EXPECT_LE(tried, mebibytes(40)); // five first steps
}

/// Memory that was cold for long is used from one second to the next, with all that the container
/// gets beside it.
TEST(ReclaimCold, AHotSetThatDoublesInOneSecondIsLeftAlone) {
    ColdScene scene;
    EXPECT_EQ(scene.step().reason.code(), ReasonCode::cold);
    scene.now.stat->anon = scene.now.stat->inactive_anon = mebibytes(192);
    scene.now.usage = mebibytes(192);
    scene.see({{Microseconds(0), mebibytes(192), Bytes{}}});
    EXPECT_EQ(scene.step().reason.code(), ReasonCode::in_use);
}

TEST(ReclaimCold, CountersThatGoBackwardsAreNoSignal) {
    ColdScene scene;
    scene.stall_memory(Microseconds(1'000'000));
    scene.refault(mebibytes(64));
    scene.now.stat->pgscan = 1'000'000;
    scene.state = scene.app.init(scene.policy, scene.now.at);
    scene.step();
    const Bytes ask = mebibytes(8);
    scene.now.memory_pressure->some.total = Microseconds(0);
    scene.now.stat->workingset_refault_anon = 0;
    scene.now.stat->pgscan = 0;
    scene.report_cold(ask, ask);
    EXPECT_EQ(scene.step().reason.code(), ReasonCode::cold);
}

TEST(ReclaimCold, ATimeThatJumpsOwesNothing) {
    Scene scene;
    scene.step();
    scene.now.at += std::chrono::hours(1);
    EXPECT_EQ(scene.step().reason.code(), ReasonCode::warming);
    EXPECT_EQ(scene.step().ask, Bytes{static_cast<std::uint64_t>(0.02 * 0x1p27)});
    scene.now.at -= std::chrono::hours(2);
    EXPECT_EQ(scene.step().reason.code(), ReasonCode::warming);
    EXPECT_EQ(scene.step().ask, Bytes{static_cast<std::uint64_t>(0.02 * 0x1p27)});
}

TEST(ReclaimCold, StopsUnderPressureWithinOnePeriod) {
    ColdScene scene;
    scene.stall_memory(Microseconds(2'000));
    EXPECT_EQ(scene.step().reason.code(), ReasonCode::pressure);
    EXPECT_EQ(scene.step().reason.code(), ReasonCode::cold);
    scene.stall_io(Microseconds(1'000)); // half of the target
    EXPECT_EQ(scene.step().ask, mebibytes(4));
}

TEST(ReclaimCold, NeverGoesBelowTheFloor) {
    ColdScene scene;
    scene.now.protection.low = mebibytes(92);
    EXPECT_EQ(scene.step().ask, mebibytes(4));
    scene.now.protection.low = mebibytes(96);
    EXPECT_EQ(scene.step().reason.code(), ReasonCode::protected_floor);
}

TEST(ReclaimCold, DoesNotAskAgainForWhatLeftSinceItWasCounted) {
    ColdScene scene(mebibytes(8));
    scene.view->counted = scene.now.at;
    const Bytes ask = scene.step().ask;
    ASSERT_EQ(ask, mebibytes(8));
    scene.report_cold(ask, ask);
    EXPECT_EQ(scene.step().ask.count, 0U);
    scene.view->counted = scene.now.at; // still there: it is asked for again
    EXPECT_EQ(scene.step().ask, mebibytes(8));
}

TEST(ReclaimCold, TakesOffWhatLeftAfterItWasCountedAlone) {
    const auto report_second = [](ColdScene& scene, Bytes left) {
        scene.report_cold(left, left);
        scene.outcomes.back().wall = std::chrono::seconds(1);
        scene.outcomes.back().at = scene.now.at + std::chrono::seconds(1);
    };
    ColdScene scene(mebibytes(20));
    ASSERT_EQ(scene.step().ask, mebibytes(8));
    report_second(scene, mebibytes(8));
    scene.show(mebibytes(18));
    // Counted when a quarter of the 8 MiB had left: the other 6 are among the 18.
    const TimePoint amid = scene.now.at + std::chrono::milliseconds(250);
    scene.view->counted = amid;
    ASSERT_EQ(scene.step().ask, mebibytes(12));
    const TimePoint between = scene.now.at;
    report_second(scene, mebibytes(12));
    EXPECT_EQ(scene.step().ask.count, 0U); // not counted since
    // All 8 had left, and none of the 12; 4 more have become cold.
    scene.show(mebibytes(16));
    scene.view->counted = between;
    EXPECT_EQ(scene.step().ask, mebibytes(4));
    scene.show(mebibytes(4));
    scene.view->counted = scene.now.at;
    scene.step();
    EXPECT_TRUE(scene.reclaim_state().departures.empty());
}

TEST(ReclaimCold, LeavesWhatDoesNotLeaveAloneForAMinute) {
    ColdScene scene(mebibytes(8));
    scene.now.stat->unevictable = mebibytes(8);
    const Bytes ask = scene.step().ask;
    scene.report_cold(ask, {}, ask);
    int waited = 0;
    for (model::Decision next = scene.step(); next.ask.count == 0; next = scene.step()) {
        ASSERT_LT(++waited, 100);
        ASSERT_EQ(next.reason.code(), ReasonCode::stuck);
    }
    EXPECT_EQ(waited, 30); // periods of 2 s
}

TEST(ReclaimEnds, ARequestWhereItHarmsOrMayNotBe) {
    for (const ReasonCode code :
         {ReasonCode::pressure, ReasonCode::io_pressure, ReasonCode::refaults,
          ReasonCode::after_oom, ReasonCode::growing, ReasonCode::protected_floor,
          ReasonCode::frozen, ReasonCode::nested, ReasonCode::sensor}) {
        EXPECT_TRUE(ends_request(code)) << to_string(code);
    }
    for (const ReasonCode code : {ReasonCode::cold, ReasonCode::reclaimed, ReasonCode::busy,
                                  ReasonCode::saving, ReasonCode::in_use, ReasonCode::cpu}) {
        EXPECT_FALSE(ends_request(code)) << to_string(code);
    }
}

/// Over random containers: never a byte below the floor, over what is proven cold while ages are
/// known, or beyond swap.
TEST(ReclaimProperty, NeverAsksForMoreThanIsProvenOrMayLeave) {
    std::mt19937 random(7);
    std::uniform_int_distribution<std::uint64_t> size(0, 400);
    for (int round = 0; round < 2000; ++round) {
        ColdScene scene(mebibytes(size(random)), mebibytes(size(random)));
        scene.now.protection.min = mebibytes(size(random));
        scene.now.swap_limit = mebibytes(size(random));
        for (int period = 0; period < 4; ++period) {
            const model::Decision decision = scene.step();
            const Bytes cold = scene.view->slices.back().anon + scene.view->slices.back().file;
            ASSERT_LE(decision.ask, cold);
            ASSERT_LE(decision.ask + reclaim_floor(scene.policy, scene.now),
                      std::max(scene.now.usage, reclaim_floor(scene.policy, scene.now)));
            if (decision.pages == Pages::anon) {
                ASSERT_LE(decision.ask, *scene.now.swap_limit);
            }
            scene.report_cold(decision.ask, decision.ask);
        }
    }
}

} // namespace
} // namespace cgtide::apps
