#include "engine/damon/sample_law.hpp"

#include <vector>

#include <gmock/gmock.h>

namespace cgtide::damon {
namespace {

constexpr Microseconds kShort{50'000};
constexpr Microseconds kMiddle{100'000};
constexpr Microseconds kLong{200'000};
constexpr Microseconds kPeriod{2'000'000};

class SampleLaw : public ::testing::Test {
protected:
    /// `steps` periods in each of which the workers use `percent` of a processor.
    Microseconds run(int steps, double percent) {
        for (int i = 0; i < steps; ++i) {
            now_ += kPeriod;
            state_ = step_sample(state_, BasisPoints{percent * 100}, now_, bounds_);
        }
        return state_.sample;
    }

    SampleBounds bounds_{.least = kShort, .most = kLong, .cpu = BasisPoints{3000}};
    TimePoint now_{std::chrono::seconds(1000)};
    SampleState state_{.sample = kShort, .over = 0, .calm = now_};
};

TEST_F(SampleLaw, StaysWithinItsBudget) {
    EXPECT_EQ(run(1000, 29), kShort);
    EXPECT_EQ(run(1000, 30), kShort);
}

TEST_F(SampleLaw, LooksLessOftenAfterAFewPeriodsBeyondTheBudget) {
    EXPECT_EQ(run(kStepsOver - 1, 31), kShort);
    EXPECT_EQ(run(1, 31), kMiddle);
    EXPECT_EQ(run(kStepsOver - 1, 31), kMiddle);
    EXPECT_EQ(run(1, 31), kLong);
    EXPECT_EQ(run(100, 95), kLong);
}

TEST_F(SampleLaw, TakesNoNoticeOfSinglePeaks) {
    for (int i = 0; i < 50; ++i) {
        run(kStepsOver - 1, 90);
        EXPECT_EQ(run(1, 20), kShort);
    }
}

TEST_F(SampleLaw, ComesBackAfterAMinuteInWhichHalfOfTheBudgetWouldDo) {
    run(2 * kStepsOver, 40);
    EXPECT_EQ(run(1000, 8), kLong); // 16 % with twice the looks
    EXPECT_EQ(run(29, 7), kLong);
    EXPECT_EQ(run(1, 7), kMiddle);
    EXPECT_EQ(run(29, 7), kMiddle);
    EXPECT_EQ(run(1, 7), kShort);
}

TEST_F(SampleLaw, APeriodThatNeedsMoreBeginsTheMinuteAnew) {
    run(2 * kStepsOver, 40);
    run(20, 1);
    run(1, 20);
    EXPECT_EQ(run(29, 1), kLong);
    EXPECT_EQ(run(1, 1), kMiddle);
}

/// Workers whose CPU goes with the looks: whatever they would need, the interval comes to rest.
TEST_F(SampleLaw, ComesToRestUnderAnyLoad) {
    for (double needed = 1; needed < 400; needed *= 1.1) {
        int changes = 0;
        for (int i = 0; i < 400; ++i) {
            const Microseconds before = state_.sample;
            const double share =
                static_cast<double>(kShort.count()) / static_cast<double>(before.count());
            run(1, needed * share);
            changes += state_.sample != before && i > 80 ? 1 : 0;
        }
        EXPECT_EQ(changes, 0) << needed;
        const double share =
            static_cast<double>(kShort.count()) / static_cast<double>(state_.sample.count());
        EXPECT_TRUE(needed * share <= 30 || state_.sample == kLong) << needed;
    }
}

TEST_F(SampleLaw, AFixedIntervalStays) {
    bounds_.least = kMiddle;
    bounds_.most = kMiddle;
    EXPECT_EQ(run(1, 0), kMiddle);
    EXPECT_EQ(run(100, 99), kMiddle);
    EXPECT_EQ(run(100, 0), kMiddle);
}

} // namespace
} // namespace cgtide::damon
