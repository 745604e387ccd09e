#include "engine/apps/suggest.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace cgtide::apps {
namespace {

using model::Confidence;
using model::HistoryPoint;

constexpr Bytes kPage = kibibytes(4);

/// A point a minute: 100 MiB of usage, of which 40 are in use and 10 unseen.
std::vector<HistoryPoint> minutes(int count) {
    std::vector<HistoryPoint> points;
    for (int i = 0; i < count; ++i) {
        HistoryPoint point;
        point.at = TimePoint(std::chrono::minutes(i));
        point.usage = mebibytes(100);
        point.working_set = mebibytes(40);
        point.unseen = mebibytes(10);
        points.push_back(point);
    }
    return points;
}

TEST(Suggest, TakesFiveMinutes) {
    EXPECT_FALSE(suggest({}, kPage).has_value());
    EXPECT_FALSE(suggest(minutes(1), kPage).has_value());
    EXPECT_FALSE(suggest(minutes(5), kPage).has_value());
    EXPECT_TRUE(suggest(minutes(6), kPage).has_value());
}

TEST(Suggest, IsTheNeedAndTheHighestUsageWithMargins) {
    const auto found = suggest(minutes(31), kPage);
    EXPECT_EQ(found->request, mebibytes(55)); // 1.1 * (40 + 10)
    EXPECT_EQ(found->limit, mebibytes(120));
    EXPECT_EQ(found->window, std::chrono::minutes(30));
    EXPECT_EQ(found->points, 31U);
    EXPECT_EQ(found->working_set, mebibytes(40));
    EXPECT_EQ(found->highest_usage, mebibytes(100));
}

TEST(Suggest, TheTimeInWhichNobodyLookedIsNoWindow) {
    auto points = minutes(31);
    for (std::size_t i = 4; i < points.size(); ++i) {
        points[i].at += std::chrono::hours(5);
    }
    EXPECT_EQ(suggest(points, kPage)->window, std::chrono::minutes(29));
    points.resize(8);
    EXPECT_TRUE(suggest(points, kPage).has_value());
    points.resize(6);
    EXPECT_FALSE(suggest(points, kPage).has_value());
}

TEST(Suggest, OneSpikeInTwentyIsTheLimitsMatter) {
    auto points = minutes(40);
    points[7].working_set = points[7].usage = mebibytes(200);
    const auto found = suggest(points, kPage);
    EXPECT_EQ(found->request, mebibytes(55));
    EXPECT_EQ(found->limit, mebibytes(240));
    points[8].working_set = points[9].working_set = mebibytes(200);
    EXPECT_EQ(suggest(points, kPage)->request, mebibytes(231));
}

TEST(Suggest, WhatCameBackWasNeeded) {
    auto points = minutes(31);
    for (HistoryPoint& point : points) {
        point.refaults_per_second = 256.0 / 60.0 * 20.0; // 20 MiB a minute
    }
    const auto found = suggest(points, kPage);
    EXPECT_NEAR(static_cast<double>(found->refaulted.count), 20.0 * 0x1p20, 4096.0);
    EXPECT_EQ(found->request, mebibytes(77)); // 1.1 * 70
}

TEST(Suggest, TheLimitIsNeverBelowTheRequest) {
    auto points = minutes(31);
    for (HistoryPoint& point : points) {
        point.usage = mebibytes(50);
        point.refaults_per_second = 1280.0;
    }
    const auto found = suggest(points, kPage);
    EXPECT_GE(found->limit, found->request);
}

TEST(Suggest, ConfidenceRisesWithTheWindowAndFallsWithWhatIsUnseen) {
    EXPECT_EQ(suggest(minutes(10), kPage)->confidence, Confidence::low);
    EXPECT_EQ(suggest(minutes(31), kPage)->confidence, Confidence::medium);
    auto points = minutes(121);
    EXPECT_EQ(suggest(points, kPage)->confidence, Confidence::high);
    points[50].refaults_per_second = 10.0; // 2.3 MiB a minute
    EXPECT_EQ(suggest(points, kPage)->confidence, Confidence::medium);
    points[60].unseen = mebibytes(60);
    EXPECT_EQ(suggest(points, kPage)->confidence, Confidence::low);
}

} // namespace
} // namespace cgtide::apps
