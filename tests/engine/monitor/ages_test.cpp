#include "engine/monitor/ages.hpp"
#include "tests/engine/monitor/damon_model.hpp"
#include "tests/support/sizes.hpp"
#include "tests/support/times.hpp"

#include <algorithm>
#include <array>
#include <ostream>
#include <random>

#include <gmock/gmock.h>

namespace cgtide::monitor {

void PrintTo(const IdleRange& idle, std::ostream* out) {
    *out << idle.range.start << '-' << idle.range.end << " idle " << idle.idle.count() << " to "
         << idle.most.count() << " us";
}

namespace {

using damon::Range;
using damon::Region;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

using test::kMiB;
using test::kSecond;
using test::second;

IdleRange idle(std::uint64_t start, std::uint64_t end, std::int64_t seconds) {
    return {{start, end}, kSecond * seconds, kSecond * seconds};
}
/// ... of which it is not sure: for `most` seconds at most.
IdleRange idle(std::uint64_t start, std::uint64_t end, std::int64_t seconds, std::int64_t most) {
    return {{start, end}, kSecond * seconds, kSecond * most};
}
Region region(std::uint64_t start, std::uint64_t end, std::uint32_t accesses,
              std::uint32_t age = 0) {
    return {{start, end}, accesses, age};
}

/// Ages at an aggregation of a second; rounds end at second 1, 2 and so on.
class AgesOfRounds : public ::testing::Test {
protected:
    void round(const std::vector<Region>& regions) {
        ages_.add({1, second(++now_), regions}, kSecond);
    }
    void rounds(int count, const std::vector<Region>& regions) {
        for (int i = 0; i < count; ++i) {
            round(regions);
        }
    }

