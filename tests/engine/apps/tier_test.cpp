#include "engine/apps/tier.hpp"

#include <gmock/gmock.h>

namespace cgtide::apps {
namespace {

using model::Heat;
using model::Move;
using model::ReasonCode;
using testing::EndsWith;

constexpr int kPeriod = 2; // seconds

TimePoint at(int seconds) {
    return TimePoint(std::chrono::seconds(seconds));
}

/// A node of two tiers of 1 GiB, and a container on it.
class TierLaw : public testing::Test {
protected:
    TierLaw() {
        policy_.profile.period = Microseconds(kPeriod * 1'000'000);
        policy_.profile.cpu = BasisPoints{10'000.0};
        policy_.reclaim.idle = Microseconds(60'000'000);
        node_.tiers.is_tiered = true;
        node_.tiers.slow_free = mebibytes(512);
        node_.tiers.slow_reserve = mebibytes(20);
        place_.is_known = true;
        place_.target = mebibytes(100);
        place_.room = mebibytes(500);
        state_ = tier_app().init(policy_, at(0));
    }

    void set(model::HeatBytes& tier, std::uint64_t hot, std::uint64_t warm, std::uint64_t cool,
             std::uint64_t cold) {
        tier[Heat::hot] = mebibytes(hot);
        tier[Heat::warm] = mebibytes(warm);
        tier[Heat::cool] = mebibytes(cool);
        tier[Heat::cold] = mebibytes(cold);
        place_.promotable = place_.slow[Heat::hot];
        place_.demotable = place_.fast.sum() - place_.fast[Heat::hot];
        place_.fast_anon = place_.fast;
    }

    model::Decision step(const std::vector<model::Outcome>& outcomes = {}) {
        now_ += kPeriod;
        model::Snapshot snapshot;
        snapshot.at = at(now_);
        snapshot.usage = place_.fast.sum() + place_.slow.sum();
        snapshot.frozen = frozen_;
        snapshot.has_nested = has_nested_;
        snapshot.stat = stat_;
        snapshot.placement = place_;
        model::Step step = tier_app().step(state_, policy_, snapshot, outcomes, node_);
        state_ = step.state;
        EXPECT_EQ(step.decisions.size(), 1U);
        return step.decisions.at(0);
    }

    /// What came of a decision that was carried out in full.
    model::Outcome done(const model::Decision& decision) const {
        model::Outcome outcome;
        outcome.app = model::AppName::tier;
        outcome.at = at(now_ + 1);
        outcome.asked = decision.ask;
        outcome.taken = decision.ask;
        outcome.move = decision.move;
        outcome.actuator = decision.actuator;
        outcome.cpu = Microseconds(1000);
        return outcome;
    }

    model::Policy policy_;
    model::NodeView node_;
    model::Placement place_;
    model::State state_;
    bool frozen_ = false;
    bool has_nested_ = false;
    std::optional<cgroup::MemoryStat> stat_;
    int now_ = 0;
};

TEST_F(TierLaw, HotMemoryGoesUpWhereTheShareHasRoom) {
    set(place_.slow, 50, 10, 10, 10);
    const auto decision = step();
    EXPECT_EQ(decision.reason.code(), ReasonCode::promoting);
    EXPECT_EQ(decision.move, Move::promote);
    EXPECT_EQ(decision.ask, kFirstMove);
    EXPECT_EQ(decision.actuator, model::Actuator::move_pages);
}

TEST_F(TierLaw, MovesDoubleWhileNothingComesBackAndEndWithTheWork) {
    set(place_.slow, 50, 0, 0, 0);
    auto decision = step();
    std::vector<std::uint64_t> asked;
    while (decision.ask.count > 0 && asked.size() < 10) {
        asked.push_back(decision.ask.count >> 20U);
        place_.fast[Heat::hot] = place_.fast[Heat::hot] + decision.ask;
        place_.slow[Heat::hot] = place_.slow[Heat::hot] - decision.ask;
        place_.promotable = place_.slow[Heat::hot];
        decision = step({done(decision)});
    }
    EXPECT_THAT(asked, testing::ElementsAre(8U, 16U, 26U));
    EXPECT_EQ(decision.reason.code(), ReasonCode::placed);
}

TEST_F(TierLaw, DamonMovesWhereItIsAskedToAndCan) {
    set(place_.slow, 50, 0, 0, 0);
    node_.actuators.mover = model::Actuator::damos;
    EXPECT_EQ(step().actuator, model::Actuator::move_pages) << "this kernel cannot";
    node_.actuators.damos_moves = true;
    EXPECT_EQ(step().actuator, model::Actuator::damos);
    node_.actuators.mover.reset();
    EXPECT_EQ(step().actuator, model::Actuator::move_pages);
}

TEST_F(TierLaw, DamonTakesWhatNoSensorSeesToo) {
    set(place_.fast, 10, 0, 100, 0);
    place_.demotable = Bytes{}; // page cache that no process maps
    EXPECT_EQ(step().ask, Bytes{});
    node_.actuators.mover = model::Actuator::damos;
    node_.actuators.damos_moves = true;
    const auto down = step();
    EXPECT_EQ(down.move, Move::demote);
    EXPECT_EQ(down.ask, kFirstMove);
}

/// A node on which memory.reclaim may demote.
class TierLawByKernel : public TierLaw {
protected:
    TierLawByKernel() {
        node_.actuators.mover = model::Actuator::memory_reclaim;
        node_.actuators.reclaim_moves = true;
        node_.tiers.kernel_demotes = true;
        stat_ = cgroup::MemoryStat{};
    }

