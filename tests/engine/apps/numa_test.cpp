#include "engine/apps/move_pace.hpp"
#include "engine/apps/numa.hpp"

#include <gmock/gmock.h>

namespace cgtide::apps {
namespace {

using model::ReasonCode;

TimePoint at(int seconds) {
    return TimePoint{} + std::chrono::seconds(100 + seconds);
}

class NumaLaw : public ::testing::Test {
protected:
    NumaLaw() {
        policy_.profile.period = std::chrono::seconds(2);
        homing_.nearer[0] = {1};
        homing_.home = mebibytes(4);
        homing_.away = mebibytes(100);
        homing_.room = mebibytes(500);
        state_ = app_.init(policy_, at(0));
    }

    model::Decision step(std::vector<model::Outcome> outcomes = {}) {
        model::Snapshot now;
        now.id = CgroupId{7};
        now.at = at(now_ += 2);
        now.usage = mebibytes(104);
        now.frozen = frozen_;
        if (is_told_) {
            now.homing = homing_;
        }
        const auto done = app_.step(state_, policy_, now, outcomes, {});
        state_ = done.state;
        return done.decisions.at(0);
    }

    model::Outcome done(const model::Decision& decision, Bytes moved) const {
        model::Outcome outcome;
        outcome.app = model::AppName::numa;
        outcome.at = at(now_ + 1);
        outcome.asked = decision.ask;
        outcome.taken = moved;
        outcome.move = decision.move;
        outcome.cpu = Microseconds(1000);
        return outcome;
    }

    model::App app_ = numa_app();
    model::Policy policy_;
    model::Homing homing_;
    model::State state_;
    bool frozen_ = false;
    bool is_told_ = true;
    int now_ = 0;
};

TEST_F(NumaLaw, MemoryThatIsAwayGoesHomeInStepsThatDouble) {
    auto decision = step();
    EXPECT_EQ(decision.reason.code(), ReasonCode::homing);
    EXPECT_EQ(decision.move, model::Move::home);
    EXPECT_EQ(decision.actuator, model::Actuator::move_pages);
    EXPECT_EQ(decision.ask, kFirstMove);
    decision = step({done(decision, decision.ask)});
    EXPECT_EQ(decision.ask, mebibytes(16));
    homing_.away = mebibytes(10);
    EXPECT_EQ(step({done(decision, decision.ask)}).ask, mebibytes(10));
}

TEST_F(NumaLaw, LittleIsNotWorthAMove) {
    homing_.away = kibibytes(900);
    const auto decision = step();
    EXPECT_EQ(decision.reason.code(), ReasonCode::at_home);
    EXPECT_EQ(decision.ask, Bytes{});
}

TEST_F(NumaLaw, WhoRunsEverywhereIsLeftAlone) {
    homing_.nearer.clear();
    EXPECT_EQ(step().reason.code(), ReasonCode::unbound);
}

TEST_F(NumaLaw, AsksForNoMoreThanThereIsRoomFor) {
    homing_.room = mebibytes(3);
    EXPECT_EQ(step().ask, mebibytes(3));
    homing_.room = kibibytes(512);
    EXPECT_EQ(step().reason.code(), ReasonCode::home_full);
}

TEST_F(NumaLaw, WhatStaysIsTriedAgainLater) {
    const auto tried = step();
    EXPECT_EQ(step({done(tried, Bytes{})}).reason.code(), ReasonCode::unmovable);
    now_ += 20;
    EXPECT_EQ(step().reason.code(), ReasonCode::homing);
}

TEST_F(NumaLaw, CpuBeyondItsShareIsPaidOffByTime) {
    policy_.profile.cpu = BasisPoints{100.0};
    const auto tried = step();
    auto outcome = done(tried, tried.ask);
    outcome.cpu = Microseconds(1'000'000);
    EXPECT_EQ(step({outcome}).reason.code(), ReasonCode::cpu);
    now_ += 100;
    EXPECT_EQ(step().reason.code(), ReasonCode::homing);
}

TEST_F(NumaLaw, WithoutASensorNothingMoves) {
    is_told_ = false;
    EXPECT_EQ(step().reason.code(), ReasonCode::unplaced);
}

TEST_F(NumaLaw, AFrozenContainerStays) {
    frozen_ = true;
    EXPECT_EQ(step().reason.code(), ReasonCode::frozen);
}

TEST_F(NumaLaw, CountsWhatItHasMoved) {
    const auto first = step();
    step({done(first, mebibytes(5))});
    EXPECT_EQ(std::get<model::NumaState>(state_).moved, mebibytes(5));
    EXPECT_THAT(model::to_string(state_), testing::HasSubstr("numa at=104.000"));
}

} // namespace
} // namespace cgtide::apps
