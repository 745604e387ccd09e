#include "engine/core/container.hpp"

#include <variant>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cgtide::core {
namespace {

using model::AppName;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr Microseconds kTwoSeconds{2'000'000};

TimePoint at(std::int64_t milliseconds) {
    return TimePoint(std::chrono::milliseconds(milliseconds));
}

std::optional<Tenant>& tenant(Container& container, AppName app) {
    return container.tenants[static_cast<std::size_t>(app)];
}

Container container_of(std::vector<AppName> apps) {
    Container container;
    container.policy.apps = std::move(apps);
    container.policy.profile.period = kTwoSeconds;
    return container;
}

TEST(NextDue, LiesOnThePeriodsGrid) {
    EXPECT_EQ(next_due(at(1), kTwoSeconds), at(2000));
    EXPECT_EQ(next_due(at(999), kTwoSeconds), at(2000));
    EXPECT_EQ(next_due(at(122'456), kTwoSeconds), at(124'000));
}

TEST(NextDue, IsAfterNowOnTheGridToo) {
    EXPECT_EQ(next_due(at(2000), kTwoSeconds), at(4000));
    EXPECT_EQ(next_due(at(0), kTwoSeconds), at(2000));
}

TEST(NextDue, LeavesAtLeastHalfAPeriodForRates) {
    for (std::int64_t now = 3000; now < 5000; now += 7) {
        ASSERT_EQ(next_due(at(now), kTwoSeconds), at(6000));
    }
    EXPECT_EQ(next_due(at(5000), kTwoSeconds), at(8000));
}

TEST(NextBeat, IsTheNextMultipleOfThePeriodHoweverNear) {
    EXPECT_EQ(next_beat(at(0), kTwoSeconds), at(2000));
    EXPECT_EQ(next_beat(at(1), kTwoSeconds), at(2000));
    EXPECT_EQ(next_beat(at(1999), kTwoSeconds), at(2000));
    EXPECT_EQ(next_beat(at(2000), kTwoSeconds), at(4000));
}

TEST(ContainerApps, FollowThePolicyAndRootsWill) {
    Container container = container_of({AppName::stat});
    EXPECT_THAT(container.apps(), ElementsAre(AppName::stat));
    container.attachment.added = {AppName::reclaim};
    EXPECT_THAT(container.apps(), ElementsAre(AppName::stat, AppName::reclaim));
    container.attachment.removed = {AppName::stat};
    EXPECT_THAT(container.apps(), ElementsAre(AppName::reclaim));
    container.attachment.removed = {AppName::stat, AppName::reclaim};
    EXPECT_THAT(container.apps(), IsEmpty());
}

TEST(ContainerTenants, StartWithAnInitialStateAndAStepAtOnce) {
    Container container = container_of({AppName::stat, AppName::reclaim});
    settle_tenants(container, at(12'345));
    ASSERT_TRUE(tenant(container, AppName::reclaim));
    EXPECT_EQ(tenant(container, AppName::reclaim)->due, at(12'345));
    EXPECT_TRUE(
        std::holds_alternative<model::ReclaimState>(tenant(container, AppName::reclaim)->state));
    ASSERT_TRUE(tenant(container, AppName::stat));
    EXPECT_EQ(tenant(container, AppName::stat)->due, at(12'345));
    EXPECT_EQ(container.due(), at(12'345));
    container.postpone(at(12'345));
    EXPECT_EQ(tenant(container, AppName::reclaim)->due, at(14'000));
    EXPECT_EQ(tenant(container, AppName::stat)->due, at(18'000));
}

TEST(ContainerTenants, AChangeOfOneKeepsTheOthersState) {
    Container container = container_of({AppName::reclaim});
    settle_tenants(container, at(1));
    std::get<model::ReclaimState>(tenant(container, AppName::reclaim)->state).carry = 4711.0;
    tenant(container, AppName::reclaim)->inbox.emplace_back();
    container.attachment.added = {AppName::stat};
    settle_tenants(container, at(5000));
    ASSERT_TRUE(tenant(container, AppName::reclaim));
    EXPECT_DOUBLE_EQ(
        std::get<model::ReclaimState>(tenant(container, AppName::reclaim)->state).carry, 4711.0);
    EXPECT_EQ(tenant(container, AppName::reclaim)->due, at(1));
    EXPECT_EQ(tenant(container, AppName::reclaim)->inbox.size(), 1U);
    EXPECT_TRUE(tenant(container, AppName::stat));
}

TEST(ContainerTenants, EndWhenTheyShouldNotRunAndBeginAnewLater) {
    Container container = container_of({AppName::reclaim});
    settle_tenants(container, at(1));
    std::get<model::ReclaimState>(tenant(container, AppName::reclaim)->state).carry = 4711.0;
    container.attachment.removed = {AppName::reclaim};
    settle_tenants(container, at(2));
    EXPECT_FALSE(tenant(container, AppName::reclaim));
    EXPECT_EQ(container.due(), std::nullopt);
    container.attachment.removed = {};
    settle_tenants(container, at(3));
    EXPECT_DOUBLE_EQ(
        std::get<model::ReclaimState>(tenant(container, AppName::reclaim)->state).carry, 0.0);
}

TEST(ContainerTenants, ArePostponedWhereDueAndKeepTheirState) {
    Container container = container_of({AppName::stat, AppName::reclaim});
    settle_tenants(container, at(1));
    container.postpone(at(2000));
    EXPECT_EQ(tenant(container, AppName::reclaim)->due, at(4000));
    EXPECT_EQ(tenant(container, AppName::stat)->due, at(6000));
    EXPECT_EQ(container.due(), at(4000));
}

TEST(ContainerNeeds, AreThoseOfTheAppsThatAreDue) {
    Container container = container_of({AppName::stat, AppName::reclaim});
    settle_tenants(container, at(1));
    const model::Needs early = container.needs(at(2000));
    EXPECT_TRUE(early.protection);
    EXPECT_EQ(early.period, kTwoSeconds);
    tenant(container, AppName::reclaim)->due = at(8000);
    const model::Needs late = container.needs(at(6000));
    EXPECT_FALSE(early.seldom);
    EXPECT_TRUE(late.pressure);
    EXPECT_EQ(late.period, Microseconds(6'000'000));
}

TEST(ContainerNeeds, AreMetSeldomInTheFirstStepAndThenByTurns) {
    Container container = container_of({AppName::stat});
    container.id = CgroupId{3};
    settle_tenants(container, at(1));
    for (int step = 1; step <= 2; ++step) {
        const model::Needs needs = container.needs(at(6000 * step));
        EXPECT_TRUE(needs.pressure);
        EXPECT_TRUE(needs.protection);
        container.keep({}, needs);
    }
    int turns = 0;
    for (int step = 1; step <= 20; ++step) {
        const model::Needs needs = container.needs(at(6000 * step));
        turns += needs.pressure ? 1 : 0;
        EXPECT_EQ(needs.protection, needs.pressure);
    }
    EXPECT_EQ(turns, 2);
    // Ids of cgroups of a node lie about as far apart as one has files.
    int together = 0;
    for (std::uint64_t i = 0; i < 100; ++i) {
        container.id = CgroupId{70 * i};
        together += container.needs(at(6000)).pressure ? 1 : 0;
    }
    EXPECT_THAT(together, testing::AllOf(testing::Gt(3), testing::Lt(25)));
}

model::Decision decided(model::ReasonCode code, Bytes ask = {}) {
    model::Decision decision;
    decision.reason = model::Reason(code, {});
    decision.ask = ask;
    return decision;
}

TEST(ContainerWaiting, BeginsWhereARequestIsTurnedAwayAndEndsWhereOneIsMade) {
    using model::ReasonCode;
    Container container;
    container.note(decided(ReasonCode::pressure), at(1));
    EXPECT_FALSE(container.waiting);
    container.note(decided(ReasonCode::budget), at(2));
    container.note(decided(ReasonCode::budget), at(3));
    EXPECT_EQ(container.waiting, at(2));
    // At a slow pace it saves for many periods before it asks again.
    container.note(decided(ReasonCode::saving), at(4));
    container.note(decided(ReasonCode::busy), at(5));
    container.note(decided(ReasonCode::paused), at(6));
    EXPECT_EQ(container.waiting, at(2));
    container.note(decided(ReasonCode::reclaimed, mebibytes(1)), at(7));
    EXPECT_FALSE(container.waiting);
    container.note(decided(ReasonCode::no_swap), at(8));
    EXPECT_EQ(container.waiting, at(8));
}

TEST(ContainerSnapshot, KeepsWhatItWasNotAskedFor) {
    Container container;
    model::Snapshot first;
    first.usage = mebibytes(1);
    first.events.emplace().oom_kill = 2;
    first.memory_pressure.emplace().some.total = Microseconds(7);
    first.protection = {.min = mebibytes(5), .low = mebibytes(6)};
    first.swap_limit = Bytes{};
    container.keep(first, {.pressure = true, .protection = true});
    model::Snapshot next;
    next.usage = mebibytes(3);
    container.keep(next, {.seldom = true});
    EXPECT_EQ(container.snapshot->usage, mebibytes(3));
    EXPECT_FALSE(container.snapshot->stat) << "usage has changed: it was to be read";
    EXPECT_EQ(container.snapshot->events->oom_kill, 2U);
    EXPECT_EQ(container.snapshot->memory_pressure->some.total, Microseconds(7));
    EXPECT_EQ(container.snapshot->protection.min, mebibytes(5));
    EXPECT_EQ(container.snapshot->protection.low, mebibytes(6));
    EXPECT_EQ(container.snapshot->swap_limit, Bytes{});
    next.stat.emplace().anon = mebibytes(2);
    container.keep(next, {.seldom = true});
    next.stat.reset();
    container.keep(next, {.seldom = true});
    EXPECT_EQ(container.snapshot->stat->anon, mebibytes(2));
    // Now the kernel has no such file, and the limits are gone.
    container.keep(next, {.pressure = true, .protection = true});
    EXPECT_FALSE(container.snapshot->events);
    EXPECT_EQ(container.snapshot->protection.min, Bytes{});
    EXPECT_FALSE(container.snapshot->swap_limit);
}

TEST(ContainerEnd, IsWhenItHasAnEndTime) {
    Container container;
    EXPECT_FALSE(container.ended());
    container.ended_ms = 1;
    EXPECT_TRUE(container.ended());
}

} // namespace
} // namespace cgtide::core
