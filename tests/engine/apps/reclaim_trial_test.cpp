// The law after too much came back: a step of proven age on trial, and what is no part of that.
#include "engine/apps/reclaim.hpp"
#include "tests/engine/apps/scene.hpp"

#include <gtest/gtest.h>

namespace cgtide::apps {
namespace {

using model::InputKey;
using model::ReasonCode;
using test::ColdScene;

double seconds(Microseconds time) {
    return std::chrono::duration<double>(time).count();
}

/// Has 8 MiB leave that come back after `out`, and waits until the hold for that ends with the next
/// request. \returns its decision.
model::Decision after_hold(ColdScene& scene, std::chrono::seconds out) {
    scene.report_cold(kFirstStep, kFirstStep);
    for (auto passed = std::chrono::seconds(0); passed < out; passed += std::chrono::seconds(2)) {
        scene.step(); // asked for as well, and turned away
    }
    scene.refault(kFirstStep);
    EXPECT_EQ(scene.step().reason.code(), ReasonCode::refaults);
    model::Decision decision;
    for (int period = 0; period < 10 && decision.ask.count == 0; ++period) {
        decision = scene.step();
    }
    return decision;
}

/// What comes back a quarter of a minute after it left does so long after all has left, where each
/// period doubles the step.
TEST(ReclaimTrial, AfterAHoldAStepFollowsWhereTheOneBeforeHasStayedOutTwiceAsLong) {
    ColdScene scene;
    EXPECT_EQ(after_hold(scene, std::chrono::seconds(14)).ask, kFirstStep);
    scene.report_cold(kFirstStep, kFirstStep);
    model::Decision decision = scene.step();
    EXPECT_EQ(decision.reason.code(), ReasonCode::trial);
    EXPECT_DOUBLE_EQ(decision.reason.input(InputKey::cold), 0x1p26);
    EXPECT_NEAR(decision.reason.input(InputKey::age), 32e6, 10.0);
    int waited = 1;
    while ((decision = scene.step()).reason.code() == ReasonCode::trial) {
        ASSERT_LT(++waited, 100);
    }
    EXPECT_EQ(waited, 15); // periods of 2 s: the sixteenth is 32 s later
    EXPECT_EQ(decision.reason.code(), ReasonCode::cold);
    EXPECT_EQ(decision.ask, mebibytes(16));
}

/// What is on trial stays in the book: after a minute next to nothing of it would be left there.
TEST(ReclaimTrial, WhatComesBackLateOnTrialHoldsLonger) {
    ColdScene scene;
    scene.report_cold(mebibytes(64), mebibytes(64));
    ASSERT_EQ(after_hold(scene, std::chrono::seconds(50)).ask, kFirstStep);
    EXPECT_NEAR(seconds(scene.reclaim_state().trial), 104.0, 2.0);
    scene.report_cold(kFirstStep, kFirstStep);
    for (int period = 0; period < 25; ++period) {
        ASSERT_EQ(scene.step().reason.code(), ReasonCode::trial);
    }
    scene.refault(mebibytes(1));
    EXPECT_EQ(scene.step().reason.code(), ReasonCode::refaults);
    EXPECT_EQ(scene.reclaim_state().hold, 2 * kFirstHold);
    EXPECT_NEAR(seconds(scene.reclaim_state().trial), 104.0, 2.0);
}

/// Of what left before a hold much came back before it: it says nothing of the next time out.
TEST(ReclaimTrial, ATimeOutIsOfWhatLeftSinceTheHoldBefore) {
    ColdScene scene;
    after_hold(scene, std::chrono::seconds(14));
    EXPECT_NEAR(seconds(scene.reclaim_state().trial), 32.0, 0.1);
    after_hold(scene, std::chrono::seconds(14));
    EXPECT_NEAR(seconds(scene.reclaim_state().trial), 32.0, 0.1);
    EXPECT_EQ(scene.reclaim_state().hold, 2 * kFirstHold);
}

/// Some pages come back all the time, of whatever left long ago.
TEST(ReclaimTrial, ATrickleOnTrialDoesNotKeepTheRestForEver) {
    ColdScene scene;
    Bytes ask = after_hold(scene, std::chrono::seconds(14)).ask;
    for (int period = 0; period < 60 && scene.reclaim_state().trial.count() > 0; ++period) {
        if (ask.count > 0) {
            scene.report_cold(ask, ask);
        }
        scene.refault(kibibytes(24)); // 3 pages a second
        ask = scene.step().ask;
    }
    EXPECT_EQ(scene.reclaim_state().trial, Microseconds(0));
}

/// What leaves of unknown age is neither out for as long as what comes back, nor what that is of.
TEST(ReclaimTrial, WhatIsOfUnknownAgeIsNoPartOfATrial) {
    ColdScene scene;
    scene.report_cold(mebibytes(64), mebibytes(64));
    for (int period = 0; period < 13; ++period) {
        scene.step();
        scene.report(mebibytes(12), mebibytes(12));
    }
    scene.refault(mebibytes(64));
    ASSERT_EQ(scene.step().reason.code(), ReasonCode::refaults);
    EXPECT_NEAR(seconds(scene.reclaim_state().trial), 56.0, 0.1);
    while (scene.step().reason.code() == ReasonCode::refaults) {
    }
    scene.report_cold(kFirstStep, kFirstStep);
    for (int period = 0; period < 12; ++period) {
        ASSERT_EQ(scene.step().reason.code(), ReasonCode::trial);
        scene.report(mebibytes(12), mebibytes(12));
    }
    scene.refault(kFirstStep);
    EXPECT_EQ(scene.step().reason.code(), ReasonCode::refaults);
}

/// What has come back is on trial no longer: the hold alone says when the next step follows.
TEST(ReclaimTrial, ATripEndsATrial) {
    ColdScene scene;
    scene.report_cold(mebibytes(64), mebibytes(64));
    ASSERT_EQ(after_hold(scene, std::chrono::seconds(50)).ask, kFirstStep);
    EXPECT_EQ(after_hold(scene, std::chrono::seconds(4)).ask, Bytes{});
    for (int period = 0; period < 10; ++period) {
        ASSERT_EQ(scene.step().reason.code(), period < 9 ? ReasonCode::refaults : ReasonCode::cold);
    }
}

/// Nobody knows when in a long time without a sample something came back.
TEST(ReclaimTrial, AStallOfTheEngineIsNoTimeOut) {
    ColdScene scene;
    scene.report_cold(kFirstStep, kFirstStep);
    scene.step();
    scene.now.at += std::chrono::minutes(10);
    scene.refault(kFirstStep);
    scene.step();
    EXPECT_EQ(scene.reclaim_state().hold, kFirstHold);
    EXPECT_EQ(scene.reclaim_state().trial, Microseconds(0));
}

TEST(ReclaimTrial, AHoldThatIsForgottenPutsNothingOnTrial) {
    ColdScene scene;
    Bytes ask = after_hold(scene, std::chrono::seconds(14)).ask;
    int steps = 0;
    for (int period = 0; period < 60 && scene.reclaim_state().trial.count() > 0; ++period) {
        if (ask.count > 0) {
            scene.report_cold(ask, ask);
            ++steps;
        }
        ask = scene.step().ask;
    }
    EXPECT_EQ(steps, 3);
    EXPECT_EQ(scene.reclaim_state().hold, Microseconds(0));
    for (int period = 0; period < 5; ++period) {
        ASSERT_EQ(scene.step().reason.code(), ReasonCode::cold);
        scene.report_cold(kFirstStep, kFirstStep);
    }
}

} // namespace
} // namespace cgtide::apps