    Ages ages_;
    std::int64_t now_ = 0;
};

TEST_F(AgesOfRounds, NothingIsKnownBeforeTheFirstRound) {
    EXPECT_THAT(ages_.idle(), IsEmpty());
    EXPECT_EQ(ages_.watched(), Microseconds{0});
    EXPECT_EQ(ages_.at(), TimePoint{});
}

TEST_F(AgesOfRounds, WhatWasNeverUsedIsIdleForAsLongAsItIsWatched) {
    rounds(5, {region(0, 100, 0, 90)});
    EXPECT_THAT(ages_.idle(), ElementsAre(idle(0, 100, 5)));
    EXPECT_EQ(ages_.watched(), 5 * kSecond);
    round({region(0, 100, 0), region(200, 300, 0)});
    EXPECT_THAT(ages_.idle(), ElementsAre(idle(0, 100, 6), idle(200, 300, 1)));
}

TEST_F(AgesOfRounds, UseWithoutABreakIsNegative) {
    rounds(7, {region(0, 60, 20), region(60, 100, 0)});
    EXPECT_THAT(ages_.idle(), ElementsAre(idle(0, 60, -7, 7), idle(60, 100, 7)));
    rounds(3, {region(0, 60, 20), region(60, 100, 0)});
    EXPECT_THAT(ages_.idle(), ElementsAre(idle(0, 60, -10), idle(60, 100, 10)));
}

TEST_F(AgesOfRounds, AMissedLookBreaksNoUse) {
    rounds(10, {region(0, 100, 4)});
    round({region(0, 100, 0)});
    EXPECT_THAT(ages_.idle(), ElementsAre(idle(0, 100, -11)));
    rounds(3, {region(0, 100, 4)});
    EXPECT_THAT(ages_.idle(), ElementsAre(idle(0, 100, -14)));
}

TEST_F(AgesOfRounds, TwoMissedLooksEndAUse) {
    rounds(10, {region(0, 100, 4)});
    rounds(2, {region(0, 100, 0)});
    EXPECT_THAT(ages_.idle(), ElementsAre(idle(0, 100, 2)));
    rounds(10, {region(0, 100, 4)});
    EXPECT_THAT(ages_.idle(), ElementsAre(idle(0, 100, -10)));
}

TEST_F(AgesOfRounds, WhatStopsIsIdleFromItsLastUse) {
    rounds(10, {region(0, 100, 20)});
    rounds(2, {region(0, 100, 0)});
    EXPECT_THAT(ages_.idle(), ElementsAre(idle(0, 100, 2)));
    rounds(2, {region(0, 100, 0)});
    EXPECT_THAT(ages_.idle(), ElementsAre(idle(0, 100, 4)));
    rounds(4, {region(0, 100, 0)});
    EXPECT_THAT(ages_.idle(), ElementsAre(idle(0, 100, 8)));
}

TEST_F(AgesOfRounds, ARegionAcrossABorderKeepsTheAgeOfItsColdPart) {
    rounds(10, {region(0, 100, 0)});
    round({region(0, 40, 0), region(40, 60, 5), region(60, 100, 0)});
    EXPECT_THAT(ages_.idle(), ElementsAre(idle(0, 40, 11), idle(40, 60, 0, 11), idle(60, 100, 11)));
    round({region(0, 40, 0), region(40, 48, 18), region(48, 100, 0)});
    EXPECT_THAT(ages_.idle(),
                ElementsAre(idle(0, 40, 12), idle(40, 48, -2, 12), idle(48, 100, 12)));
}

TEST_F(AgesOfRounds, UsesInARowAreTakenBackWhereAnotherPartExplainsThem) {
    rounds(20, {region(0, 100, 0)});
    rounds(9, {region(0, 100, 9)}); // the first half is in use
    EXPECT_THAT(ages_.idle(), ElementsAre(idle(0, 100, -9, 29)));
    round({region(0, 50, 20), region(50, 100, 0)});
    EXPECT_THAT(ages_.idle(), ElementsAre(idle(0, 50, -10), idle(50, 100, 30)));
}

TEST_F(AgesOfRounds, NotWhereTheyWereManyThough) {
    rounds(20, {region(0, 100, 0)});
    rounds(10, {region(0, 100, 9)});
    rounds(5, {region(0, 50, 20), region(50, 100, 0)});
    EXPECT_THAT(ages_.idle(), ElementsAre(idle(0, 50, -15), idle(50, 100, 6)));
}

TEST_F(AgesOfRounds, AUseThatNothingExplainsCountsForAll) {
    rounds(10, {region(0, 100, 0)});
    round({region(0, 50, 1), region(50, 100, 0)});
    EXPECT_THAT(ages_.idle(), ElementsAre(idle(0, 50, 0, 11), idle(50, 100, 11)));
    rounds(6, {region(0, 100, 0)});
    EXPECT_THAT(ages_.idle(), ElementsAre(idle(0, 50, 6, 17), idle(50, 100, 17)));
}

TEST_F(AgesOfRounds, BeyondDoubtWhereMostLooksFoundItInUse) {
    rounds(10, {region(0, 100, 0)});
    round({region(0, 50, 12), region(50, 100, 11)});
    round({region(0, 50, 6), region(50, 100, 6)});
    rounds(6, {region(0, 100, 0)});
    EXPECT_THAT(ages_.idle(), ElementsAre(idle(0, 50, 6), idle(50, 100, 6, 18)));
}

TEST_F(AgesOfRounds, WhateverTheNumberOfLooks) {
    rounds(10, {region(0, 100, 0)});
    ages_.add({1, second(++now_), {region(0, 40, 5), region(40, 100, 4)}, 5}, kSecond);
    EXPECT_EQ(ages_.looks(), 5U);
    rounds(6, {region(0, 100, 0)});
    EXPECT_THAT(ages_.idle(), ElementsAre(idle(0, 40, 6), idle(40, 100, 6, 17)));
    ages_.add({1, second(++now_), {region(0, 40, 9), region(40, 100, 8)}, 10}, kSecond);
    rounds(6, {region(0, 100, 0)});
    EXPECT_THAT(ages_.idle(), ElementsAre(idle(0, 40, 6), idle(40, 100, 6, 24)));
    EXPECT_EQ(ages_.looks(), 20U);
}

TEST_F(AgesOfRounds, WhatVanishesIsForgotten) {
    rounds(5, {region(0, 100, 0), region(200, 300, 0)});
    round({region(200, 250, 0)});
    EXPECT_THAT(ages_.idle(), ElementsAre(idle(200, 250, 6)));
    round({region(0, 100, 0), region(200, 300, 0)});
    EXPECT_THAT(ages_.idle(), ElementsAre(idle(0, 100, 1), idle(200, 250, 7), idle(250, 300, 1)));
}

TEST_F(AgesOfRounds, DamonsOwnAgeDoesNotReachThem) {
    rounds(20, {region(0, 100, 0, 50)});
    round({region(0, 30, 0, 0), region(30, 100, 0, 0)}); // as after a commit or an action
    EXPECT_THAT(ages_.idle(), ElementsAre(idle(0, 100, 21)));
}

TEST_F(AgesOfRounds, LostRoundsCountAsIdleAsFarAsDamonsAgeProves) {
    rounds(10, {region(0, 300, 0)});
    now_ += 20;
    round({region(0, 100, 0, 40), region(100, 200, 0, 5), region(200, 300, 0, 0)});
    EXPECT_THAT(ages_.idle(),
                ElementsAre(idle(0, 100, 31), idle(100, 200, 6, 31), idle(200, 300, 1, 31)));
}

TEST_F(AgesOfRounds, LostRoundsBreakNoUse) {
    rounds(10, {region(0, 100, 20)});
    now_ += 20;
    round({region(0, 100, 20)});
    EXPECT_THAT(ages_.idle(), ElementsAre(idle(0, 100, -31)));
}

TEST_F(AgesOfRounds, WhatStoppedWhileRoundsWereLostIsIdleForAsLongAsDamonsAgeSays) {
    rounds(12, {region(0, 200, 20)});
    now_ += 20;
    round({region(0, 100, 0, 9), region(100, 200, 0, 0)});
    rounds(3, {region(0, 200, 0)});
    EXPECT_THAT(ages_.idle(), ElementsAre(idle(0, 100, 13, 24), idle(100, 200, 4, 24)));
}

TEST_F(AgesOfRounds, PagesThatCameAreYoungAlsoWhereAUseIsUndecided) {
    rounds(10, {region(0, 100, 0)});
    round({region(0, 100, 3)});
    round({region(0, 100, 0)});
    ages_.came(std::vector<Range>{{0, 100}}, second(12));
    EXPECT_THAT(ages_.idle(), ElementsAre(idle(0, 100, 0)));
}

TEST_F(AgesOfRounds, PagesThatCameAreYoung) {
    rounds(10, {region(0, 100, 0)});
    const std::vector<Range> fresh{{10, 20}, {90, 120}, {200, 300}};
    ages_.came(fresh, second(10));
    EXPECT_THAT(ages_.idle(),
                ElementsAre(idle(0, 10, 10), idle(10, 20, 0), idle(20, 90, 10), idle(90, 100, 0)));
    rounds(2, {region(0, 100, 0)});
    EXPECT_THAT(ages_.idle(),
                ElementsAre(idle(0, 10, 12), idle(10, 20, 2), idle(20, 90, 12), idle(90, 100, 2)));
}

TEST_F(AgesOfRounds, OldAndEmptyRoundsAndBadIntervalsAreDropped) {
    rounds(3, {region(0, 100, 0)});
    ages_.add({1, second(3), {region(0, 10, 20)}}, kSecond);
    ages_.add({1, second(4), {region(0, 10, 20)}}, Microseconds{0});
    EXPECT_THAT(ages_.idle(), ElementsAre(idle(0, 100, 3)));
    round({region(0, 60, 0), region(40, 100, 20), region(90, 90, 20)}); // overlaps
    EXPECT_THAT(ages_.idle(), ElementsAre(idle(0, 60, 4), idle(60, 100, 0, 4)));
}

TEST_F(AgesOfRounds, AreBoundedByJoiningTheClosestTimesToTheYounger) {
    AgesOptions options;
    options.max_pieces = 3;
    ages_ = Ages(options);
    std::vector<Region> regions{region(0, 10, 0)};
    for (const int wait : {30, 1, 20, 1}) {
        rounds(wait, regions);
        regions.push_back(region(regions.back().range.end, regions.back().range.end + 10, 0));
    }
    round(regions);
    // Idle for 53, 23, 22, 2 and 1 s without the bound.
    EXPECT_THAT(ages_.idle(),
                ElementsAre(idle(0, 10, 53), idle(10, 30, 22, 23), idle(30, 50, 1, 2)));
    EXPECT_EQ(ages_.pieces(), 3U);
}

TEST_F(AgesOfRounds, RangesThatLieApartAreNotJoined) {
    AgesOptions options;
    options.max_pieces = 2;
    ages_ = Ages(options);
    rounds(2, {region(0, 10, 0), region(20, 30, 0), region(40, 50, 0)});
    EXPECT_THAT(ages_.idle(), ElementsAre(idle(0, 10, 2), idle(20, 30, 2), idle(40, 50, 2)));
}

TEST(AgesProperties, CoverWhatTheRoundCoversAndAreNeverOlderThanWatched) {
    std::mt19937_64 random(3);
    AgesOptions options;
    options.max_pieces = 64;
    Ages ages(options);
    for (int i = 1; i < 2000; ++i) {
        damon::Round round{1, second(i), {}};
        std::uint64_t at = random() % 50;
        std::uint64_t bytes = 0;
        for (int j = 0; j < 20; ++j) {
            const std::uint64_t end = at + 1 + random() % 40;
            round.regions.push_back(
                region(at, end, random() % 3 == 0 ? static_cast<std::uint32_t>(random() % 20) : 0));
            bytes += end - at;
            at = end + (random() % 4 == 0 ? random() % 10 : 0);
        }
        ages.add(round, kSecond);
        ASSERT_LE(ages.pieces(), 64U);
        std::uint64_t before = 0;
        for (const IdleRange& found : ages.idle()) {
            ASSERT_LE(before, found.range.start);
            ASSERT_LT(found.range.start, found.range.end);
            ASSERT_LE(found.idle, found.most);
            ASSERT_LE(found.most, ages.watched());
            ASSERT_GE(found.idle, -ages.watched());
            before = found.range.end;
            bytes -= found.range.end - found.range.start;
        }
        ASSERT_EQ(bytes, 0U);
    }
}

/// Memory of which some bytes are in use, in turn with others that are idle from the beginning.
struct Layout {
    const char* name;
    std::vector<std::uint64_t> mebibytes; ///< in use, idle, in use and so on
};

const std::vector<Layout>& layouts() {
    static const std::vector<Layout> kLayouts{{"48 hot, 80 cold", {48, 80}},
                                              {"16 hot, 112 cold", {16, 112}},
                                              {"100 hot, 28 cold", {100, 28}},
                                              {"stripes", {8, 24, 8, 24, 8, 24}},
                                              {"thin", {2, 62, 1, 63}}};
    return kLayouts;
}

constexpr std::uint64_t kBase = 1ULL << 40U;

bool is_hot(const Layout& layout, std::uint64_t address) {
    std::uint64_t end = kBase;
    for (std::size_t i = 0; i < layout.mebibytes.size(); ++i) {
        end += layout.mebibytes[i] * kMiB;
        if (address < end) {
            return i % 2 == 0;
        }
    }
    return false;
}

/// By how many percent of the truth the bytes idle for 10 s are off after a minute of DAMON's own
/// sampling, where a look finds hot memory in use with a chance of `share`. What is not sure may
/// make up for what is missing.
struct Told {
    double error = 0;
    double unsure = 0; ///< percent of all bytes whose bounds lie more than two rounds apart
};

Told tell(const Layout& layout, double share, std::uint64_t seed, std::uint32_t looks = 20) {
    std::uint64_t total = 0;
    std::uint64_t truth = 0;
    for (std::size_t i = 0; i < layout.mebibytes.size(); ++i) {
        total += layout.mebibytes[i] * kMiB;
        truth += i % 2 == 1 ? layout.mebibytes[i] * kMiB : 0;
    }
    test::DamonModel model({{kBase, kBase + total}}, {.samples = looks}, seed);
    Ages ages;
    for (int i = 1; i <= 60; ++i) {
        ages.add({1, second(i), model.aggregate([&](std::uint64_t address) {
                      return is_hot(layout, address) ? share : 0.0;
                  }),
                  looks},
                 kSecond);
    }
    std::uint64_t cold = 0;
    std::uint64_t perhaps = 0;
    std::uint64_t unsure = 0;
    for (const IdleRange& found : ages.idle()) {
        const std::uint64_t bytes = found.range.end - found.range.start;
        cold += found.idle >= 10 * kSecond ? bytes : 0;
        perhaps += found.most >= 10 * kSecond ? bytes : 0;
        unsure += found.most - std::max(found.idle, 0 * kSecond) > 2 * kSecond ? bytes : 0;
    }
    const std::uint64_t off = cold > truth ? cold - truth : truth - std::min(truth, perhaps);
    const auto percent = [](std::uint64_t bytes, std::uint64_t of) {
        return 100.0 * static_cast<double>(bytes) / static_cast<double>(of);
    };
    return {percent(off, truth), percent(unsure, total)};
}

constexpr std::size_t kSeeds = 31;

std::vector<double> cold_errors(const Layout& layout, double share) {
    std::vector<double> errors;
    for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
        errors.push_back(tell(layout, share, seed).error);
    }
    std::sort(errors.begin(), errors.end());
    return errors;
}

TEST(AgesOfDamonsRegions, TellColdBytesWithinFivePercent) {
    for (const Layout& layout : layouts()) {
        EXPECT_LE(cold_errors(layout, 1.0).back(), 5.0) << layout.name;
    }
}

TEST(AgesOfDamonsRegions, TellThemWithFewerLooksToo) {
    for (const Layout& layout : layouts()) {
        for (const std::uint32_t looks : {10U, 5U}) {
            for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
                EXPECT_LE(tell(layout, 1.0, seed, looks).error, 5.0) << layout.name << looks;
            }
        }
    }
}