    model::Actuator chosen() {
        const auto down = step();
        EXPECT_EQ(down.move, Move::demote);
        return down.actuator;
    }

    /// The outcome of a demotion, after which so much of what went down is used.
    model::Decision took(const model::Decision& down, Bytes taken, Bytes used) {
        model::Outcome outcome = done(down);
        outcome.taken = taken;
        place_.fast[Heat::cold] = place_.fast[Heat::cold] - taken;
        place_.fast_anon = place_.fast;
        place_.slow[Heat::cold] = place_.slow[Heat::cold] + taken - used;
        place_.slow[Heat::hot] = place_.slow[Heat::hot] + used;
        place_.promotable = place_.promotable + used;
        return step({outcome});
    }

    bool asks_kernel() const { return !std::get<model::TierState>(state_).by_address_until; }

    static constexpr auto kByAddress = model::Actuator::move_pages;
    static constexpr auto kByKernel = model::Actuator::memory_reclaim;
};

TEST_F(TierLawByKernel, MemoryReclaimDemotesWhereThatIsAllItDoes) {
    set(place_.fast, 10, 0, 0, 60);
    EXPECT_EQ(chosen(), kByKernel);
    node_.tiers.kernel_demotes = false;
    EXPECT_EQ(chosen(), kByAddress);
    node_.tiers.kernel_demotes = true;
    node_.swap_total = mebibytes(1);
    EXPECT_EQ(chosen(), kByAddress) << "the lower tier would be swapped out";
    node_.swap_total = {};
    node_.actuators.reclaim_moves = false;
    EXPECT_EQ(chosen(), kByAddress) << "page cache would be dropped";
    node_.actuators.reclaim_moves = true;
    has_nested_ = true;
    EXPECT_EQ(chosen(), kByAddress) << "it reaches the container inside";
    has_nested_ = false;
    stat_.reset();
    EXPECT_EQ(chosen(), kByAddress) << "what is locked is not known";
    stat_ = cgroup::MemoryStat{};
    node_.actuators.mover.reset();
    EXPECT_EQ(chosen(), kByAddress);
}

TEST_F(TierLawByKernel, TheKernelIsAskedOnlyWhereEnoughIsAsIdleAsWhatShouldGo) {
    set(place_.fast, 40, 40, 0, 60);
    place_.fast_anon[Heat::cold] = mebibytes(3); // the rest is of files
    EXPECT_EQ(chosen(), kByAddress) << "it would take what is warm";
    place_.fast_anon[Heat::cold] = mebibytes(60);
    EXPECT_EQ(chosen(), kByKernel);
    stat_->unevictable = mebibytes(55);
    EXPECT_EQ(chosen(), kByAddress) << "most of it is locked";
}

TEST_F(TierLawByKernel, WhatIsHotGoesByAddress) {
    set(place_.fast, 90, 0, 0, 0);
    place_.target = mebibytes(50);
    const auto down = step();
    EXPECT_EQ(down.move, Move::demote);
    EXPECT_EQ(down.actuator, kByAddress);
}

TEST_F(TierLawByKernel, MemoryReclaimPromotesNothing) {
    set(place_.slow, 50, 0, 0, 0);
    const auto up = step();
    EXPECT_EQ(up.move, Move::promote);
    EXPECT_EQ(up.actuator, kByAddress);
}

TEST_F(TierLawByKernel, ItGoesOnWhileTheKernelTakesWhatIsIdle) {
    set(place_.fast, 10, 0, 0, 60);
    auto down = took(step(), kFirstMove, {});
    EXPECT_EQ(down.actuator, kByKernel);
    place_.fast[Heat::cold] = place_.fast[Heat::cold] + mebibytes(40); // more has become cold since
    place_.fast_anon = place_.fast;
    place_.slow[Heat::hot] = mebibytes(20); // as is told of what has not been idle for long enough
    took(down, down.ask, {});
    EXPECT_TRUE(asks_kernel());
}

TEST_F(TierLawByKernel, WhereTheKernelTookWhatIsInUseItIsByAddressForAWhile) {
    set(place_.fast, 10, 0, 0, 60);
    took(step(), kFirstMove, mebibytes(5));
    EXPECT_FALSE(asks_kernel());
    set(place_.slow, 0, 0, 0, 8);
    EXPECT_EQ(chosen(), kByAddress);
    now_ += static_cast<int>(kKernelRest.count() / 1'000'000);
    EXPECT_EQ(chosen(), kByKernel);
}

TEST_F(TierLawByKernel, ARequestIsJudgedByWhatWasThereBeforeIt) {
    set(place_.fast, 10, 0, 0, 60);
    const auto down = step();
    place_.promotable = mebibytes(5); // it is under way, and has taken so much that is in use
    step();
    step({done(down)});
    EXPECT_FALSE(asks_kernel());
}

TEST_F(TierLawByKernel, WhereTheKernelTookNextToNothingItIsByAddressOnceMovesDownGoOn) {
    set(place_.fast, 10, 0, 0, 60);
    const auto rests = took(step(), Bytes{4096}, {});
    EXPECT_EQ(rests.ask, Bytes{});
    now_ += static_cast<int>(kBarrenWait.count() / 1'000'000);
    EXPECT_EQ(chosen(), kByAddress);
}

TEST_F(TierLawByKernel, WhatWasNotTriedIsNoEvidence) {
    for (const auto end : {model::OutcomeEnd::dry_run, model::OutcomeEnd::interrupted}) {
        set(place_.fast, 10, 0, 0, 60);
        model::Outcome outcome = done(step());
        outcome.end = end;
        outcome.taken = {};
        step({outcome});
        now_ += static_cast<int>(kBarrenWait.count() / 1'000'000);
        EXPECT_EQ(chosen(), kByKernel);
    }
}

TEST_F(TierLaw, ColdMemoryGoesDownThoughThereIsRoom) {
    set(place_.fast, 10, 0, 0, 4);
    const auto decision = step();
    EXPECT_EQ(decision.move, Move::demote);
    EXPECT_EQ(decision.ask, mebibytes(4));
    EXPECT_EQ(decision.proven, policy_.reclaim.idle);
}

TEST_F(TierLaw, WhatIsOverTheShareGoesDownColdestFirst) {
    set(place_.fast, 60, 30, 13, 0);
    const auto little = step();
    EXPECT_EQ(little.move, Move::demote);
    EXPECT_EQ(little.ask, mebibytes(3));
    EXPECT_EQ(little.proven, model::kWarmWithin);
    place_.target = mebibytes(85);
    const auto more = step({done(little)});
    EXPECT_EQ(more.ask, mebibytes(16));
    EXPECT_EQ(more.proven, model::kHotWithin);
    place_.target = mebibytes(5); // less than what is hot
    model::TierState eager;
    eager.pace.step = 1e9;
    state_ = eager;
    const auto most = step();
    EXPECT_EQ(most.ask, mebibytes(98));
    EXPECT_EQ(most.proven, Microseconds::min());
}

TEST_F(TierLaw, AtConstantUseColderMemoryMakesRoomForHotter) {
    set(place_.fast, 40, 60, 0, 0);
    set(place_.slow, 30, 0, 0, 0);
    const auto down = step();
    EXPECT_EQ(down.move, Move::demote);
    EXPECT_EQ(down.ask, kFirstMove);
    EXPECT_EQ(down.proven, model::kHotWithin);
}

TEST_F(TierLaw, WhatNoSensorSeesHidesNoWarmMemory) {
    set(place_.fast, 0, 20, 80, 0);
    set(place_.slow, 30, 0, 0, 0);
    place_.demotable = mebibytes(20); // the 80 are page cache that no process maps
    const auto down = step();
    EXPECT_EQ(down.move, Move::demote);
    EXPECT_EQ(down.proven, model::kHotWithin);
}

TEST_F(TierLaw, NothingMakesRoomForWhatCannotCome) {
    set(place_.fast, 0, 100, 0, 0);
    set(place_.slow, 50, 0, 0, 0);
    place_.target = mebibytes(100);
    auto outcome = done(step());
    ASSERT_EQ(outcome.move, Move::demote);
    set(place_.fast, 0, 92, 0, 0);
    outcome = done(step({outcome}));
    while (outcome.move == Move::demote) {
        place_.fast[Heat::warm] = place_.fast[Heat::warm] - outcome.taken;
        place_.demotable = place_.fast[Heat::warm];
        outcome = done(step({outcome}));
    }
    outcome.taken = {}; // they are shared, or locked
    const auto next = step({outcome});
    EXPECT_NE(next.move, Move::demote);
    EXPECT_EQ(next.reason.code(), ReasonCode::unmovable);
}

TEST_F(TierLaw, WhatStaysBelowIsNotCountedOnForAWhileLongerEachTime) {
    set(place_.slow, 50, 0, 0, 0);
    const auto fails = [this](model::Decision decision) {
        EXPECT_EQ(decision.move, Move::promote);
        model::Outcome outcome = done(decision);
        outcome.taken = {};
        outcome.end = model::OutcomeEnd::partial; // all was tried
        return step({outcome});
    };
    fails(step());
    const auto& tier = std::get<model::TierState>(state_);
    EXPECT_EQ(immovable(tier, at(now_)), mebibytes(50));
    const auto left = [&] {
        return std::chrono::duration_cast<std::chrono::seconds>(tier.immovable.until - at(now_));
    };
    EXPECT_EQ(left(), kFirstImmovable - std::chrono::seconds(1));
    model::Decision next = step();
    while (next.ask.count == 0) {
        next = step();
    }
    EXPECT_EQ(next.ask, kImmovableTry); // a little of it is tried again
    fails(next);
    EXPECT_EQ(immovable(tier, at(now_)), mebibytes(50));
    EXPECT_EQ(left(), 2 * kFirstImmovable - std::chrono::seconds(1));
    do {
        next = step();
    } while (next.ask.count == 0);
    next = step({done(next)}); // it comes up
    EXPECT_EQ(immovable(tier, at(now_)), Bytes{});
    EXPECT_GT(next.ask, kImmovableTry);
}

TEST_F(TierLaw, WhereThereWasNoRoomNothingIsImmovable) {
    set(place_.slow, 50, 0, 0, 0);
    model::Outcome outcome = done(step());
    outcome.taken = {};
    outcome.end = model::OutcomeEnd::partial;
    place_.room = {};
    step({outcome});
    EXPECT_EQ(immovable(std::get<model::TierState>(state_), at(now_)), Bytes{});
}

TEST_F(TierLaw, AHoldIsForgottenInCalm) {
    set(place_.slow, 50, 0, 0, 0);
    auto outcome = done(step());
    outcome.returned = mebibytes(2);
    step({outcome});
    set(place_.slow, 0, 0, 0, 0);
    for (int i = 0; i < 200; ++i) {
        step();
    }
    EXPECT_EQ(std::get<model::TierState>(state_).hold, Microseconds(0));
}

TEST_F(TierLaw, HotMemoryIsNotExchangedForHotMemory) {
    set(place_.fast, 100, 0, 0, 0);
    set(place_.slow, 50, 0, 0, 0);
    EXPECT_EQ(step().reason.code(), ReasonCode::placed);
}

TEST_F(TierLaw, WhatWasReadOnceStaysDown) {
    set(place_.slow, 50, 0, 0, 0);
    place_.promotable = {};
    EXPECT_EQ(step().reason.code(), ReasonCode::placed);
}

TEST_F(TierLaw, ComesUpAsFarAsItsRoom) {
    set(place_.slow, 50, 0, 0, 0);
    place_.room = mebibytes(3);
    EXPECT_EQ(step().ask, mebibytes(3));
}

TEST_F(TierLaw, RemembersWhatWasInUseInTheFastestTier) {
    const auto kept = [&] {
        return std::get<model::TierState>(state_).in_use.most();
    };
    set(place_.fast, 40, 10, 20, 0);
    step();
    EXPECT_EQ(kept(), mebibytes(50));
    set(place_.fast, 0, 0, 70, 0);
    for (int waited = 0; waited < 60; waited += kPeriod) {
        step();
    }
    EXPECT_EQ(kept(), mebibytes(50));
    place_.is_known = false; // nobody sees it any more
    place_.fast = {};
    for (int waited = 0; waited < 120; waited += kPeriod) {
        step();
    }
    EXPECT_EQ(kept(), Bytes{});
}

TEST_F(TierLaw, AFullTierIsNamed) {
    set(place_.slow, 50, 0, 0, 0);
    place_.room = {};
    EXPECT_EQ(step().reason.code(), ReasonCode::tier_full);
    EXPECT_THAT(explain(step().reason), EndsWith("room for 0 B"));
    set(place_.slow, 0, 0, 0, 0);
    set(place_.fast, 0, 0, 0, 50);
    node_.tiers.slow_free = mebibytes(10);
    EXPECT_EQ(step().reason.code(), ReasonCode::tier_full);
}

TEST_F(TierLaw, WithoutTiersOrSightNothingMoves) {
    set(place_.slow, 50, 0, 0, 0);
    node_.tiers.is_tiered = false;
    EXPECT_EQ(step().reason.code(), ReasonCode::no_tiers);
    node_.tiers.is_tiered = true;
    place_.is_known = false;
    EXPECT_EQ(step().reason.code(), ReasonCode::unplaced);
    place_.is_known = true;
    frozen_ = true;
    EXPECT_EQ(step().reason.code(), ReasonCode::frozen);
}

TEST_F(TierLaw, ReturnsHoldMovesAndEachHoldIsLonger) {
    set(place_.slow, 50, 0, 0, 0);
    auto decision = step();
    auto outcome = done(decision);
    outcome.returned = mebibytes(2);
    const auto held = step({outcome});
    EXPECT_EQ(held.reason.code(), ReasonCode::returned);
    EXPECT_THAT(explain(held.reason),
                EndsWith("2.0 MiB of 7.8 MiB moved came back, over 500.3 KiB; waiting 20 s"));
    int waited = 0;
    for (; step().reason.code() == ReasonCode::returned && waited < 100; ++waited) {
    }
    EXPECT_EQ(waited, 9) << "20 s in periods of 2 s";
    EXPECT_EQ(step({outcome}).reason.code(), ReasonCode::returned);
    int again = 0;
    for (; step().reason.code() == ReasonCode::returned && again < 100; ++again) {
    }
    EXPECT_EQ(again, 19);
}

TEST_F(TierLaw, AfterAHoldMovesBeginSmallAgain) {
    place_.target = mebibytes(900);
    set(place_.slow, 500, 0, 0, 0);
    auto decision = step();
    for (int i = 0; i < 3; ++i) {
        decision = step({done(decision)});
    }
    EXPECT_EQ(decision.ask, mebibytes(64));
    auto outcome = done(decision);
    outcome.returned = decision.ask;
    ASSERT_EQ(step({outcome}).reason.code(), ReasonCode::returned);
    int waited = 0;
    while (decision = step(), decision.ask.count == 0 && ++waited < 100) {
    }
    EXPECT_EQ(decision.ask, kFirstMove);
}

TEST_F(TierLaw, CountsWhatItHasMovedAndWhatCameBack) {
    set(place_.slow, 50, 0, 0, 0);
    auto up = done(step());
    auto down = up;
    down.move = Move::demote;
    down.taken = mebibytes(3);
    down.returned = mebibytes(1);
    step({up, down});
    const auto& state = std::get<model::TierState>(state_);
    EXPECT_EQ(state.promoted, kFirstMove);
    EXPECT_EQ(state.demoted, mebibytes(3));
    EXPECT_EQ(state.returned, mebibytes(1));
}

TEST_F(TierLaw, AFewReturnsAreNoThrash) {
    set(place_.slow, 50, 0, 0, 0);
    auto outcome = done(step());
    outcome.taken = mebibytes(40);
    outcome.returned = mebibytes(2);
    EXPECT_EQ(step({outcome}).move, Move::promote);
}

TEST_F(TierLaw, AWayInWhichNothingMovesRests) {
    set(place_.slow, 50, 0, 0, 0);
    auto outcome = done(step());
    outcome.taken = {};
    outcome.end = model::OutcomeEnd::partial;
    EXPECT_EQ(step({outcome}).reason.code(), ReasonCode::unmovable);
    set(place_.fast, 0, 0, 0, 20);
    EXPECT_EQ(step().move, Move::demote) << "the other way is open";
    set(place_.fast, 0, 0, 0, 0);
    int waited = 0;
    for (; step().reason.code() == ReasonCode::unmovable && waited < 100; ++waited) {
    }
    EXPECT_EQ(waited, 8);
}

TEST_F(TierLaw, CpuOverTheShareIsPaidOffByTime) {
    policy_.profile.cpu = BasisPoints{100.0};
    set(place_.slow, 50, 0, 0, 0);
    auto outcome = done(step());
    outcome.cpu = Microseconds(60'000); // the share of 6 s
    EXPECT_EQ(step({outcome}).reason.code(), ReasonCode::cpu);
    EXPECT_EQ(step().reason.code(), ReasonCode::cpu);
    const auto next = step();
    EXPECT_EQ(next.move, Move::promote);
    EXPECT_LE(next.ask, mebibytes(3)) << "no more than its share of a period pays for";
}

TEST_F(TierLaw, ADryRunIsNoEvidence) {
    set(place_.slow, 50, 0, 0, 0);
    auto outcome = done(step());
    outcome.taken = {};
    outcome.end = model::OutcomeEnd::dry_run;
    EXPECT_EQ(step({outcome}).ask, kFirstMove);
}

TEST(FastBounds, ResolveSharesAndKeepLowUnderHigh) {
    model::TierPolicy policy;
    EXPECT_EQ(fast_bounds(policy, mebibytes(100)).low, Bytes{});
    EXPECT_EQ(fast_bounds(policy, mebibytes(100)).high, mebibytes(100));
    policy.low = BasisPoints{2500.0};
    policy.high = mebibytes(10);
    EXPECT_EQ(fast_bounds(policy, mebibytes(100)).low, mebibytes(10));
}

} // namespace
} // namespace cgtide::apps
