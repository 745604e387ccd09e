#include "engine/core/settings.hpp"

#include <ostream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cgtide::core {
namespace {

using model::AppName;
using testing::ElementsAre;
using testing::HasSubstr;

std::string fault(std::string_view text) {
    const auto parsed = parse_settings(text);
    return parsed ? "no error" : parsed.error().message();
}

constexpr std::string_view kFull = R"(
[profile.default]
ratio = 0.001
max = "2%"
period = "3s"
cpu = "0.5%"

[profile.night]
ratio = 1
period = "1h"
weight = 3

[[grant]]
cgroup = "/pods/team-a"
apps = ["reclaim"]
profiles = ["default", "eager", "night"]

[[grant]]
namespace = "team-b"

[bounds]
idle = "10s..1h"
pressure = "..1%"

[node]
rate = "64MiB"
swap_rate = "1MiB"
cpu = "25%"
[damon]
takeover = "never"
sample = "100ms"
cpu = "5%"

[idle]
sensor = "generations"
)";

TEST(Settings, AnEmptyFileIsTheBuiltIn) {
    const auto settings = parse_settings("");
    ASSERT_TRUE(settings);
    EXPECT_EQ(settings->profiles.size(), 2U);
    EXPECT_TRUE(settings->grants.empty());
    EXPECT_EQ(settings->takeover, model::Takeover::modules);
    EXPECT_EQ(settings->damon_sample, std::nullopt);
    EXPECT_EQ(settings->damon_cpu, BasisPoints{3000});
    EXPECT_EQ(settings->sensor, model::IdleSensor::automatic);
    EXPECT_EQ(settings->actuator, std::nullopt);
    EXPECT_EQ(settings->mover, std::nullopt);
}

TEST(Settings, AnActuatorIsNamedAsItIsShown) {
    for (const std::string_view name : model::kActuatorNames) {
        const auto mover = parse_settings("[tier]\nmover = \"" + std::string(name) + "\"\n");
        EXPECT_EQ(mover.has_value(), name != "pageout" && name != "lru_gen") << name;
        if (name == "move_pages") { // frees nothing
            EXPECT_FALSE(parse_settings("[reclaim]\nactuator = \"move_pages\"\n"));
            continue;
        }
        const auto settings =
            parse_settings("[reclaim]\nactuator = \"" + std::string(name) + "\"\n");
        ASSERT_TRUE(settings) << settings.error().message();
        ASSERT_TRUE(settings->actuator);
        EXPECT_EQ(model::to_string(*settings->actuator), name);
    }
    const auto automatic = parse_settings("[reclaim]\nactuator = \"auto\"\n");
    ASSERT_TRUE(automatic);
    EXPECT_EQ(automatic->actuator, std::nullopt);
    EXPECT_EQ(parse_settings("[tier]\nmover = \"damos\"\n").value().mover, model::Actuator::damos);
    EXPECT_EQ(parse_settings("[tier]\nmover = \"auto\"\n").value().mover, std::nullopt);
}