TEST(AgesOfDamonsRegions, AreSureOfMemoryThatIsEitherHotOrCold) {
    for (const Layout& layout : layouts()) {
        std::vector<double> unsure;
        for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
            unsure.push_back(tell(layout, 1.0, seed).unsure);
        }
        std::sort(unsure.begin(), unsure.end());
        EXPECT_LE(unsure[kSeeds / 2], 1.0) << layout.name;
    }
}

/// Memory of which each part is used for a second in turn with the others or not at all.
TEST(AgesOfDamonsRegions, TellNothingOlderThanItIsWhereUsesAreRareAndBrief) {
    constexpr std::uint64_t kPart = 12 * kMiB;
    constexpr std::array<int, 6> kPeriods{25, 0, 5, 0, 2, 0}; // seconds; 0: never
    const auto idle_at = [](int period, int at) {
        return period == 0 ? at : (at - 1) % period;
    };
    std::vector<std::uint64_t> shares; // told as idle for longer than it is, in 1/1000 of all
    for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
        test::DamonModel model({{kBase, kBase + kPeriods.size() * kPart}}, {}, seed);
        Ages ages;
        for (int i = 1; i <= 80; ++i) {
            const auto use = [&](std::uint64_t address) {
                const int period = kPeriods.at((address - kBase) / kPart);
                return period != 0 && (i - 1) % period == 0 ? 1.0 : 0.0;
            };
            ages.add({1, second(i), model.aggregate(use)}, kSecond);
            if (i < 60) {
                continue;
            }
            std::uint64_t older = 0;
            for (const IdleRange& found : ages.idle()) {
                for (std::size_t part = 0; part < kPeriods.size(); ++part) {
                    const Range whole{kBase + part * kPart, kBase + (part + 1) * kPart};
                    const std::uint64_t start = std::max(whole.start, found.range.start);
                    const std::uint64_t end = std::min(whole.end, found.range.end);
                    const bool is_older =
                        found.idle > kSecond * (idle_at(kPeriods.at(part), i) + 2);
                    older += start < end && is_older ? end - start : 0;
                }
            }
            shares.push_back(older * 1000 / (kPeriods.size() * kPart));
        }
    }
    std::sort(shares.begin(), shares.end());
    EXPECT_LE(shares[shares.size() * 9 / 10], 10U);
}

