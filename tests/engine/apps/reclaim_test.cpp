#include "engine/apps/reclaim.hpp"
#include "tests/engine/apps/scene.hpp"

#include <random>

#include <gmock/gmock.h>

namespace cgtide::apps {
namespace {

using model::Pages;
using model::ReasonCode;
using test::Scene;

TEST(Reclaim, FirstSampleOnlyWarms) {
    Scene scene;
    EXPECT_EQ(scene.step().reason.code(), ReasonCode::warming);
}

TEST(Reclaim, LeavesAYoungContainerAlone) {
    Scene scene;
    scene.policy.reclaim.idle = Microseconds(10'000'000);
    scene.now.lived = Microseconds(9'999'999);
    EXPECT_EQ(scene.step().reason.code(), ReasonCode::young);
    scene.now.lived = Microseconds(10'000'000);
    EXPECT_NE(scene.step().reason.code(), ReasonCode::young);
}

TEST(Reclaim, AContainerIsYoungUntilItsSensorHasWatchedForAsLong) {
    Scene scene;
    scene.step();
    scene.policy.reclaim.idle = std::chrono::seconds(10);
    const auto young_at = [&](std::chrono::seconds lived, std::chrono::seconds watched) {
        scene.now.lived = lived;
        scene.see({{Microseconds(0), mebibytes(96), mebibytes(32)}}, watched);
        return scene.step().reason;
    };
    using std::chrono::seconds;
    const model::Reason young = young_at(seconds(12), seconds(9));
    EXPECT_EQ(young.code(), ReasonCode::young);
    EXPECT_DOUBLE_EQ(young.input(model::InputKey::age), 9e6);
    EXPECT_NE(young_at(seconds(12), seconds(10)).code(), ReasonCode::young);
    EXPECT_EQ(young_at(seconds(19), seconds(2)).code(), ReasonCode::young);
    // A sensor that began anew is not waited for: there is the pace of unknown age.
    EXPECT_NE(young_at(seconds(20), seconds(2)).code(), ReasonCode::young);
    EXPECT_NE(young_at(seconds(60), seconds(0)).code(), ReasonCode::young);
    // It may have watched for longer than this engine has run.
    EXPECT_EQ(young_at(seconds(9), seconds(60)).code(), ReasonCode::young);
}

TEST(Reclaim, AsksForTheLawsShareAtZeroPressure) {
    Scene scene;
    scene.step();
    const model::Decision decision = scene.step();
    ASSERT_EQ(decision.reason.code(), ReasonCode::reclaimed);
    // 2 % of 128 MiB.
    EXPECT_NEAR(static_cast<double>(decision.ask.count), 0.02 * 0x1p27, 1.0);
    EXPECT_EQ(decision.pages, Pages::all);
}

TEST(Reclaim, ScalesWithThePressureOfThePeriod) {
    Scene scene;
    scene.step();
    // Half of the target: 0.05 % of 2 s.
    scene.stall_memory(Microseconds(1'000));
    EXPECT_NEAR(static_cast<double>(scene.step().ask.count), 0.01 * 0x1p27, 1.0);
    scene.stall_io(Microseconds(1'000));
    EXPECT_NEAR(static_cast<double>(scene.step().ask.count), 0.01 * 0x1p27, 1.0);
}

TEST(Reclaim, SomeRefaultsMakeTheShareSmaller) {
    Scene scene;
    scene.step();
    const Bytes ask = scene.step().ask;
    scene.report(ask, ask);
    scene.refault(Bytes{ask.count / 40});
    const double next = static_cast<double>(scene.step().ask.count);
    EXPECT_LT(next, 0.8 * static_cast<double>(ask.count));
    EXPECT_GT(next, 0.2 * static_cast<double>(ask.count));
}

TEST(Reclaim, WhileALowerTierTakesWhatIsColdPageCacheThatNoProcessMapsLeavesAlone) {
    Scene scene;
    scene.now.has_lower_tier = true;
    scene.now.stat->file_mapped = mebibytes(8);
    scene.now.stat->shmem = mebibytes(4);
    scene.step();
    model::Decision decision = scene.step();
    EXPECT_EQ(decision.reason.code(), ReasonCode::reclaimed);
    EXPECT_EQ(decision.pages, Pages::file);
    EXPECT_LE(decision.ask, mebibytes(20));
    scene.node.swappiness_key = false;
    EXPECT_EQ(scene.step().reason.code(), ReasonCode::lower_tier) << "anonymous memory would leave";
    scene.node.swappiness_key = true;
    scene.now.stat->file_mapped = mebibytes(28);
    EXPECT_EQ(scene.step().reason.code(), ReasonCode::lower_tier) << "it can move";
}

TEST(Reclaim, StopsAtTheTargetWithinOnePeriod) {
    Scene scene;
    scene.step();
    scene.stall_memory(Microseconds(2'000));
    EXPECT_EQ(scene.step().reason.code(), ReasonCode::pressure);
    scene.stall_io(Microseconds(2'000));
    EXPECT_EQ(scene.step().reason.code(), ReasonCode::io_pressure);
    EXPECT_EQ(scene.step().reason.code(), ReasonCode::reclaimed);
}

TEST(Reclaim, OwesNothingForThePeriodsOverTarget) {
    Scene scene;
    scene.policy.profile.ratio = 0.002;
    scene.step();
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(scene.step().reason.code(), ReasonCode::saving);
    }
    scene.stall_memory(Microseconds(10'000));
    EXPECT_EQ(scene.step().reason.code(), ReasonCode::pressure);
    EXPECT_DOUBLE_EQ(scene.reclaim_state().carry, 0.0);
}

TEST(Reclaim, CarriesSmallSharesUntilTheyAreWorthAWrite) {
    Scene scene;
    scene.policy.profile = model::Profile{}; // 0.05 % of 128 MiB is 64 KiB a period
    scene.step();
    int periods = 0;
    while (scene.step().ask.count == 0) {
        ASSERT_LT(++periods, 20);
    }
    EXPECT_EQ(periods, 15);
}

TEST(Reclaim, SubtractsWhatAWriteTookBeyondItsRequest) {
    Scene scene;
    scene.step();
    const Bytes ask = scene.step().ask;
    scene.report(ask, ask + mebibytes(2));
    const Bytes next = scene.step().ask;
    EXPECT_EQ(next.count, 0U);
    EXPECT_NEAR(scene.reclaim_state().carry, 0.02 * 0x1p27 - 0x1p21, 1.0);
}

TEST(Reclaim, FollowsTheFormulaOverManyPeriods) {
    Scene scene;
    scene.policy.profile = model::Profile{};
    scene.now.usage = mebibytes(512);
    scene.step();
    double taken = 0.0;
    for (int i = 0; i < 200; ++i) {
        const Bytes ask = scene.step().ask;
        if (ask.count > 0) {
            scene.report(ask, ask + kibibytes(100)); // every write takes a little more
            taken += static_cast<double>(ask.count) + 102400.0;
        }
    }
    const double formula = 200 * 0.0005 * 0x1p29;
    EXPECT_NEAR(taken / formula, 1.0, 0.05);
}

TEST(Reclaim, NeverAsksForMoreThanMaxOfUsage) {
    Scene scene;
    scene.policy.profile.ratio = 1.0;
    scene.step();
    EXPECT_NEAR(static_cast<double>(scene.step().ask.count), 0.02 * 0x1p27, 1.0);
}

TEST(Reclaim, NeverGoesBelowTheFloor) {
    Scene scene;
    scene.now.protection.min = mebibytes(127);
    scene.step();
    EXPECT_EQ(scene.step().ask, mebibytes(1));
    scene.now.usage = mebibytes(127) + kibibytes(900);
    const model::Decision decision = scene.step();
    EXPECT_EQ(decision.reason.code(), ReasonCode::protected_floor);
    EXPECT_EQ(decision.ask.count, 0U);
    EXPECT_DOUBLE_EQ(decision.reason.input(model::InputKey::floor), 127.0 * 0x1p20);
}

TEST(ReclaimFloor, IsTheGreatestOfKeepMinAndLow) {
    Scene scene;
    EXPECT_EQ(reclaim_floor(scene.policy, scene.now), mebibytes(16));
    scene.now.protection.low = mebibytes(40);
    EXPECT_EQ(reclaim_floor(scene.policy, scene.now), mebibytes(40));
    scene.policy.reclaim.keep = BasisPoints{5000.0};
    scene.now.swap_usage = mebibytes(128);
    EXPECT_EQ(reclaim_floor(scene.policy, scene.now), mebibytes(128));
}

TEST(Reclaim, LeavesFrozenNestedAndBlindContainersAlone) {
    Scene scene;
    scene.step();
    scene.now.frozen = true;
    EXPECT_EQ(scene.step().reason.code(), ReasonCode::frozen);
    scene.now.frozen = false;
    scene.now.has_nested = true;
    EXPECT_EQ(scene.step().reason.code(), ReasonCode::nested);
    scene.now.has_nested = false;
    scene.now.memory_pressure.reset();
    EXPECT_EQ(scene.step().reason.code(), ReasonCode::sensor);
}

TEST(Reclaim, WaitsAMinuteAfterAnOomKillOrAMaxEvent) {
    Scene scene;
    scene.step();
    scene.now.events->oom_kill = 1;
    int waited = 0;
    while (scene.step().reason.code() == ReasonCode::after_oom) {
        ASSERT_LT(++waited, 100);
    }
    EXPECT_EQ(waited, 30); // periods of 2 s
    scene.now.events->max = 7;
    EXPECT_EQ(scene.step().reason.code(), ReasonCode::after_oom);
}

TEST(Reclaim, HoldsWhenWhatItTookComesBackAndLongerEachTime) {
    Scene scene;
    scene.step();
    Microseconds last{0};
    for (int trip = 0; trip < 4; ++trip) {
        Bytes ask;
        while (ask.count == 0) {
            ask = scene.step().ask;
        }
        scene.report(ask, ask);
        scene.refault(ask);
        EXPECT_EQ(scene.step().reason.code(), ReasonCode::refaults);
        EXPECT_GT(scene.reclaim_state().hold, last);
        last = scene.reclaim_state().hold;
    }
}

TEST(Reclaim, ForgetsAHoldThatNothingFollowed) {
    Scene scene;
    scene.step();
    const Bytes ask = scene.step().ask;
    scene.report(ask, ask);
    scene.refault(ask);
    const model::Reason reason = scene.step().reason;
    EXPECT_EQ(reason.code(), ReasonCode::refaults);
    EXPECT_GT(reason.input(model::InputKey::limit), 0.0);
    EXPECT_GT(reason.input(model::InputKey::refault_bytes), reason.input(model::InputKey::limit));
    for (int i = 0; i < 60; ++i) {
        const Bytes more = scene.step().ask;
        if (more.count > 0) {
            scene.report(more, more);
        }
    }
    EXPECT_EQ(scene.reclaim_state().hold, Microseconds(0));
}

TEST(Reclaim, AFewRefaultsDoNotStopABulk) {
    Scene scene;
    scene.step();
    for (int i = 0; i < 10; ++i) {
        const model::Decision decision = scene.step();
        ASSERT_EQ(decision.reason.code(), ReasonCode::reclaimed);
        scene.report(decision.ask, decision.ask);
        scene.refault(kibibytes(12));
    }
}

TEST(Reclaim, TakesFilePagesAloneWithoutSwap) {
    Scene scene;
    scene.node.swap_total = {};
    scene.node.swap_free = {};
    scene.step();
    EXPECT_EQ(scene.step().pages, Pages::file);
}

TEST(Reclaim, AnonymousReclaimStopsWhereSwapIsNearlyFull) {
    Scene scene;
    scene.node.swap_free = mebibytes(50); // of 512
    scene.step();
    EXPECT_EQ(scene.step().pages, Pages::file);
    scene.now.stat->inactive_file = {};
    scene.now.stat->active_file = {};
    EXPECT_EQ(scene.step().reason.code(), ReasonCode::no_swap);
}

TEST(Reclaim, AnonymousReclaimStopsAtTheContainersOwnSwapLimit) {
    Scene scene;
    scene.now.swap_limit = kibibytes(4);
    scene.now.stat->inactive_file = {};
    scene.now.stat->active_file = {};
    scene.step();
    EXPECT_EQ(scene.step().reason.code(), ReasonCode::no_swap);
}

TEST(Reclaim, PagesNeedWhatTheKernelTakes) {
    Scene scene;
    scene.policy.reclaim.pages = Pages::anon;
    scene.node.swappiness_max = false;
    scene.step();
    EXPECT_EQ(scene.step().reason.code(), ReasonCode::pages_unsupported);
    scene.policy.reclaim.pages = Pages::file;
    EXPECT_EQ(scene.step().pages, Pages::file);
    scene.node.swappiness_key = false;
    EXPECT_EQ(scene.step().reason.code(), ReasonCode::pages_unsupported);
}

TEST(Reclaim, KeepsToItsShareOfACore) {
    Scene scene;
    scene.step();
    const Bytes ask = scene.step().ask;
    scene.report(ask, ask, Microseconds(250'000)); // 5 % of 5 s
    EXPECT_EQ(scene.step().reason.code(), ReasonCode::cpu);
    EXPECT_EQ(scene.step().reason.code(), ReasonCode::cpu);
    EXPECT_EQ(scene.step().reason.code(), ReasonCode::reclaimed);
}

TEST(Reclaim, CountersThatGoBackwardsAreNoSignal) {
    Scene scene;
    scene.now.stat->workingset_refault_anon = 1'000'000;
    scene.stall_memory(Microseconds(900'000));
    scene.step();
    scene.now.stat->workingset_refault_anon = 0;
    scene.now.memory_pressure->some.total = Microseconds(0);
    EXPECT_EQ(scene.step().reason.code(), ReasonCode::reclaimed);
}

TEST(Reclaim, WhateverHappensTheFloorAndTheMaximumHold) {
    std::mt19937 random(20260101);
    const auto draw = [&](int top) {
        return static_cast<std::uint64_t>(random() % static_cast<unsigned>(top));
    };
    for (int run = 0; run < 200; ++run) {
        Scene scene;
        for (int i = 0; i < 50; ++i) {
            scene.now.usage = mebibytes(draw(512));
            scene.now.protection.low = mebibytes(draw(256));
            scene.stall_memory(Microseconds(static_cast<int>(draw(3'000))));
            scene.refault(kibibytes(draw(64)));
            scene.node.swap_free = mebibytes(draw(512));
            const model::Decision decision = scene.step();
            const Bytes floor = reclaim_floor(scene.policy, scene.now);
            ASSERT_LE(decision.ask, scene.now.usage - floor);
            ASSERT_LE(decision.ask.count,
                      std::max<double>(0.021 * static_cast<double>(scene.now.usage.count), 0x1p20));
            if (decision.ask.count > 0) {
                scene.report(decision.ask, mebibytes(draw(8)),
                             Microseconds(static_cast<int>(draw(50'000))));
            }
        }
    }
}

TEST(Reclaim, TheSameArgumentsGiveTheSameStep) {
    Scene one;
    Scene two;
    for (int i = 0; i < 20; ++i) {
        one.step();
        two.step();
        ASSERT_EQ(model::to_string(one.state), model::to_string(two.state));
    }
}

} // namespace
} // namespace cgtide::apps
