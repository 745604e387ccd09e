// By what cold memory leaves, and of which kind.
#include "engine/apps/reclaim.hpp"
#include "tests/engine/apps/scene.hpp"

#include <gmock/gmock.h>

namespace cgtide::apps {
namespace {

using model::Actuator;
using model::IdleSource;
using model::OutcomeEnd;
using model::Pages;
using model::ReasonCode;
using test::ColdScene;

/// As pages that a fork left shared do.
TEST(ReclaimCold, WhatCannotLeaveByAddressLeavesByTheKernelsLists) {
    ColdScene scene(mebibytes(64));
    model::Decision decision = scene.step();
    ASSERT_EQ(decision.actuator, Actuator::pageout);
    scene.report_cold(decision.ask, {}, mebibytes(64));
    Bytes cold = mebibytes(64);
    for (int step = 0; step < 3; ++step) {
        decision = scene.step();
        ASSERT_EQ(decision.actuator, Actuator::memory_reclaim) << step;
        EXPECT_EQ(decision.pages, Pages::anon);
        EXPECT_EQ(decision.reason.code(), ReasonCode::cold);
        ASSERT_GT(decision.ask.count, 0U);
        scene.report_cold(decision.ask, decision.ask, {}, Actuator::memory_reclaim);
        cold = cold - decision.ask;
        scene.show(cold);
        scene.view->counted = scene.now.at + Microseconds(2);
    }
    EXPECT_LE(cold, mebibytes(8)); // 8, 16 and 32 MiB are out
}

TEST(ReclaimCold, WhereTheListsGiveNothingWhatIsStuckStays) {
    ColdScene scene(mebibytes(64));
    scene.report_cold(scene.step().ask, {}, mebibytes(64));
    const model::Decision listed = scene.step();
    ASSERT_EQ(listed.actuator, Actuator::memory_reclaim);
    scene.report_cold(listed.ask, Bytes{}, {}, Actuator::memory_reclaim);
    scene.outcomes.back().end = OutcomeEnd::partial;
    for (int period = 0; period < 25; ++period) { // of 2 s
        ASSERT_EQ(scene.step().reason.code(), ReasonCode::stuck) << period;
    }
    model::Decision next = scene.step();
    while (next.ask.count == 0) {
        next = scene.step();
    }
    EXPECT_EQ(next.actuator, Actuator::pageout); // a minute later
    scene.report_cold(next.ask, {}, mebibytes(64));
    EXPECT_EQ(scene.step().reason.code(), ReasonCode::stuck);
}

TEST(ReclaimCold, WithoutAWordForAKindTheListsAreNotAskedForWhatIsStuck) {
    ColdScene scene(mebibytes(64));
    scene.node.swappiness_max = false;
    scene.report_cold(scene.step().ask, {}, mebibytes(64));
    EXPECT_EQ(scene.step().reason.code(), ReasonCode::stuck);
}

TEST(ReclaimCold, WhatIsStuckIsSaid) {
    ColdScene scene(mebibytes(8));
    scene.now.stat->unevictable = mebibytes(8);
    const Bytes ask = scene.step().ask;
    scene.report_cold(ask, {}, ask);
    EXPECT_THAT(explain(scene.step().reason),
                testing::HasSubstr("8.0 MiB have been idle for 2 m, and did not leave when they "
                                   "were asked for: locked, or of several processes; waiting 58"));
}

TEST(ReclaimCold, WhatDamonsWorkersTookNothingOfIsNotOrderedAgainAtOnce) {
    ColdScene scene(mebibytes(8));
    scene.node.actuators = {.damos = true};
    const model::Decision decision = scene.step();
    EXPECT_EQ(decision.actuator, Actuator::damos);
    EXPECT_TRUE(decision.proven);
    scene.report_cold(decision.ask, {}, decision.ask, Actuator::damos);
    for (int period = 0; period < 30; ++period) { // of 2 s
        ASSERT_EQ(scene.step().ask, Bytes{});
    }
    EXPECT_EQ(scene.step().actuator, Actuator::damos);
}

TEST(ReclaimCold, ColdFilesAloneAreAskedForAsSuch) {
    ColdScene scene(kibibytes(512), mebibytes(16));
    EXPECT_EQ(scene.step().pages, Pages::file) << "nothing of them swaps";
    scene.now.stat->shmem = mebibytes(16);
    EXPECT_EQ(scene.step().pages, Pages::all) << "all of them do";
    scene.now.stat->shmem = {};
    scene.node.actuators = {.damos = true};
    EXPECT_EQ(scene.step().pages, Pages::all);
    scene.show(mebibytes(2), mebibytes(16));
    scene.node.actuators = {.pageout = true};
    EXPECT_EQ(scene.step().pages, Pages::all);
}

TEST(ReclaimCold, OfFilesAloneTheKernelsListsLeaveThoseOfATmpfs) {
    ColdScene scene(Bytes{}, mebibytes(20));
    scene.policy.reclaim.pages = Pages::file;
    scene.now.stat->shmem = mebibytes(16);
    const model::Decision decision = scene.step();
    EXPECT_EQ(decision.reason.code(), ReasonCode::cold);
    EXPECT_EQ(decision.actuator, Actuator::memory_reclaim);
    EXPECT_EQ(decision.pages, Pages::file);
    EXPECT_EQ(decision.ask, mebibytes(4)) << "for more, others would leave";
    scene.now.swap_limit = Bytes{};
    EXPECT_EQ(scene.step().actuator, Actuator::pageout) << "it may not swap";
    scene.now.swap_limit = std::nullopt;
    scene.node.swap_total = scene.node.swap_free = {};
    EXPECT_EQ(scene.step().actuator, Actuator::pageout) << "nothing can be swapped";
}

TEST(ReclaimCold, ForColdBytesOfATmpfsNoOtherFilesLeave) {
    ColdScene scene(Bytes{}, mebibytes(16));
    scene.policy.reclaim.pages = Pages::file;
    scene.now.stat->shmem = mebibytes(16);
    scene.now.stat->inactive_file = mebibytes(64);
    EXPECT_EQ(scene.step().reason.code(), ReasonCode::in_use);
}

TEST(ReclaimCold, TakesAnonymousMemoryNoFurtherThanSwapGoes) {
    ColdScene scene;
    scene.now.swap_limit = mebibytes(3);
    EXPECT_EQ(scene.step().ask, mebibytes(3));
    scene.now.swap_limit = Bytes{};
    EXPECT_EQ(scene.step().reason.code(), ReasonCode::exhausted);
}

TEST(ReclaimCold, WithoutRightsToPageOutTheKernelsListsChooseTheKind) {
    ColdScene scene;
    scene.node.actuators.pageout = false;
    model::Decision decision = scene.step();
    EXPECT_EQ(decision.reason.code(), ReasonCode::cold);
    EXPECT_EQ(decision.actuator, Actuator::memory_reclaim);
    EXPECT_EQ(decision.pages, Pages::anon);
    scene.node.swappiness_max = false;
    decision = scene.step();
    EXPECT_EQ(decision.pages, Pages::all);
}

/// A tenth is of the other kind: it is not meant, and no warm page goes in its place.
TEST(ReclaimCold, WhatIsOfAnotherKindIsNotAskedForInItsPlace) {
    ColdScene scene(mebibytes(1), mebibytes(15));
    scene.node.actuators.pageout = false;
    scene.step();
    // So that the next step is of 16 MiB, and they are counted as cold again.
    scene.report_cold(kFirstStep, kFirstStep, {}, Actuator::memory_reclaim);
    scene.outcomes.back().at = {};
    const model::Decision decision = scene.step();
    EXPECT_EQ(decision.pages, Pages::file);
    EXPECT_EQ(decision.ask, mebibytes(15));
}

TEST(ReclaimCold, GenerationsLetTheKernelsListsChoose) {
    ColdScene scene;
    scene.view->source = IdleSource::generations;
    EXPECT_EQ(scene.step().actuator, Actuator::memory_reclaim);
}

TEST(ReclaimCold, GenerationsLeaveAsSuchWhereTheSettingsSaySo) {
    ColdScene scene;
    scene.view->source = IdleSource::generations;
    scene.node.actuators.generations = true;
    scene.node.actuators.wanted = Actuator::generations;
    scene.node.swappiness_max = false; // nothing is asked of memory.reclaim
    const model::Decision first = scene.step();
    EXPECT_EQ(first.reason.code(), ReasonCode::cold);
    EXPECT_EQ(first.actuator, Actuator::generations);
    EXPECT_EQ(first.pages, Pages::anon);
    EXPECT_EQ(first.proven, scene.policy.reclaim.idle);
}

TEST(ReclaimCold, WhatNoWholeGenerationHoldsLeavesByTheKernelsLists) {
    ColdScene scene;
    scene.view->source = IdleSource::generations;
    scene.node.actuators.generations = true;
    scene.node.actuators.wanted = Actuator::generations;
    const auto after = [&](Actuator actuator, Bytes found, Bytes asked = mebibytes(8)) {
        model::Outcome outcome;
        outcome.asked = asked;
        outcome.taken = outcome.found = found;
        outcome.at = scene.now.at;
        outcome.actuator = actuator;
        outcome.proven = true;
        scene.outcomes.push_back(outcome);
        return scene.step().actuator;
    };
    EXPECT_EQ(scene.step().actuator, Actuator::generations);
    EXPECT_EQ(after(Actuator::generations, mebibytes(8)), Actuator::generations);
    EXPECT_EQ(after(Actuator::generations, mebibytes(2)), Actuator::memory_reclaim);
    EXPECT_EQ(after(Actuator::memory_reclaim, mebibytes(8)), Actuator::generations);
    EXPECT_EQ(after(Actuator::generations, Bytes{}, kSmallestAsk), Actuator::memory_reclaim);
}

TEST(ReclaimCold, PageCacheThatNoProcessMapsLeavesByTheKernelsLists) {
    ColdScene scene(Bytes{}, mebibytes(64));
    scene.view->source = IdleSource::regions_and_physical;
    const model::Decision first = scene.step();
    EXPECT_EQ(first.actuator, Actuator::pageout);
    model::Outcome outcome;
    outcome.asked = first.ask;
    outcome.at = scene.now.at;
    outcome.actuator = Actuator::pageout;
    outcome.proven = true;
    outcome.end = OutcomeEnd::partial;
    scene.outcomes.push_back(outcome);
    const model::Decision second = scene.step();
    EXPECT_EQ(second.reason.code(), ReasonCode::cold);
    EXPECT_EQ(second.actuator, Actuator::memory_reclaim);
    EXPECT_EQ(second.pages, Pages::file);
}

/// As when it frees most of what it was asked for.
TEST(ReclaimCold, WhereNoFilesAreColdWhatWasNotFoundIsAskedForByAddressAgain) {
    ColdScene scene;
    scene.view->source = IdleSource::regions_and_physical;
    const model::Decision first = scene.step();
    ASSERT_EQ(first.actuator, Actuator::pageout);
    scene.report_cold(first.ask, mebibytes(1)); // which is all that was found
    scene.show(mebibytes(57));
    scene.view->source = IdleSource::regions_and_physical;
    const model::Decision second = scene.step();
    EXPECT_EQ(second.reason.code(), ReasonCode::cold);
    EXPECT_EQ(second.actuator, Actuator::pageout);
    EXPECT_EQ(second.pages, Pages::anon);
}

} // namespace
} // namespace cgtide::apps
