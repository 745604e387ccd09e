#include "engine/damon/physical_plan.hpp"
#include "tests/engine/damon/writes.hpp"
#include "tests/support/sizes.hpp"

#include <algorithm>

#include <gmock/gmock.h>

namespace cgtide::damon {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using test::kGiB;
const PhysicalOptions kOptions{
    .memory = {{1U << 20U, kGiB}, {4 * kGiB, 5 * kGiB}}, .sentinel = 42, .intervals = {}};

PhysicalWatch watch(PageClass pages) {
    return {{{CgroupId{7}, pages, {{CgroupId{8}, "/web/a"}, {CgroupId{9}, "/web/b"}}}},
            Microseconds(30'000'000)};
}

/// The filters of a scheme that counts.
std::vector<std::string> count_filters(PageClass pages) {
    return test::filters(
        test::files(plan_physical_start(count_schemes(watch(pages)), kOptions).writes),
        "contexts/0/schemes/0/ops_filters");
}

TEST(PhysicalPlan, StartsWithAllOfTheMemoryAndOurPid) {
    const Commit change = plan_physical_start(count_schemes(watch(PageClass::anon)), kOptions);
    auto told = test::files(change.writes);
    EXPECT_EQ(told["contexts/0/operations"], "paddr");
    EXPECT_EQ(told["contexts/0/targets/nr_targets"], "1");
    EXPECT_EQ(told["contexts/0/targets/0/pid_target"], "42") << "recover() knows the slot by it";
    EXPECT_EQ(told["contexts/0/targets/0/regions/nr_regions"], "2");
    EXPECT_EQ(told["contexts/0/targets/0/regions/1/end"], std::to_string(5 * kGiB));
    EXPECT_EQ(told["contexts/0/schemes/0/apply_interval_us"], "30000000");
    ASSERT_EQ(change.seats.size(), 1U);
    EXPECT_EQ(change.seats[0].key, kPhysical);
    EXPECT_EQ(change.seats[0].ranges, kOptions.memory);
}

TEST(PhysicalPlan, CountsOneClassOfPagesOfTheseCgroupsAlone) {
    const auto of = [](const char* kind, std::vector<std::string> more = {}) {
        std::vector<std::string> all{kind};
        all.insert(all.end(), more.begin(), more.end());
        all.insert(all.end(), {"memcg YY/web/a", "memcg YY/web/b"});
        return all;
    };
    EXPECT_EQ(count_filters(PageClass::anon), of("anon NN"));
    EXPECT_EQ(count_filters(PageClass::file), of("anon YN"));
    EXPECT_EQ(count_filters(PageClass::mapped_file), of("anon YN", {"unmapped YN"}));
    EXPECT_EQ(count_filters(PageClass::unmapped_file), of("anon YN", {"unmapped NN"}));
}

TEST(PhysicalPlan, AChangeKeepsRegionsAndPutsAllCountsInStep) {
    const auto even = test::files(
        plan_physical_change(count_schemes(watch(PageClass::file)), kOptions, false).writes);
    auto odd = test::files(
        plan_physical_change(count_schemes(watch(PageClass::file)), kOptions, true).writes);
    EXPECT_EQ(odd["contexts/0/schemes/nr_schemes"], "1");
    EXPECT_EQ(odd["contexts/0/targets/nr_targets"], "1") << "a commit lists all targets";
    EXPECT_EQ(odd.count("contexts/0/targets/0/regions/nr_regions"), 0U);
    EXPECT_EQ(odd.count("contexts/nr_contexts"), 0U);
    std::vector<std::string> differ;
    for (const auto& [path, text] : even) {
        if (odd[path] != text) {
            differ.push_back(path);
        }
    }
    EXPECT_THAT(differ, ElementsAre("contexts/0/monitoring_attrs/intervals/update_us"));
}

TEST(PhysicalPlan, RegionsFollowTheSizeOfTheMemoryWithinBounds) {
    const auto bounds = [](std::uint64_t bytes) {
        PhysicalOptions options = kOptions;
        options.memory = {{0, bytes}};
        auto told =
            test::files(plan_physical_start(count_schemes(watch(PageClass::file)), options).writes);
        const std::string folder = "contexts/0/monitoring_attrs/nr_regions/";
        return told[folder + "min"] + ".." + told[folder + "max"];
    };
    EXPECT_EQ(bounds(kGiB / 8), "100..400");
    EXPECT_EQ(bounds(kGiB), "128..512");
    EXPECT_EQ(bounds(512 * kGiB), "300..1200");
}

} // namespace
} // namespace cgtide::damon
