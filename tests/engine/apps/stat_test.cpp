#include "engine/apps/delta.hpp"
#include "engine/apps/stat.hpp"
#include "engine/apps/table.hpp"

#include <gtest/gtest.h>

namespace cgtide::apps {
namespace {

TEST(Delta, SaturatesWhereTimeOrCountersGoBackwards) {
    EXPECT_DOUBLE_EQ(share_of_time(Microseconds(5), Microseconds(3), Microseconds(10)).count, 0.0);
    EXPECT_DOUBLE_EQ(share_of_time(Microseconds(0), Microseconds(3), Microseconds(0)).count, 0.0);
    EXPECT_DOUBLE_EQ(share_of_time(Microseconds(0), Microseconds(3), Microseconds(30)).count,
                     1000.0);
    EXPECT_DOUBLE_EQ(share_of_time(Microseconds(0), Microseconds(99), Microseconds(30)).count,
                     10000.0);
    EXPECT_EQ(rise(5, 3), 0U);
    EXPECT_EQ(rise(3, 5), 2U);
}

TEST(Stat, TurnsCountersIntoRates) {
    const model::App app = stat_app();
    const model::Policy policy;
    model::Snapshot now;
    now.at = TimePoint(std::chrono::seconds(100));
    now.stat.emplace();
    now.memory_pressure.emplace();
    now.io_pressure.emplace();
    model::State state = app.step(app.init(policy, now.at), policy, now, {}, {}).state;
    now.at += std::chrono::seconds(10);
    now.stat->workingset_refault_anon = 30;
    now.stat->workingset_refault_file = 20;
    now.memory_pressure->some.total = Microseconds(100'000);
    now.io_pressure->some.total = Microseconds(50'000);
    const model::Step step = app.step(state, policy, now, {}, {});
    EXPECT_TRUE(step.decisions.empty());
    const auto& stat = std::get<model::StatState>(step.state);
    EXPECT_DOUBLE_EQ(stat.refaults_per_second, 5.0);
    EXPECT_DOUBLE_EQ(stat.memory_pressure.count, 100.0);
    EXPECT_DOUBLE_EQ(stat.io_pressure.count, 50.0);
}

TEST(Stat, TellsRefaultsOverTheTimeSinceTheyWereLastRead) {
    const model::App app = stat_app();
    const model::Policy policy;
    model::Snapshot now;
    now.at = TimePoint(std::chrono::seconds(100));
    now.stat.emplace();
    model::State state = app.step(app.init(policy, now.at), policy, now, {}, {}).state;
    now.at += std::chrono::seconds(10);
    now.stat.reset();
    state = app.step(state, policy, now, {}, {}).state;
    now.at += std::chrono::seconds(10);
    now.stat.emplace().workingset_refault_file = 40;
    state = app.step(state, policy, now, {}, {}).state;
    EXPECT_DOUBLE_EQ(std::get<model::StatState>(state).refaults_per_second, 2.0);
}

TEST(Stat, TellsPressureOverTheTimeSinceItWasLastRead) {
    const model::App app = stat_app();
    const model::Policy policy;
    EXPECT_TRUE(app.needs(policy).seldom);
    model::Snapshot now;
    now.at = TimePoint(std::chrono::seconds(100));
    now.memory_pressure.emplace();
    model::State state = app.step(app.init(policy, now.at), policy, now, {}, {}).state;
    now.at += std::chrono::seconds(10);
    now.memory_pressure.reset();
    state = app.step(state, policy, now, {}, {}).state;
    now.at += std::chrono::seconds(10);
    now.memory_pressure.emplace();
    now.memory_pressure->some.total = Microseconds(200'000);
    state = app.step(state, policy, now, {}, {}).state;
    EXPECT_DOUBLE_EQ(std::get<model::StatState>(state).memory_pressure.count, 100.0);
    now.at += std::chrono::seconds(10);
    now.memory_pressure.reset();
    state = app.step(state, policy, now, {}, {}).state;
    EXPECT_DOUBLE_EQ(std::get<model::StatState>(state).memory_pressure.count, 100.0);
}

TEST(Stat, KeepsTheLastIdleTimesWhereNoSensorTells) {
    const model::App app = stat_app();
    const model::Policy policy;
    EXPECT_TRUE(app.needs(policy).idle);
    model::Snapshot now;
    now.at = TimePoint(std::chrono::seconds(100));
    model::State state = app.step(app.init(policy, now.at), policy, now, {}, {}).state;
    EXPECT_FALSE(std::get<model::StatState>(state).idle);
    model::IdleView view;
    view.at = now.at;
    view.watched = Microseconds(60'000'000);
    view.slices = {{Microseconds(5'000'000), mebibytes(1), mebibytes(2)}};
    now.idle = std::make_shared<const model::IdleView>(view);
    state = app.step(state, policy, now, {}, {}).state;
    now.at += std::chrono::seconds(6);
    now.idle.reset();
    state = app.step(state, policy, now, {}, {}).state;
    const auto& idle = std::get<model::StatState>(state).idle;
    ASSERT_TRUE(idle);
    EXPECT_EQ(idle->at, view.at);
    EXPECT_EQ(idle->seen, mebibytes(3));
    EXPECT_EQ(idle->percentiles[50], Microseconds(5'000'000));
}

TEST(HistoryPoint, CountsWhatIsChargedAndNoSensorSawAsUnseen) {
    model::Snapshot now;
    now.at = TimePoint(std::chrono::seconds(100));
    now.usage = mebibytes(10); // 3 MiB of it the kernel's own
    EXPECT_FALSE(history_point({}, now));
    model::IdleView view;
    view.at = now.at;
    view.watched = Microseconds(60'000'000);
    view.slices = {{Microseconds(5'000'000), mebibytes(1), mebibytes(2)}};
    view.unseen = mebibytes(4);
    now.idle = std::make_shared<const model::IdleView>(view);
    EXPECT_FALSE(history_point({}, now)) << "it was not stepped with it";
    const model::App app = stat_app();
    const model::Policy policy;
    const auto step = app.step(app.init(policy, now.at), policy, now, {}, {});
    const auto point = history_point(std::get<model::StatState>(step.state), now);
    ASSERT_TRUE(point);
    EXPECT_EQ(point->at, now.at);
    EXPECT_EQ(point->usage, mebibytes(10));
    EXPECT_EQ(point->working_set, mebibytes(3));
    EXPECT_EQ(point->unseen, mebibytes(7));
    EXPECT_EQ(point->median, Microseconds(5'000'000));
    now.idle.reset();
    EXPECT_FALSE(history_point(std::get<model::StatState>(step.state), now));
}

TEST(Table, HoldsEveryAppInTheOrderOfItsName) {
    ASSERT_EQ(table().size(), model::kApps.size());
    for (const model::AppName name : model::kApps) {
        EXPECT_EQ(find(name).name, name);
    }
}

} // namespace
} // namespace cgtide::apps