TEST(AgesOfDamonsRegions, TellThemWhereLooksMissMostUsesToo) {
    for (const Layout& layout : layouts()) {
        const auto errors = cold_errors(layout, 0.2);
        EXPECT_LE(errors[kSeeds / 2], 5.0) << layout.name;
    }
}

TEST(InterleavedAges, AUseOfANeighbourExplainsNothing) {
    Ages ages(AgesOptions{.interleaved = true});
    ages.add({1, second(1), {region(0, 100, 0)}}, kSecond);
    ages.add({1, second(2), {region(0, 100, 1)}}, kSecond);
    ages.add({1, second(3), {region(0, 50, 0), region(50, 100, 1)}}, kSecond);
    for (int i = 4; i <= 7; ++i) {
        ages.add({1, second(i), {region(0, 50, 0), region(50, 100, 0)}}, kSecond);
    }
    EXPECT_THAT(ages.idle(), ElementsAre(idle(0, 50, 5, 7), idle(50, 100, 4, 7)));
}

TEST(InterleavedAges, AUseIsSureWhereNearlyAllLooksFoundIt) {
    Ages ages(AgesOptions{.interleaved = true});
    for (int i = 1; i <= 30; ++i) {
        ages.add({1, second(i), {region(0, 50, 10), region(50, 100, 18)}}, kSecond);
    }
    EXPECT_THAT(ages.idle(), ElementsAre(idle(0, 50, -30, 30), idle(50, 100, -30)));
}

} // namespace
} // namespace cgtide::monitor
