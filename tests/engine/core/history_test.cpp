#include "engine/core/history.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cgtide::core {
namespace {

constexpr std::int64_t kStart = 1'700'000'000'000;

model::HistoryPoint point_at(std::int64_t ms) {
    model::HistoryPoint point;
    point.wall_ms = kStart + ms;
    point.usage = mebibytes(128);
    return point;
}

/// Notes a point each six seconds, as `stat` does.
History filled(std::int64_t hours, std::size_t most) {
    History history;
    for (std::int64_t ms = 0; ms < hours * 3'600'000; ms += 6000) {
        history.note(point_at(ms), most);
    }
    return history;
}

TEST(History, TellsWhatWasNoted) {
    model::HistoryPoint point = point_at(0);
    point.working_set = mebibytes(3);
    point.cold = {kibibytes(7), Bytes{}, Bytes{Bytes::kUnlimited}};
    point.unseen = kibibytes(5);
    point.median = Microseconds(-12'000'000);
    point.memory_pressure = {123.0};
    point.refaults_per_second = 2.5;
    History history;
    EXPECT_TRUE(history.points().empty());
    history.note(point, History::kFine);
    EXPECT_THAT(history.points(), testing::ElementsAre(point));
}

TEST(History, WhatIsTooLargeIsCutAndNotUnknown) {
    model::HistoryPoint point = point_at(0);
    point.usage = {std::uint64_t{1} << 60U};
    point.median = std::chrono::hours(24 * 365);
    point.memory_pressure = {1e9};
    History history;
    history.note(point, History::kFine);
    const auto told = history.points().front();
    EXPECT_EQ(told.usage, kibibytes(UINT32_MAX - 1));
    EXPECT_EQ(told.median, std::chrono::milliseconds(INT32_MAX));
    EXPECT_EQ(told.memory_pressure.count, 65535.0);
}

TEST(History, KeepsTenSecondsForTenMinutesAndThenMinutesForSixHours) {
    const auto points = filled(12, 1000).points();
    ASSERT_EQ(points.size(), History::kFine + History::kCoarse);
    for (std::size_t i = 1; i < points.size(); ++i) {
        const std::int64_t apart = points[i].wall_ms - points[i - 1].wall_ms;
        EXPECT_GE(apart, i > History::kCoarse ? History::kFineMs : 0) << i;
        if (i < History::kCoarse) {
            EXPECT_GE(apart, History::kCoarseMs) << i;
        }
    }
    const std::int64_t span = points.back().wall_ms - points.front().wall_ms;
    EXPECT_GE(span, 6 * 3'600'000);
}

TEST(History, KeepsNoMoreThanItsShare) {
    EXPECT_EQ(filled(12, 100).points().size(), 100U);
    EXPECT_EQ(filled(12, 0).points().size(), History::kFine);
    History shrinking = filled(12, 1000);
    for (std::int64_t i = 0; i < 20; ++i) {
        shrinking.note(point_at(12 * 3'600'000 + i * 10'000), 100);
    }
    EXPECT_EQ(shrinking.points().size(), 100U);
}

TEST(History, AllSharesTogetherAreBounded) {
    EXPECT_EQ(History::share(0), History::kFine + History::kCoarse);
    EXPECT_EQ(History::share(1), History::kFine + History::kCoarse);
    constexpr std::size_t kMany = 1064;
    EXPECT_GE(History::share(kMany), History::kFine);
    EXPECT_LE(History::share(kMany) * kMany * 40, 4U << 20U);
}

TEST(History, AClockThatIsSetBackNotesOn) {
    History history = filled(1, 1000);
    history.note(point_at(-3'600'000), 1000);
    EXPECT_EQ(history.points().back().wall_ms, kStart - 3'600'000);
}

} // namespace
} // namespace cgtide::core
