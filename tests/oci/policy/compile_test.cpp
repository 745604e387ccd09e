#include "oci/policy/compile.hpp"

#include <algorithm>
#include <random>

#include <gmock/gmock.h>

namespace cgtide::policy {
namespace {

using model::AppName;
using oci::Annotations;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr Subject kSubject{"a1", "/web/a1"};

model::Policy compiled(const Annotations& annotations,
                       const model::Settings& settings = model::default_settings()) {
    return compile(annotations, kSubject, settings);
}

/// The only fault of `cgtide.io/KEY: VALUE` beside both apps.
model::PolicyFault fault_of(const std::string& key, const std::string& value) {
    const auto policy = compiled({{"cgtide.io/apps", "stat,reclaim"}, {"cgtide.io/" + key, value}});
    return policy.faults.size() == 1 ? policy.faults[0] : model::PolicyFault{};
}

model::Settings with_grant(model::Grant grant) {
    auto settings = model::default_settings();
    settings.grants.push_back(std::move(grant));
    return settings;
}

TEST(Policy, NothingIsTouchedWithoutApps) {
    const auto policy = compiled({});
    EXPECT_THAT(policy.apps, IsEmpty());
    EXPECT_THAT(policy.faults, IsEmpty());
    EXPECT_EQ(policy.name, "a1");
}

TEST(Policy, DefaultsAreThoseOfTheTable) {
    const auto policy = compiled({{"cgtide.io/apps", "reclaim, stat"}});
    EXPECT_THAT(policy.apps, ElementsAre(AppName::stat, AppName::reclaim));
    EXPECT_EQ(policy.profile.name, "default");
    EXPECT_FALSE(policy.dry_run);
    EXPECT_EQ(policy.reclaim.pressure, BasisPoints{10.0});
    EXPECT_EQ(policy.reclaim.idle, std::chrono::minutes(2));
    EXPECT_EQ(policy.reclaim.keep, model::Amount(mebibytes(16)));
    EXPECT_EQ(policy.reclaim.pages, model::Pages::automatic);
    EXPECT_THAT(policy.faults, IsEmpty());
}

TEST(Policy, TakesEveryKnob) {
    const auto policy = compiled({{"cgtide.io/apps", "reclaim"},
                                  {"cgtide.io/name", "shop"},
                                  {"cgtide.io/dry-run", "true"},
                                  {"cgtide.io/reclaim.pressure", "0.5%"},
                                  {"cgtide.io/reclaim.idle", "10s"},
                                  {"cgtide.io/reclaim.keep", "25%"},
                                  {"cgtide.io/reclaim.pages", "anon"}});
    EXPECT_THAT(policy.faults, IsEmpty());
    EXPECT_EQ(policy.name, "shop");
    EXPECT_TRUE(policy.dry_run);
    EXPECT_EQ(policy.reclaim.pressure, BasisPoints{50.0});
    EXPECT_EQ(policy.reclaim.idle, std::chrono::seconds(10));
    EXPECT_EQ(policy.reclaim.keep, model::Amount(BasisPoints{2500.0}));
    EXPECT_EQ(policy.reclaim.pages, model::Pages::anon);
}

TEST(Policy, AnUnknownAppIsNamedAndTheOthersRun) {
    const auto policy = compiled({{"cgtide.io/apps", "stat,reclam,stat"}});
    EXPECT_THAT(policy.apps, ElementsAre(AppName::stat));
    ASSERT_THAT(policy.faults, SizeIs(1));
    EXPECT_EQ(policy.faults[0].key, "cgtide.io/apps");
    EXPECT_EQ(policy.faults[0].message,
              "unknown app 'reclam', did you mean reclaim? (allowed: stat, tier, numa, reclaim)");
    EXPECT_EQ(policy.faults[0].app, std::nullopt);
}

TEST(Policy, AWrongValueTurnsReclaimAloneOff) {
    for (const auto& [key, value] : std::map<std::string, std::string>{{"reclaim.pressure", "0.1"},
                                                                       {"reclaim.idle", "10"},
                                                                       {"reclaim.keep", "lots"},
                                                                       {"reclaim.pages", "some"},
                                                                       {"dry-run", "yes"},
                                                                       {"profile", "eager"}}) {
        const auto policy =
            compiled({{"cgtide.io/apps", "stat,reclaim"}, {"cgtide.io/" + key, value}});
        EXPECT_THAT(policy.apps, ElementsAre(AppName::stat)) << key;
        ASSERT_THAT(policy.faults, SizeIs(1)) << key;
        EXPECT_EQ(policy.faults[0].key, "cgtide.io/" + key);
        EXPECT_EQ(policy.faults[0].value, value);
        EXPECT_EQ(policy.faults[0].app, AppName::reclaim);
    }
}

TEST(Policy, FaultsSayWhatIsAllowed) {
    EXPECT_THAT(fault_of("reclaim.pressure", "101%").message, HasSubstr("0% to 100%"));
    EXPECT_THAT(fault_of("reclaim.pressure", "0%").message, HasSubstr("more than 0%"));
    EXPECT_THAT(fault_of("reclaim.idle", "-2m").message, HasSubstr("such as 10s"));
    EXPECT_THAT(fault_of("reclaim.keep", "1XB").message, HasSubstr("16MiB"));
    EXPECT_THAT(fault_of("reclaim.pages", "none").message, HasSubstr("file, anon, all"));
    EXPECT_THAT(fault_of("dry-run", "1").message, HasSubstr("true, false"));
    EXPECT_EQ(fault_of("reclaim.idle", std::string(254, '1')).message, "at most 253 bytes");
}

TEST(Policy, SuggestsTheKeyThatWasMeant) {
    const auto fault = fault_of("reclaim.presure", "1%");
    EXPECT_EQ(fault.message, "unknown key, did you mean cgtide.io/reclaim.pressure?");
    EXPECT_EQ(fault.app, AppName::reclaim);
}

TEST(Policy, AnUnknownKeyElsewhereIsOnlyShown) {
    const auto policy = compiled({{"cgtide.io/apps", "stat,reclaim"}, {"cgtide.io/thp.size", "1"}});
    EXPECT_THAT(policy.apps, ElementsAre(AppName::stat, AppName::reclaim));
    EXPECT_THAT(policy.faults, SizeIs(1));
}

/// A container that asks for app tier with this value, on a node of 100 MiB of fast memory.
model::Policy with_fast(const std::string& value, const model::Amount& granted_low,
                        Bytes fast_tier = mebibytes(100)) {
    model::Settings settings = model::default_settings();
    model::Grant grant;
    grant.cgroup = "/web";
    grant.apps = {AppName::stat, AppName::tier};
    grant.low = granted_low;
    settings.grants.push_back(grant);
    return compile({{"cgtide.io/apps", "stat,tier"}, {"cgtide.io/tier.fast", value}},
                   {"a1", "/web/a1", fast_tier}, settings);
}

TEST(Policy, FastIsARangeOfBytesOrShares) {
    const auto policy = with_fast("20%..60%", BasisPoints{2000.0});
    EXPECT_THAT(policy.apps, ElementsAre(AppName::stat, AppName::tier));
    EXPECT_EQ(policy.tier.low, model::Amount(BasisPoints{2000.0}));
    EXPECT_EQ(policy.tier.high, model::Amount(BasisPoints{6000.0}));
    EXPECT_EQ(with_fast("..4GiB", Bytes{0}).tier.low, model::Amount(Bytes{0}));
    EXPECT_EQ(with_fast(" 1MiB .. ", mebibytes(1)).tier.high, model::Amount(BasisPoints{10000.0}));
}

TEST(Policy, LowTakesAGrantInWhateverUnit) {
    for (const auto& [value, granted] : {std::pair<const char*, model::Amount>{"1%..", Bytes{0}},
                                         {"21%..", BasisPoints{2000.0}},
                                         {"21MiB..", BasisPoints{2000.0}},
                                         {"21%..", mebibytes(20)}}) {
        const auto policy = with_fast(value, granted);
        EXPECT_THAT(policy.apps, ElementsAre(AppName::stat)) << value;
        ASSERT_THAT(policy.faults, SizeIs(1)) << value;
        EXPECT_EQ(policy.faults[0].app, AppName::tier);
        EXPECT_EQ(policy.tier.low, model::Amount(Bytes{0})) << "also where root attaches it";
        EXPECT_THAT(policy.faults[0].message, HasSubstr("LOW needs a grant (granted here: "));
    }
    EXPECT_THAT(with_fast("20MiB..", BasisPoints{2000.0}).faults, testing::IsEmpty());
    EXPECT_THAT(with_fast("20%..", mebibytes(20)).faults, testing::IsEmpty());
}

TEST(Policy, WithoutTiersLowIsGrantedInItsOwnUnitAlone) {
    for (const auto& [value, granted] : {std::pair<const char*, model::Amount>{"90%..", Bytes{0}},
                                         {"1%..", mebibytes(20)},
                                         {"1MiB..", BasisPoints{2000.0}},
                                         {"21MiB..", mebibytes(20)},
                                         {"21%..", BasisPoints{2000.0}}}) {
        const auto policy = with_fast(value, granted, Bytes{});
        ASSERT_THAT(policy.faults, SizeIs(1)) << value;
        EXPECT_THAT(policy.faults[0].message, HasSubstr("LOW needs a grant"));
    }
    EXPECT_THAT(with_fast("20%..60%", BasisPoints{2000.0}, Bytes{}).faults, testing::IsEmpty());
    EXPECT_THAT(with_fast("20MiB..", mebibytes(20), Bytes{}).faults, testing::IsEmpty());
    EXPECT_THAT(with_fast("..60%", Bytes{0}, Bytes{}).faults, testing::IsEmpty());
    EXPECT_THAT(with_fast("0%..60%", mebibytes(20), Bytes{}).faults, testing::IsEmpty());
}

TEST(Policy, HighMayNotBeBelowLowInWhateverUnit) {
    for (const char* value : {"50%..10MiB", "50MiB..10%"}) {
        const auto policy = with_fast(value, BasisPoints{10000.0});
        EXPECT_THAT(policy.apps, ElementsAre(AppName::stat)) << value;
        ASSERT_THAT(policy.faults, SizeIs(1)) << value;
        EXPECT_EQ(policy.faults[0].message,
                  "HIGH is below LOW in a fastest tier of 100.0 MiB here");
    }
    EXPECT_THAT(with_fast("10MiB..10%", BasisPoints{10000.0}).faults, testing::IsEmpty());
}

TEST(Policy, ABadRangeTurnsTierOff) {
    for (const auto& [value, says] : {std::pair{"60%..20%", "HIGH is below LOW"},
                                      {"2MiB..1MiB", "HIGH is below LOW"},
                                      {"10%", "LOW..HIGH"},
                                      {"", "LOW..HIGH"},
                                      {"x..", "16MiB"},
                                      {"..101%", "0% to 100%"},
                                      {"1%..2%..3%", "2%..3%"}}) {
        const auto policy = with_fast(value, BasisPoints{10000.0});
        EXPECT_THAT(policy.apps, ElementsAre(AppName::stat)) << value;
        ASSERT_THAT(policy.faults, SizeIs(1)) << value;
        EXPECT_THAT(policy.faults[0].message, HasSubstr(says)) << value;
    }
}

TEST(Policy, TierTakesAGrant) {
    const auto policy = compiled({{"cgtide.io/apps", "stat,tier"}});
    EXPECT_THAT(policy.apps, ElementsAre(AppName::stat));
    EXPECT_THAT(policy.faults[0].message, HasSubstr("'tier' is not granted here"));
}

TEST(Policy, AWrongNameFallsBack) {
    const auto policy =
        compiled({{"cgtide.io/apps", "stat"}, {"cgtide.io/name", std::string(300, 'x')}});
    EXPECT_EQ(policy.name, "a1");
    EXPECT_THAT(policy.apps, ElementsAre(AppName::stat));
    EXPECT_THAT(policy.faults, SizeIs(1));
}

TEST(Policy, NamesAreMadePrintable) {
    EXPECT_EQ(compiled({{"cgtide.io/name", "a\x1b[2J"}}).name, "a\\x1b[2J");
}

TEST(Policy, AContainersOwnKeyWinsOverThePods) {
    const auto policy = compiled({{"io.kubernetes.container.name", "web"},
                                  {"cgtide.io/apps", "stat"},
                                  {"apps.cgtide.io/web", "reclaim"},
                                  {"apps.cgtide.io/db", "nonsense"},
                                  {"reclaim.idle.cgtide.io/web", "30s"}});
    EXPECT_THAT(policy.apps, ElementsAre(AppName::reclaim));
    EXPECT_EQ(policy.reclaim.idle, std::chrono::seconds(30));
    EXPECT_THAT(policy.faults, IsEmpty());
}

TEST(Policy, AContainersKeyWithoutAPodIsShown) {
    const auto policy = compiled({{"apps.cgtide.io/web", "stat"}});
    EXPECT_THAT(policy.apps, IsEmpty());
    ASSERT_THAT(policy.faults, SizeIs(1));
    EXPECT_THAT(policy.faults[0].message, HasSubstr("use cgtide.io/apps"));
}

TEST(Policy, AProfileNeedsAGrant) {
    const auto fault = fault_of("profile", "eager");
    EXPECT_EQ(fault.message, "profile 'eager' needs a grant (granted here: default)");
    const auto settings =
        with_grant({"/web", std::nullopt, {AppName::stat, AppName::reclaim}, {"default", "eager"}});
    const Annotations annotations{{"cgtide.io/apps", "reclaim"}, {"cgtide.io/profile", "eager"}};
    const auto policy = compiled(annotations, settings);
    EXPECT_THAT(policy.faults, IsEmpty());
    EXPECT_EQ(policy.profile.name, "eager");
    EXPECT_EQ(compile(annotations, {"a1", "/website"}, settings).faults.size(), 1U);
}

TEST(Policy, AGrantedProfileThatIsNotDefinedIsNamed) {
    const auto settings = with_grant({std::nullopt, std::nullopt, {AppName::reclaim}, {"fast"}});
    const auto policy = compiled({{"cgtide.io/profile", "fast"}}, settings);
    ASSERT_THAT(policy.faults, SizeIs(1));
    EXPECT_THAT(policy.faults[0].message, HasSubstr("no profile 'fast' on this node"));
}

TEST(Policy, TheFirstGrantThatMatchesDecides) {
    auto settings = with_grant({"/web/", std::nullopt, {AppName::stat}, {}});
    settings.grants.push_back(
        {std::nullopt, std::nullopt, {AppName::stat, AppName::reclaim}, {"eager"}});
    const auto policy = compiled({{"cgtide.io/apps", "stat,reclaim"}}, settings);
    EXPECT_THAT(policy.apps, ElementsAre(AppName::stat));
    ASSERT_THAT(policy.faults, SizeIs(1));
    EXPECT_EQ(policy.faults[0].message, "app 'reclaim' is not granted here");
}

TEST(Policy, AGrantMayNameANamespace) {
    const auto settings =
        with_grant({std::nullopt, "team-a", {AppName::stat, AppName::reclaim}, {"eager"}});
    const auto faults = [&](const char* space) {
        return compiled({{"cgtide.io/profile", "eager"}, {"io.kubernetes.pod.namespace", space}},
                        settings)
            .faults.size();
    };
    EXPECT_EQ(faults("team-a"), 0U);
    EXPECT_EQ(faults("team-b"), 1U);
}

TEST(Policy, NoAnnotationPassesTheBounds) {
    auto settings = model::default_settings();
    settings.bounds.idle_low = std::chrono::seconds(10);
    settings.bounds.pressure_high = BasisPoints{100.0};
    const auto refused = compiled({{"cgtide.io/apps", "reclaim"},
                                   {"cgtide.io/reclaim.idle", "9s"},
                                   {"cgtide.io/reclaim.pressure", "1.01%"}},
                                  settings);
    EXPECT_THAT(refused.apps, IsEmpty());
    ASSERT_THAT(refused.faults, SizeIs(2));
    EXPECT_EQ(refused.faults[0].message, "this node allows 0% to 1%");
    EXPECT_EQ(refused.faults[1].message, "this node allows 10 s or more");
    const auto taken = compiled(
        {{"cgtide.io/reclaim.idle", "10s"}, {"cgtide.io/reclaim.pressure", "1%"}}, settings);
    EXPECT_THAT(taken.faults, IsEmpty());
}

TEST(Policy, FaultsAreBounded) {
    Annotations annotations{{"cgtide.io/apps", "stat"}};
    for (int i = 0; i < 1000; ++i) {
        annotations.emplace("cgtide.io/x" + std::to_string(i), "");
    }
    const auto policy = compiled(annotations);
    EXPECT_THAT(policy.faults, SizeIs(64));
    EXPECT_EQ(policy.faults.back().message, "937 more refused keys");
    EXPECT_THAT(policy.apps, ElementsAre(AppName::stat));
}

std::string random_text(std::mt19937& random) {
    constexpr std::string_view kPieces[] = {"stat", "reclaim", ",",    "eager", "0.1%", "10s",
                                            "\x1b", "é",       "\xff", "16MiB", "true", "-",
                                            " ",    "all",     "99",   "%",     "web",  ""};
    std::string text;
    for (auto left = random() % 5; left > 0; --left) {
        text += kPieces[random() % std::size(kPieces)];
    }
    return random() % 50 == 0 ? std::string(300, 'x') : text;
}

TEST(Policy, NeverThrowsAndNeverPassesItsGrant) {
    constexpr std::string_view kKeys[] = {
        "cgtide.io/apps",           "cgtide.io/profile",      "cgtide.io/name",
        "cgtide.io/dry-run",        "cgtide.io/reclaim.keep", "cgtide.io/reclaim.idle",
        "cgtide.io/reclaim.pages",  "apps.cgtide.io/web",     "io.kubernetes.container.name",
        "cgtide.io/reclaim.presure"};
    std::mt19937 random(20240117);
    for (int round = 0; round < 5000; ++round) {
        Annotations annotations;
        for (auto left = random() % 8; left > 0; --left) {
            annotations[random() % 10 == 0 ? "cgtide.io/" + random_text(random)
                                           : std::string(kKeys[random() % std::size(kKeys)])] =
                random_text(random);
        }
        std::vector<AppName> granted;
        for (const AppName app : model::kApps) {
            if (random() % 2 == 0) {
                granted.push_back(app);
            }
        }
        const auto settings = with_grant({std::nullopt, std::nullopt, granted, {}});
        const auto policy = compiled(annotations, settings);
        for (const AppName app : policy.apps) {
            EXPECT_NE(std::find(granted.begin(), granted.end(), app), granted.end());
        }
        EXPECT_EQ(policy.profile.name, "default");
        for (const auto& fault : policy.faults) {
            EXPECT_FALSE(fault.app && policy.runs(*fault.app));
            EXPECT_EQ(fault.message.find_first_of("\x1b\n\xff"), std::string::npos);
        }
    }
}

} // namespace
} // namespace cgtide::policy
