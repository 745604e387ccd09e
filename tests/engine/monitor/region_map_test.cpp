#include "engine/monitor/region_map.hpp"
#include "tests/support/sizes.hpp"

#include <gmock/gmock.h>

namespace cgtide::monitor {
namespace {

using cgroup::PageKind;
using cgroup::Present;
using model::RegionRow;
using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;
using testing::SizeIs;

using test::kPage;

IdleRegion idle_region(std::uint64_t start, std::uint64_t end, int seconds,
                       std::uint32_t accesses = 0) {
    return {{start * kPage, end * kPage}, Microseconds(seconds * 1'000'000LL), accesses};
}

Present page_run(std::uint64_t start, std::uint64_t end, PageKind kind = PageKind::anon) {
    return {start * kPage, end * kPage, kind};
}

/// start, end and present pages, idle seconds, accesses, mapping.
std::vector<std::string> lines(const std::vector<RegionRow>& rows) {
    std::vector<std::string> found;
    for (const RegionRow& row : rows) {
        found.push_back(std::to_string(row.start / kPage) + "-" + std::to_string(row.end / kPage) +
                        " " + std::to_string(row.present.count / kPage) + " " +
                        std::to_string(row.idle.count() / 1'000'000) + " " +
                        std::to_string(row.accesses) + " " + row.mapping);
    }
    return found;
}

TEST(RegionMap, CutsRegionsToPresentRuns) {
    const std::vector<IdleRegion> regions{idle_region(10, 20, -5, 18), idle_region(20, 40, 60),
                                          idle_region(50, 60, 7)};
    const std::vector<Present> present{page_run(12, 16), page_run(16, 24, PageKind::file),
                                       page_run(30, 31), page_run(70, 80)};
    EXPECT_THAT(lines(region_rows(regions, run_cuts(present), present)),
                ElementsAre("12-20 8 -5 18 ", "20-24 4 60 0 ", "30-31 1 60 0 "));
}

TEST(RegionMap, CutsRegionsAtMappings) {
    const std::vector<IdleRegion> regions{idle_region(10, 40, 60)};
    const std::vector<Present> present{page_run(12, 16), page_run(18, 22), page_run(38, 50)};
    const std::vector<NamedRange> cuts{{{0, 20 * kPage}, "[heap]"},
                                       {{20 * kPage, 30 * kPage}, "/lib/a b.so"},
                                       {{30 * kPage, 35 * kPage}, "anon"},
                                       {{36 * kPage, 90 * kPage}, "[stack]"}};
    EXPECT_THAT(
        lines(region_rows(regions, cuts, present)),
        ElementsAre("10-20 6 60 0 [heap]", "20-30 2 60 0 /lib/a b.so", "36-40 2 60 0 [stack]"));
    EXPECT_THAT(region_rows(regions, {}, present), IsEmpty());
    EXPECT_THAT(region_rows({}, cuts, present), IsEmpty());
}

TEST(RegionMap, TooManyRunsAreNotCutAt) {
    std::vector<Present> present;
    for (std::uint64_t i = 0; i <= kMaxRows; ++i) {
        present.push_back(page_run(2 * i + 1, 2 * i + 2));
    }
    EXPECT_THAT(run_cuts(std::span(present).first(kMaxRows)), SizeIs(kMaxRows));
    const std::vector<IdleRegion> regions{idle_region(1, 11, 60), idle_region(11, 100'000, 70)};
    EXPECT_THAT(lines(region_rows(regions, run_cuts(present), present)),
                ElementsAre("1-11 5 60 0 ", "11-100000 16380 70 0 "));
}

TEST(RegionMap, NamesMappingsAndJoinsThoseOfOneFile) {
    const auto cuts = mapping_cuts("1000-2000 r-xp 00000000 08:01 7 /bin/web\n"
                                   "2000-3000 rw-p 00001000 08:01 7 /bin/web\n"
                                   "3000-4000 rw-p 00000000 00:00 0 \n"
                                   "5000-6000 rw-p 00000000 00:00 0 \n");
    ASSERT_TRUE(cuts) << cuts.error().message();
    EXPECT_THAT(*cuts,
                ElementsAre(Field(&NamedRange::name, "/bin/web"), Field(&NamedRange::name, "anon"),
                            Field(&NamedRange::name, "anon")));
    EXPECT_EQ(cuts->front().range, (damon::Range{0x1000, 0x3000}));
    EXPECT_FALSE(mapping_cuts("nonsense\n"));
}

TEST(RegionMap, HasOneIntervalBetweenLooks) {
    model::RegionMap map{Microseconds{50'000}, Microseconds{1'000'000}, {}};
    align_looks(map, {});
    EXPECT_EQ(map.sample, Microseconds{50'000});
    map.spaces.resize(2);
    map.spaces[0].regions.resize(1);
    map.spaces[0].regions[0].accesses = 9;
    map.spaces[1].regions.resize(2);
    map.spaces[1].regions[0].accesses = 5;
    align_looks(map, std::vector<std::uint32_t>{10, 5});
    EXPECT_EQ(map.sample, Microseconds{100'000});
    EXPECT_EQ(map.spaces[0].regions[0].accesses, 9U);
    EXPECT_EQ(map.spaces[1].regions[0].accesses, 10U);
    EXPECT_EQ(map.spaces[1].regions[1].accesses, 0U);
}

} // namespace
} // namespace cgtide::monitor
