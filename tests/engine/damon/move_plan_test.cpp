#include "engine/damon/move_plan.hpp"

#include <map>

#include <gmock/gmock.h>

namespace cgtide::damon {
namespace {

using ::testing::ElementsAre;

constexpr std::uint64_t kGiB = 1U << 30U;

PhysicalMove demotion() {
    return {.container = CgroupId{7},
            .hot = false,
            .cgroups = {{CgroupId{8}, "/web"}},
            .to = 1,
            .from = {{0, kGiB}, {4 * kGiB, 5 * kGiB}},
            .least_age = 9,
            .bytes = 8U << 20U,
            .rounds = 2,
            .with_unmapped = true};
}

PhysicalMove promotion() {
    PhysicalMove move = demotion();
    move.hot = true;
    move.to = 0;
    move.from = {{kGiB, 2 * kGiB}};
    return move;
}

std::map<std::string, std::string> files(const PhysicalMove& move) {
    std::map<std::string, std::string> files;
    const std::vector<PhysicalMove> moves{move};
    for (const Write& write : move_schemes(moves)) {
        constexpr std::string_view kFolder = "contexts/0/schemes/0/";
        files[write.path.starts_with(kFolder) ? write.path.substr(kFolder.size()) : write.path] =
            write.text;
    }
    return files;
}

/// Type, matching and allow of the filters, with the path of a cgroup or addresses.
std::vector<std::string> filters(const PhysicalMove& move, const std::string& folder) {
    auto told = files(move);
    std::vector<std::string> found;
    for (int i = 0; i < std::stoi(told.at(folder + "/nr_filters")); ++i) {
        const std::string filter = folder + "/" + std::to_string(i) + "/";
        found.push_back(told.at(filter + "type") + " " + told.at(filter + "matching") +
                        told.at(filter + "allow") + told[filter + "memcg_path"] +
                        told[filter + "addr_start"]);
        if (told.contains(filter + "addr_end")) {
            found.back() += "-" + told[filter + "addr_end"];
        }
    }
    return found;
}

TEST(MovePlan, ColdPagesAreOfRegionsThatWereNotUsedAndNotYoungThemselves) {
    auto told = files(demotion());
    EXPECT_EQ(told["action"], "migrate_cold");
    EXPECT_EQ(told["target_nid"], "1");
    EXPECT_EQ(told["access_pattern/nr_accesses/max"], "0");
    EXPECT_EQ(told["access_pattern/age/min"], "9");
    EXPECT_THAT(filters(demotion(), "ops_filters"), ElementsAre("memcg NN/web", "young YN"));
}

TEST(MovePlan, HotPagesAreOfRegionsThatWereUsedAndYoungThemselves) {
    auto told = files(promotion());
    EXPECT_EQ(told["action"], "migrate_hot");
    EXPECT_EQ(told["access_pattern/nr_accesses/min"], "1");
    EXPECT_THAT(filters(promotion(), "ops_filters"), ElementsAre("memcg NN/web", "young NN"));
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
    EXPECT_EQ(told["stats/max_nr_snapshots"], "4");
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
