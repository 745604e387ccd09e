#include "engine/core/history.hpp"

#include <chrono>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cgtide::core {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kStart{std::chrono::hours(30)};

model::HistoryPoint point_at(std::chrono::seconds after) {
    model::HistoryPoint point;
    point.at = kStart + after;
    point.usage = mebibytes(128);
    return point;
}

/// Notes a point each six seconds, as `stat` does.
History filled(std::chrono::hours hours, std::size_t most) {
    History history;
    for (std::chrono::seconds at{0}; at < hours; at += std::chrono::seconds(6)) {
        history.note(point_at(at), most);
    }
    return history;
}

TEST(History, TellsWhatWasNoted) {
    model::HistoryPoint point = point_at(0s);
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
    model::HistoryPoint point = point_at(0s);
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
    const auto points = filled(12h, 1000).points();
    ASSERT_EQ(points.size(), History::kFine + History::kCoarse);
    for (std::size_t i = 1; i < points.size(); ++i) {
        const auto apart = points[i].at - points[i - 1].at;
        EXPECT_GE(apart, i > History::kCoarse ? History::kFineApart : 0s) << i;
        if (i < History::kCoarse) {
            EXPECT_GE(apart, History::kCoarseApart) << i;
        }
    }
    EXPECT_GE(points.back().at - points.front().at, 6h);
}

TEST(History, KeepsNoMoreThanItsShare) {
    EXPECT_EQ(filled(12h, 100).points().size(), 100U);
    EXPECT_EQ(filled(12h, 0).points().size(), History::kFine);
    History shrinking = filled(12h, 1000);
    for (int i = 0; i < 20; ++i) {
        shrinking.note(point_at(12h + i * 10s), 100);
    }
    EXPECT_EQ(shrinking.points().size(), 100U);
}

TEST(History, AllSharesTogetherAreBounded) {
    EXPECT_EQ(History::share(0), History::kFine + History::kCoarse);
    EXPECT_EQ(History::share(1), History::kFine + History::kCoarse);
    constexpr std::size_t kMany = 1064;
    EXPECT_GE(History::share(kMany), History::kFine);
    EXPECT_LE(History::share(kMany) * kMany * 44, 4U << 20U);
}

TEST(History, AClockOnTheWallThatIsSetBackNotesOn) {
    History history;
    for (int i = 0; i < 3; ++i) {
        model::HistoryPoint point = point_at(i * 10s);
        point.wall_ms = (5 - i) * std::int64_t{3'600'000};
        history.note(point, 1000);
    }
    ASSERT_EQ(history.points().size(), 3U);
    EXPECT_EQ(history.points().back().wall_ms, 3 * 3'600'000);
    EXPECT_EQ(history.points().back().at, kStart + 20s);
}

} // namespace
} // namespace cgtide::core
