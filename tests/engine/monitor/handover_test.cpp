#include "engine/monitor/handover.hpp"
#include "tests/support/times.hpp"

#include <thread>

#include <gtest/gtest.h>

namespace cgtide::monitor {
namespace {

using test::at;

TEST(Handover, TellsInTheOrderItWasTold) {
    Handover handover;
    handover.begin(7, at(1));
    handover.end({{7, at(1), at(2), {0, 5}}, {8, at(3), at(4), {0, 6}}});
    handover.begin(7, at(5));
    const auto news = handover.take();
    ASSERT_EQ(news.size(), 4U);
    EXPECT_EQ(news[0].kdamond, 7);
    EXPECT_FALSE(news[0].epoch);
    ASSERT_TRUE(news[1].epoch);
    EXPECT_EQ(news[1].epoch->keys, (std::vector<damon::TargetKey>{0, 5}));
    EXPECT_EQ(news[2].kdamond, 8);
    EXPECT_EQ(news[2].begin, at(3));
    EXPECT_FALSE(news[3].epoch);
    EXPECT_EQ(news[3].begin, at(5));
}

TEST(Handover, TellsEverythingOnce) {
    Handover handover;
    handover.begin(7, at(1));
    EXPECT_EQ(handover.take().size(), 1U);
    EXPECT_TRUE(handover.take().empty());
}

TEST(Handover, LosesNothingBetweenTwoThreads) {
    constexpr int kCommits = 10'000;
    Handover handover;
    std::jthread committer([&] {
        for (int i = 0; i < kCommits; ++i) {
            handover.begin(i, at(i));
        }
    });
    int next = 0;
    while (next < kCommits) {
        for (const CommitNews& news : handover.take()) {
            ASSERT_EQ(news.kdamond, next++);
        }
    }
    EXPECT_TRUE(handover.take().empty());
}

} // namespace
} // namespace cgtide::monitor
