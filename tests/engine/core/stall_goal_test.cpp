#include "engine/core/stall_goal.hpp"

#include <gtest/gtest.h>

namespace cgtide::core {
namespace {

TEST(StalledShare, IsOfTheTimeThatHasPassed) {
    const Microseconds second{1'000'000};
    EXPECT_DOUBLE_EQ(stalled_share(second, second + Microseconds(1000), second).count, 10.0);
    EXPECT_DOUBLE_EQ(stalled_share(second, second, second).count, 0.0);
}

TEST(StalledShare, IsNothingWherePressureIsNotKnown) {
    const Microseconds second{1'000'000};
    EXPECT_DOUBLE_EQ(stalled_share(std::nullopt, second, second).count, 0.0);
    EXPECT_DOUBLE_EQ(stalled_share(second, std::nullopt, second).count, 0.0);
    EXPECT_DOUBLE_EQ(stalled_share(second, 2 * second, Microseconds(0)).count, 0.0);
}

TEST(StallGoal, TellsAStallThatComesToTheLimitAndItsEnd) {
    StallGoal goal(BasisPoints{10.0});
    EXPECT_FALSE(goal.crosses(BasisPoints{9.9}));
    EXPECT_TRUE(goal.crosses(BasisPoints{10.0}));
    EXPECT_FALSE(goal.crosses(BasisPoints{50.0})) << "it knows";
    EXPECT_TRUE(goal.crosses(BasisPoints{9.0}));
    EXPECT_FALSE(goal.crosses(BasisPoints{0.0}));
}

TEST(StallGoal, TellsAnewWhatCouldNotBeTold) {
    StallGoal goal(BasisPoints{10.0});
    EXPECT_TRUE(goal.crosses(BasisPoints{10.0}));
    goal.forget();
    EXPECT_TRUE(goal.crosses(BasisPoints{10.0}));
    EXPECT_FALSE(goal.crosses(BasisPoints{10.0}));
}

} // namespace
} // namespace cgtide::core
