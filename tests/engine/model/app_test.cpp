#include "engine/model/app.hpp"

#include <array>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cgtide::model {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST(AppNames, GoBothWays) {
    for (const AppName app : kApps) {
        EXPECT_EQ(app_name(to_string(app)), app);
    }
    EXPECT_EQ(kApps.size(), kAppNames.size());
    EXPECT_EQ(app_name("thp"), std::nullopt);
    EXPECT_EQ(app_name(""), std::nullopt);
    EXPECT_EQ(app_name("Stat"), std::nullopt);
}

TEST(Needs, MergeTakesTheShorterPeriodAndEverySensor) {
    const Needs slow{.period = Microseconds(6'000'000), .counters = true};
    const Needs fast{
        .period = Microseconds(2'000'000), .counters = false, .pressure = true, .protection = true};
    const Needs both{
        .period = Microseconds(2'000'000), .counters = true, .pressure = true, .protection = true};
    EXPECT_EQ(merge(slow, fast), both);
    EXPECT_EQ(merge(fast, slow), both);
    EXPECT_EQ(merge(slow, slow), slow);
    const Needs placement{.placement = true};
    EXPECT_TRUE(merge(slow, placement).placement);
    EXPECT_FALSE(merge(slow, fast).placement);
    const Needs idle{.idle = true};
    EXPECT_TRUE(merge(slow, idle).idle);
    EXPECT_TRUE(merge(idle, slow).idle);
    EXPECT_FALSE(merge(slow, fast).idle);
}

TEST(State, PrintsItsNumbersOnOneLine) {
    ReclaimState state;
    state.last_at = TimePoint(std::chrono::seconds(12));
    state.carry = -4096.0;
    state.hold = Microseconds(30'000'000);
    const std::string text = to_string(State(state));
    EXPECT_THAT(text, StartsWith("reclaim at=12.000 carry=-4096"));
    EXPECT_THAT(text, HasSubstr("hold=30.0s"));
    EXPECT_EQ(text.find('\n'), std::string::npos);
    EXPECT_THAT(to_string(State(StatState{})), StartsWith("stat at=-1.000"));
}

TEST(State, PrintsIdleTimesWhereItHasThem) {
    StatState state;
    EXPECT_EQ(to_string(State(state)), "stat at=-1.000 refaults/s=0.00 memory=0.00bp io=0.00bp");
    IdleSummary idle;
    idle.source = IdleSource::generations;
    idle.at = TimePoint(std::chrono::milliseconds(12'500));
    idle.percentiles[50] = Microseconds(-3'000'000);
    idle.percentiles[90] = Microseconds(61'500'000);
    idle.working_set = Bytes{4096};
    idle.seen = Bytes{8192};
    idle.unsure = Bytes{2};
    idle.unseen = Bytes{1};
    state.idle = std::make_shared<const IdleSummary>(idle);
    EXPECT_EQ(to_string(State(state)),
              "stat at=-1.000 refaults/s=0.00 memory=0.00bp io=0.00bp idle=generations@12.500 "
              "p50=-3.0s p90=61.5s working=4096 seen=8192 unsure=2 unseen=1");
}

TEST(PageCache, EveryStateHasAName) {
    EXPECT_EQ(to_string(PageCache::off), "off");
    EXPECT_EQ(to_string(PageCache::little), "little");
    EXPECT_EQ(to_string(PageCache::pending), "pending");
    EXPECT_EQ(to_string(PageCache::seen), "seen");
    EXPECT_EQ(to_string(PageCache::no_room), "no-room");
    EXPECT_EQ(to_string(PageCache::mglru), "mglru");
    EXPECT_EQ(to_string(PageCache::unsupported), "unsupported");
}

TEST(IdleSource, EverySourceHasAName) {
    EXPECT_EQ(to_string(IdleSource::regions), "regions");
    EXPECT_EQ(to_string(IdleSource::generations), "generations");
    EXPECT_EQ(to_string(IdleSource::physical), "physical");
    EXPECT_EQ(to_string(IdleSource::regions_and_physical), "regions+physical");
}

TEST(OutcomeEnd, EveryEndHasAName) {
    std::set<std::string_view> names;
    for (const OutcomeEnd end : {OutcomeEnd::done, OutcomeEnd::partial, OutcomeEnd::interrupted,
                                 OutcomeEnd::gone, OutcomeEnd::failed, OutcomeEnd::dry_run}) {
        EXPECT_TRUE(names.insert(to_string(end)).second);
        EXPECT_NE(to_string(end), "unknown");
    }
}

TEST(Policy, RunsWhatIsInItsList) {
    Policy policy;
    EXPECT_FALSE(policy.runs(AppName::stat));
    policy.apps = {AppName::stat};
    EXPECT_TRUE(policy.runs(AppName::stat));
    EXPECT_FALSE(policy.runs(AppName::reclaim));
}

TEST(DefaultSettings, HoldTheBuiltInProfilesAndNoGrant) {
    const Settings settings = default_settings();
    ASSERT_EQ(settings.profiles.size(), 2U);
    const Profile& tmo = settings.profiles.at("default");
    EXPECT_EQ(tmo.name, "default");
    EXPECT_DOUBLE_EQ(tmo.ratio, 0.0005);
    EXPECT_DOUBLE_EQ(tmo.max.count, 100.0);
    EXPECT_EQ(tmo.period, Microseconds(6'000'000));
    EXPECT_DOUBLE_EQ(tmo.cpu.count, 100.0);
    const Profile& eager = settings.profiles.at("eager");
    EXPECT_EQ(eager.name, "eager");
    EXPECT_DOUBLE_EQ(eager.ratio, 0.02);
    EXPECT_EQ(eager.period, Microseconds(2'000'000));
    EXPECT_TRUE(settings.grants.empty());
    EXPECT_EQ(settings.bounds.idle_low, Microseconds(0));
    EXPECT_DOUBLE_EQ(settings.bounds.pressure_high.count, 10000.0);
}

TEST(Pages, EveryKindHasAName) {
    std::set<std::string_view> names;
    for (const Pages pages : {Pages::automatic, Pages::file, Pages::anon, Pages::all}) {
        EXPECT_TRUE(names.insert(to_string(pages)).second);
        EXPECT_NE(to_string(pages), "unknown");
    }
}

TEST(RecentMost, IsOfOneToTwoWindows) {
    RecentMost most;
    const auto see = [&](std::uint64_t mib, int us) {
        most.see(mebibytes(mib), TimePoint(Microseconds(1000 + us)), Microseconds(10));
        return most.most();
    };
    EXPECT_EQ(most.most(), Bytes{});
    EXPECT_EQ(see(5, 0), mebibytes(5));
    EXPECT_EQ(see(3, 9), mebibytes(5));
    EXPECT_EQ(see(2, 10), mebibytes(5));
    EXPECT_EQ(see(1, 19), mebibytes(5));
    EXPECT_EQ(see(1, 20), mebibytes(2));
    EXPECT_EQ(see(0, 40), Bytes{}); // nothing was seen in the window before
}

} // namespace
} // namespace cgtide::model
