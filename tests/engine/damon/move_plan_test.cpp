#include "engine/damon/move_plan.hpp"
#include "tests/engine/damon/writes.hpp"
#include "tests/support/sizes.hpp"

#include <gmock/gmock.h>

namespace cgtide::damon {
namespace {

using ::testing::ElementsAre;

using test::kGiB;

PhysicalMove demotion() {
    return {.container = CgroupId{7},
            .hot = false,
            .cgroups = {{CgroupId{8}, "/web"}},
            .to = 1,
            .from = {{0, kGiB}, {4 * kGiB, 5 * kGiB}},
            .bytes = 8U << 20U,
            .look_at = Microseconds(1'000'000),
            .move_at = Microseconds(2'000'000),
            .idle_for = 9,
            .with_unmapped = true};
}

PhysicalMove promotion() {
    PhysicalMove move = demotion();
    move.hot = true;
    move.idle_for.reset();
    move.to = 0;
    move.from = {{kGiB, 2 * kGiB}};
    return move;
}

/// The scheme that looks, and the one that moves.
enum class Part { look, move };

test::FileTexts files(const PhysicalMove& move, Part part = Part::move) {
    return test::files(move_schemes(std::vector{move}),
                       part == Part::look ? "contexts/0/schemes/0/" : "contexts/0/schemes/1/");
}

std::vector<std::string> filters(const PhysicalMove& move, const std::string& folder,
                                 Part part = Part::move) {
    return test::filters(files(move, part), folder);
}

TEST(MovePlan, ColdPagesAreOfRegionsThatWereNotUsedAndNotYoungThemselves) {
    auto told = files(demotion());
    EXPECT_EQ(told["action"], "migrate_cold");
    EXPECT_EQ(told["target_nid"], "1");
    EXPECT_EQ(told["access_pattern/nr_accesses/max"], "0");
    EXPECT_EQ(told["access_pattern/age/min"], "9");
    EXPECT_THAT(filters(demotion(), "ops_filters"), ElementsAre("memcg NN/web", "young YN"));
}

TEST(MovePlan, HotPagesAreOfAllRegionsAndYoungThemselves) {
    auto told = files(promotion());
    EXPECT_EQ(told["action"], "migrate_hot");
    EXPECT_EQ(told["access_pattern/nr_accesses/min"], "0");
    EXPECT_EQ(told["access_pattern/nr_accesses/max"], "4294967295");
    EXPECT_THAT(filters(promotion(), "ops_filters"), ElementsAre("memcg NN/web", "young NN"));
}

TEST(MovePlan, ALookAtTheSamePagesComesBefore) {
    for (const PhysicalMove& move : {demotion(), promotion()}) {
        auto look = files(move, Part::look);
        auto told = files(move);
        EXPECT_EQ(look["action"], "stat");
        EXPECT_EQ(look["apply_interval_us"], "1000000");
        EXPECT_EQ(told["apply_interval_us"], "2000000");
        EXPECT_EQ(look["stats/max_nr_snapshots"], "1");
        EXPECT_EQ(look.count("quotas/bytes"), 0U) << "it sees all";
        for (const char* folder : {"ops_filters", "core_filters"}) {
            EXPECT_EQ(filters(move, folder, Part::look), filters(move, folder));
        }
        for (const char* file : {"nr_accesses/max", "age/min", "sz/min"}) {
            const std::string path = std::string("access_pattern/") + file;
            EXPECT_EQ(look.at(path), told.at(path));
        }
    }
}

TEST(MovePlan, OfSeveralCgroupsTheLastFiltersAllow) {
    PhysicalMove move = demotion();
    move.cgroups.push_back({CgroupId{9}, "/web/leaf"});
    EXPECT_THAT(filters(move, "ops_filters"),
                ElementsAre("young YN", "memcg YY/web", "memcg YY/web/leaf"));
}

TEST(MovePlan, WhatNobodyMapsStaysWhereItsUseCannotBeSeen) {
    PhysicalMove move = demotion();
    move.with_unmapped = false;
    EXPECT_THAT(filters(move, "ops_filters"),
                ElementsAre("memcg NN/web", "unmapped YN", "young YN"));
}

TEST(MovePlan, OtherAddressesAreRejectedForWhoAllowsHereAsksNoPage) {
    const std::string gib = std::to_string(kGiB);
    const std::string four = std::to_string(4 * kGiB);
    const std::string five = std::to_string(5 * kGiB);
    const std::string most = std::to_string(UINT64_MAX);
    EXPECT_THAT(filters(demotion(), "core_filters"),
                ElementsAre("addr YN" + gib + "-" + four, "addr YN" + five + "-" + most));
    EXPECT_THAT(filters(promotion(), "core_filters"),
                ElementsAre("addr YN0-" + gib, "addr YN" + std::to_string(2 * kGiB) + "-" + most));
}

TEST(MovePlan, MovesItsBytesOnceAndEndsByItself) {
    auto told = files(demotion());
    EXPECT_EQ(told["quotas/bytes"], std::to_string(8U << 20U));
    EXPECT_EQ(told["quotas/reset_interval_ms"], "2000000000");
    EXPECT_EQ(told["stats/max_nr_snapshots"], "1");
    EXPECT_EQ(told.count("quotas/goal_tuner"), 0U);
}

TEST(MovePlan, WalkingAllOfTheNodeCostsAQuarterOfTheQuota) {
    auto told = files(demotion());
    EXPECT_EQ(told["quotas/fail_charge_num"], "1");
    EXPECT_EQ(told["quotas/fail_charge_denom"], "1028"); // 4 * (2 GiB / 8 MiB + 1)
    PhysicalMove large = demotion();
    large.bytes = 1U << 30U;
    EXPECT_EQ(files(large)["quotas/fail_charge_denom"], "1000");
}

TEST(MovePlan, WithoutMovesHasNoSchemes) {
    EXPECT_THAT(move_schemes({}), ElementsAre(Write{"contexts/0/schemes/nr_schemes", "0"}));
}

} // namespace
} // namespace cgtide::damon