TEST(Settings, AFullFileIsTakenWhole) {
    const auto settings = parse_settings(kFull);
    ASSERT_TRUE(settings) << settings.error().message();
    EXPECT_EQ(settings->takeover, model::Takeover::never);
    EXPECT_EQ(settings->damon_sample, Microseconds(100'000));
    EXPECT_EQ(settings->damon_cpu, BasisPoints{500});
    EXPECT_EQ(settings->sensor, model::IdleSensor::generations);
    EXPECT_EQ(settings->node.rate, mebibytes(64));
    EXPECT_EQ(settings->node.swap_rate, mebibytes(1));
    EXPECT_EQ(settings->node.cpu, BasisPoints{2500});
    const model::Profile& tmo = settings->profiles.at("default");
    EXPECT_DOUBLE_EQ(tmo.ratio, 0.001);
    EXPECT_DOUBLE_EQ(tmo.max.count, 200.0);
    EXPECT_EQ(tmo.period, Microseconds(3'000'000));
    EXPECT_DOUBLE_EQ(tmo.cpu.count, 50.0);
    const model::Profile& night = settings->profiles.at("night");
    EXPECT_EQ(night.name, "night");
    EXPECT_DOUBLE_EQ(night.ratio, 1.0);
    EXPECT_DOUBLE_EQ(night.weight, 3.0);
    EXPECT_EQ(night.period, Microseconds(3'600'000'000));
    EXPECT_EQ(settings->profiles.at("eager").name, "eager");
    ASSERT_EQ(settings->grants.size(), 2U);
    EXPECT_EQ(settings->grants[0].cgroup, "/pods/team-a");
    EXPECT_EQ(settings->grants[0].name_space, std::nullopt);
    EXPECT_THAT(settings->grants[0].apps, ElementsAre(AppName::reclaim));
    EXPECT_THAT(settings->grants[0].profiles, ElementsAre("default", "eager", "night"));
    EXPECT_EQ(settings->bounds.idle_low, Microseconds(10'000'000));
    EXPECT_EQ(settings->bounds.idle_high, Microseconds(3'600'000'000));
    EXPECT_DOUBLE_EQ(settings->bounds.pressure_low.count, 0.0);
    EXPECT_DOUBLE_EQ(settings->bounds.pressure_high.count, 100.0);
}

TEST(Settings, AGrantWithoutListsGrantsAppsAndTheDefaultProfile) {
    const auto settings = parse_settings(kFull);
    ASSERT_TRUE(settings);
    EXPECT_EQ(settings->grants[1].name_space, "team-b");
    EXPECT_THAT(settings->grants[1].apps, ElementsAre(AppName::stat, AppName::reclaim));
    EXPECT_THAT(settings->grants[1].profiles, ElementsAre("default"));
}

TEST(Settings, EagerCanBeOverriddenKeyByKey) {
    const auto settings = parse_settings("[profile.eager]\nratio = 0.1\n");
    ASSERT_TRUE(settings);
    const model::Profile& eager = settings->profiles.at("eager");
    EXPECT_DOUBLE_EQ(eager.ratio, 0.1);
    EXPECT_EQ(eager.period, Microseconds(2'000'000));
}

TEST(Settings, EitherEndOfABoundMayBeMissing) {
    const auto settings = parse_settings("[bounds]\nidle = \"5s..\"\npressure = \"..\"\n");
    ASSERT_TRUE(settings);
    EXPECT_EQ(settings->bounds.idle_low, Microseconds(5'000'000));
    EXPECT_EQ(settings->bounds.idle_high, Microseconds::max());
    EXPECT_DOUBLE_EQ(settings->bounds.pressure_high.count, 10000.0);
}

struct Bad {
    const char* name;
    const char* text;
    const char* message; ///< names line, key and value
    const char* allowed;
};

void PrintTo(const Bad& bad, std::ostream* out) { // NOLINT: the name that GoogleTest looks for
    *out << bad.text;
}

class BadSettings : public testing::TestWithParam<Bad> {};

TEST_P(BadSettings, NamesLineKeyValueAndWhatIsAllowed) {
    const std::string message = fault(GetParam().text);
    EXPECT_THAT(message, HasSubstr(GetParam().message));
    EXPECT_THAT(message, HasSubstr(GetParam().allowed));
    EXPECT_THAT(message, HasSubstr("cgtide.toml"));
}

INSTANTIATE_TEST_SUITE_P(
    Keys, BadSettings,
    testing::Values(Bad{"Table", "\n[profiles.eager]\n", "line 2: profiles",
                        "allowed: profile grant bounds"},
                    Bad{"ProfileKey", "[profile.eager]\nrate = 1\n",
                        "line 2: profile.eager.rate = 1", "allowed: ratio max period cpu"},
                    Bad{"GrantKey", "[[grant]]\ncgroup = \"/a\"\nhigh = \"0\"\n",
                        "line 3: grant.high = '0'", "allowed: cgroup namespace apps profiles low"},
                    Bad{"BoundsKey", "[bounds]\nkeep = \"1MiB..\"\n",
                        "line 2: bounds.keep = '1MiB..'", "allowed: idle pressure"}),
    [](const auto& bad) { return std::string(bad.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Profiles, BadSettings,
    testing::Values(
        Bad{"RatioText", "[profile.a]\nratio = \"2%\"\n", "line 2: profile.a.ratio = '2%'",
            "a number over 0, at most 1"},
        Bad{"RatioZero", "[profile.a]\nratio = 0\n", "profile.a.ratio = 0", "over 0"},
        Bad{"RatioBelow", "[profile.a]\nratio = -0.5\n", "profile.a.ratio = -0.5", "over 0"},
        Bad{"RatioOver", "[profile.a]\nratio = 1.5\n", "profile.a.ratio = 1.5", "at most 1"},
        Bad{"RatioNan", "[profile.a]\nratio = nan\n", "profile.a.ratio = nan", "over 0"},
        Bad{"MaxNumber", "[profile.a]\nmax = 2\n", "profile.a.max = 2", "0% to 100%"},
        Bad{"MaxOver", "[profile.a]\nmax = \"101%\"\n", "profile.a.max = '101%'", "0% to 100%"},
        Bad{"CpuUnit", "[profile.a]\n\ncpu = \"5\"\n", "line 3: profile.a.cpu = '5'", "in quotes"},
        Bad{"PeriodShort", "[profile.a]\nperiod = \"999ms\"\n", "profile.a.period = '999ms'",
            "1s to 1h"},
        Bad{"PeriodLong", "[profile.a]\nperiod = \"61m\"\n", "profile.a.period = '61m'",
            "1s to 1h"},
        Bad{"PeriodUnit", "[profile.a]\nperiod = \"2\"\n", "profile.a.period = '2'", "1s to 1h"},
        Bad{"PeriodNumber", "[profile.a]\nperiod = 2\n", "profile.a.period = 2", "in quotes"},
        Bad{"NoTable", "profile = 3\n", "line 1: profile = 3", "[profile.NAME]"},
        Bad{"NoTableBelow", "[profile]\neager = true\n", "line 2: profile.eager = true",
            "[profile.NAME]"}),
    [](const auto& bad) { return std::string(bad.param.name); });

INSTANTIATE_TEST_SUITE_P(
    GrantsAndBounds, BadSettings,
    testing::Values(
        Bad{"GrantTable", "[grant]\ncgroup = \"/a\"\n", "line 1: grant", "[[grant]]"},
        Bad{"GrantNumber", "grant = [1]\n", "line 1: grant = 1", "[[grant]]"},
        Bad{"GrantForNobody", "[[grant]]\napps = [\"stat\"]\n", "line 1: grant",
            "exactly one of cgroup and namespace"},
        Bad{"GrantForBoth", "[[grant]]\ncgroup = \"/a\"\nnamespace = \"b\"\n", "line 1: grant",
            "exactly one of cgroup and namespace"},
        Bad{"RelativeCgroup", "[[grant]]\ncgroup = \"pods\"\n", "line 2: grant.cgroup = 'pods'",
            "a cgroup path"},
        Bad{"CgroupSlash", "[[grant]]\ncgroup = \"/pods/\"\n", "grant.cgroup = '/pods/'",
            "a cgroup path"},
        Bad{"CgroupNumber", "[[grant]]\ncgroup = 7\n", "grant.cgroup = 7", "a cgroup path"},
        Bad{"NamespaceEmpty", "[[grant]]\nnamespace = \"\"\n", "line 2: grant.namespace",
            "a Kubernetes namespace"},
        Bad{"UnknownApp", "[[grant]]\ncgroup = \"/a\"\napps = [\"thp\"]\n", "line 3: grant.apps",
            "no app 'thp'; allowed: stat tier numa reclaim"},
        Bad{"LowNumber", "[[grant]]\ncgroup = \"/a\"\nlow = 1\n", "line 3: grant.low = 1",
            "a share of the fastest memory tier"},
        Bad{"LowRange", "[[grant]]\ncgroup = \"/a\"\nlow = \"101%\"\n", "line 3: grant.low",
            "bytes or a share"},
        Bad{"AppsText", "[[grant]]\ncgroup = \"/a\"\napps = \"stat\"\n", "grant.apps = 'stat'",
            "a list of names"},
        Bad{"AppsNumbers", "[[grant]]\ncgroup = \"/a\"\napps = [1]\n", "grant.apps = 1",
            "a list of names"},
        Bad{"UnknownProfile", "[[grant]]\ncgroup = \"/a\"\nprofiles = [\"fast\"]\n",
            "line 3: grant.profiles", "no profile 'fast' in this file"},
        Bad{"BoundsNumber", "bounds = 3\n", "line 1: bounds = 3", "[bounds]"},
        Bad{"RangeWithoutDots", "[bounds]\nidle = \"10s\"\n", "line 2: bounds.idle = '10s'",
            "a range in quotes"},
        Bad{"RangeNumber", "[bounds]\nidle = 10\n", "bounds.idle = 10", "a range in quotes"},
        Bad{"RangeUnit", "[bounds]\nidle = \"10..\"\n", "bounds.idle = '10..'",
            "a range in quotes"},
        Bad{"RangeOrder", "[bounds]\nidle = \"10s..5s\"\n", "bounds.idle = '10s..5s'",
            "the lower end first"},
        Bad{"PressureUnit", "[bounds]\npressure = \"..1\"\n", "bounds.pressure = '..1'",
            "a range in quotes"},
        Bad{"Node", "node = 1\n", "node = 1", "a table: [node]"},
        Bad{"NodeKey", "[node]\nbytes = 4\n", "node.bytes = 4", "allowed: rate swap_rate cpu"},
        Bad{"NodeRate", "[node]\nrate = \"1KiB\"\n", "node.rate = '1KiB'", "1MiB or more"},
        Bad{"NodeSwapRate", "[node]\nswap_rate = 5\n", "node.swap_rate = 5", "bytes a second"},
        Bad{"NodeCpu", "[node]\ncpu = \"0%\"\n", "node.cpu = '0%'", "over 0% up to 100%"},
        Bad{"Takeover", "[damon]\ntakeover = \"always\"\n", "damon.takeover = 'always'",
            "\"modules\" or \"never\""},
        Bad{"TakeoverFlag", "[damon]\ntakeover = true\n", "damon.takeover = true",
            "\"modules\" or \"never\""},
        Bad{"DamonKey", "[damon]\nslots = 4\n", "damon.slots = 4", "allowed: takeover"},
        Bad{"Sample", "[damon]\nsample = \"70ms\"\n", "damon.sample = '70ms'",
            "\"auto\", \"50ms\", \"100ms\" or \"200ms\""},
        Bad{"SampleNumber", "[damon]\nsample = 50\n", "damon.sample = 50", "\"auto\""},
        Bad{"DamonCpu", "[damon]\ncpu = 30\n", "damon.cpu = 30", "a share in quotes, 0% to 100%"},
        Bad{"Sensor", "[idle]\nsensor = \"vaddr\"\n", "idle.sensor = 'vaddr'",
            "\"auto\", \"regions\", \"generations\" or \"physical\""},
        Bad{"SensorNumber", "[idle]\nsensor = 1\n", "idle.sensor = 1", "\"auto\""},
        Bad{"IdleTable", "idle = \"auto\"\n", "idle = 'auto'", "a table: [idle]"},
        Bad{"IdleKey", "[idle]\nperiod = 4\n", "idle.period = 4", "allowed: sensor"},
        Bad{"Actuator", "[reclaim]\nactuator = \"swap\"\n", "reclaim.actuator = 'swap'",
            R"("auto", "memory.reclaim", "pageout", "damos" or "lru_gen")"},
        Bad{"ActuatorNumber", "[reclaim]\nactuator = 1\n", "reclaim.actuator = 1", "\"auto\""},
        Bad{"ReclaimTable", "reclaim = \"auto\"\n", "reclaim = 'auto'", "a table: [reclaim]"},
        Bad{"ReclaimKey", "[reclaim]\nidle = 4\n", "reclaim.idle = 4", "allowed: actuator"},
        Bad{"Mover", "[tier]\nmover = \"pageout\"\n", "tier.mover = 'pageout'",
            R"("auto", "move_pages", "damos" or "memory.reclaim")"},
        Bad{"ProfileWeight", "[profile.x]\nweight = 0\n", "profile.x.weight = 0", "0.01 to 100"},
        Bad{"TierTable", "tier = 1\n", "tier = 1", "a table: [tier]"},
        Bad{"TierKey", "[tier]\nfast = 4\n", "tier.fast = 4", "allowed: mover"}),
    [](const auto& bad) { return std::string(bad.param.name); });

TEST(Settings, TextThatIsNoTomlNamesItsLine) {
    EXPECT_THAT(fault("[bounds]\nidle = \n"), HasSubstr("line 2"));
    EXPECT_THAT(fault("[bounds\n"), HasSubstr("line 1"));
    EXPECT_THAT(fault("a = 1\na = 2\n"), HasSubstr("line 2"));
}

TEST(Settings, ControlCharactersAreNotPrinted) {
    const std::string message = fault("\"\\u001b[31m\" = 1\n");
    EXPECT_EQ(message.find('\x1b'), std::string::npos);
    EXPECT_THAT(message, HasSubstr("no such key"));
}

TEST(Settings, AnyTruncationIsAnErrorOrSettings) {
    for (std::size_t size = 0; size < kFull.size(); ++size) {
        const auto parsed = parse_settings(kFull.substr(0, size));
        EXPECT_TRUE(parsed || !parsed.error().detail.empty()) << size;
    }
}

} // namespace
} // namespace cgtide::core
