#include "engine/damon/plan.hpp"
#include "tests/engine/damon/writes.hpp"
#include "tests/support/sizes.hpp"

#include <string>

#include <gmock/gmock.h>

namespace cgtide::damon {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using test::kMiB;
using test::lines;

constexpr Range kLow{0x10000, 0x20000};
constexpr Range kHigh{0x40000, 0x80000};

Target target(TargetKey key, std::vector<Range> ranges = {kLow}) {
    return {.key = key, .pid = static_cast<int>(100 + key), .pid_start = 7, .ranges = ranges};
}

PlanOptions options(std::size_t targets = 3) {
    return {
        .targets = targets, .min_regions = 10, .max_regions = 20, .sentinel = 42, .intervals = {}};
}

std::vector<TargetKey> keys(const Seats& seats) {
    std::vector<TargetKey> found;
    for (const Target& seat : seats) {
        found.push_back(seat.key);
    }
    return found;
}

TEST(Cut, LeavesSmallRangesWhole) {
    const std::vector<Range> ranges{kLow, kHigh};
    EXPECT_EQ(cut(ranges), ranges);
    EXPECT_THAT(cut({}), IsEmpty());
}

TEST(Cut, MakesNeighboursOfWholePagesThatCoverAll) {
    for (const std::uint64_t mib : {2U, 37U, 128U, 100'000U}) {
        const std::vector<Range> ranges{{kMiB, (1 + mib) * kMiB},
                                        {kMiB << 20U, (kMiB << 20U) + 4096}};
        const std::vector<Range> cuts = cut(ranges);
        EXPECT_GE(cuts.size(), std::min<std::uint64_t>(mib, kFirstRegions - 3));
        EXPECT_LE(cuts.size(), kFirstRegions);
        EXPECT_EQ(cuts.front().start, ranges.front().start);
        EXPECT_EQ(cuts.back(), ranges.back());
        for (std::size_t i = 0; i + 2 < cuts.size(); ++i) {
            EXPECT_EQ(cuts[i].end, cuts[i + 1].start);
            EXPECT_EQ(cuts[i].end % 4096, 0U);
            EXPECT_GE(cuts[i].end - cuts[i].start, kLeastFirstRegion);
        }
    }
}

TEST(CutNew, CutsWhatIsNewBeforeAndBehindWhatWasHeld) {
    const auto mib = [](std::uint64_t start, std::uint64_t end) {
        return Range{start * kMiB, end * kMiB};
    };
    const std::vector<Range> held{mib(10, 12), mib(14, 20), mib(100, 101)};
    EXPECT_EQ(cut_new(held, held), held);
    // One grew on both sides and took a neighbour in, one shrank, one came, and one is gone.
    EXPECT_THAT(cut_new(std::vector{mib(8, 22), mib(30, 32)}, held),
                ElementsAre(mib(8, 9), mib(9, 10), mib(10, 20), mib(20, 21), mib(21, 22),
                            mib(30, 31), mib(31, 32)));
    EXPECT_THAT(cut_new(std::vector{mib(15, 18), mib(99, 102)}, held),
                ElementsAre(mib(15, 18), mib(99, 100), mib(100, 101), mib(101, 102)));
    // A range that was held now lies in two.
    EXPECT_THAT(cut_new(std::vector{mib(14, 16), mib(17, 21)}, held),
                ElementsAre(mib(14, 16), mib(17, 20), mib(20, 21)));
    EXPECT_EQ(cut_new(held, {}), cut(held));
    EXPECT_THAT(cut_new({}, held), IsEmpty());
}

TEST(Cut, LeavesMoreRangesThanRegionsAsTheyAre) {
    std::vector<Range> ranges;
    for (std::uint64_t i = 0; i < 50; ++i) {
        ranges.push_back({(1 + 4 * i) * kMiB, (2 + 4 * i) * kMiB});
    }
    EXPECT_EQ(cut(ranges), ranges);
}

TEST(Plan, ATargetThatComesIsCutAndOfOneThatStaysWhatIsNew) {
    const std::vector<Target> first{target(1, {{kMiB, 65 * kMiB}})};
    const Commit start = plan_start(first, options());
    EXPECT_THAT(lines(start.writes), ::testing::Contains("T1/Rnr_regions=39"));
    EXPECT_EQ(start.seats[1], first[0]);
    const std::vector<Target> grown{target(1, {{kMiB, 129 * kMiB}})};
    const auto changes = plan_changes(start.seats, grown, options());
    ASSERT_THAT(changes, SizeIs(1));
    const auto text = lines(changes[0].writes);
    EXPECT_THAT(text, ::testing::Contains("T1/R0/end=" + std::to_string(65 * kMiB)));
    EXPECT_THAT(text, ::testing::Contains("T1/Rnr_regions=21"));
}

TEST(Plan, AStartWritesAll) {
    const std::vector<Target> wanted{target(1, {kLow, kHigh})};
    const Commit change = plan_start(wanted, options());
    EXPECT_THAT(keys(change.seats), ElementsAre(kSentinel, 1));
    EXPECT_THAT(lines(change.writes),
                ElementsAre("contexts/nr_contexts=1", "contexts/0/operations=fvaddr",
                            "intervals/sample_us=50000", "intervals/aggr_us=1000000",
                            "intervals/update_us=1000000", "nr_regions/min=3", "nr_regions/max=21",
                            "Tnr_targets=2", "T0/pid_target=42", "T0/Rnr_regions=1",
                            "T0/R0/start=4096", "T0/R0/end=8192", "T1/pid_target=101",
                            "T1/Rnr_regions=2", "T1/R0/start=65536", "T1/R0/end=131072",
                            "T1/R1/start=262144", "T1/R1/end=524288"));
}

TEST(Plan, SmallTargetsNeedFewerRegions) {
    const auto of = [](std::uint64_t bytes) {
        return least_regions(target(1, {{kMiB, kMiB + bytes}}), 10);
    };
    EXPECT_EQ(of(4096), 1U);
    EXPECT_EQ(of(2 * kMiB), 1U);
    EXPECT_EQ(of(2 * kMiB + 4096), 2U);
    EXPECT_EQ(of(100 * kMiB), 10U);
    EXPECT_EQ(least_regions(target(1, {{kMiB, 4 * kMiB}, {8 * kMiB, 11 * kMiB}}), 10), 3U);
    // Of all targets of a slot together; holes have no share.
    const std::vector<Target> wanted{target(1, {{kMiB, 101 * kMiB}}), target(2, {{kMiB, 3 * kMiB}}),
                                     target(3)};
    const Commit start = plan_start(wanted, options());
    EXPECT_THAT(lines(start.writes), ::testing::Contains("nr_regions/min=12"));
    EXPECT_THAT(lines(start.writes), ::testing::Contains("nr_regions/max=61"));
    // It follows what a target has.
    const std::vector<Target> grown{wanted[0], target(2, {{kMiB, 6 * kMiB}})};
    const auto changes = plan_changes(start.seats, grown, options());
    ASSERT_THAT(changes, SizeIs(1));
    EXPECT_THAT(lines(changes[0].writes), ::testing::Contains("nr_regions/min=13"));
}

TEST(Plan, WhatStaysIsListedWithoutRanges) {
    const std::vector<Target> wanted{target(1), target(2)};
    const Seats held = plan_start({wanted.data(), 1}, options()).seats;
    const auto changes = plan_changes(held, wanted, options());
    ASSERT_THAT(changes, SizeIs(1));
    EXPECT_THAT(keys(changes[0].seats), ElementsAre(kSentinel, 1, 2));
    EXPECT_THAT(lines(changes[0].writes),
                ElementsAre("intervals/sample_us=50000", "intervals/aggr_us=1000000",
                            "intervals/update_us=1000000", "nr_regions/min=3", "nr_regions/max=41",
                            "Tnr_targets=3", "T0/pid_target=42", "T1/pid_target=101",
                            "T2/pid_target=102", "T2/Rnr_regions=1", "T2/R0/start=65536",
                            "T2/R0/end=131072"));
}

TEST(Plan, WhatLeavesBecomesAHole) {
    const std::vector<Target> both{target(1), target(2)};
    const Seats held = plan_start(both, options()).seats;
    const auto changes = plan_changes(held, {both.data() + 1, 1}, options());
    ASSERT_THAT(changes, SizeIs(1));
    EXPECT_THAT(keys(changes[0].seats), ElementsAre(kSentinel, kSentinel, 2));
    EXPECT_THAT(lines(changes[0].writes),
                ElementsAre("intervals/sample_us=50000", "intervals/aggr_us=1000000",
                            "intervals/update_us=1000000", "nr_regions/min=3", "nr_regions/max=22",
                            "Tnr_targets=3", "T0/pid_target=42", "T1/pid_target=42",
                            "T1/Rnr_regions=1", "T1/R0/start=4096", "T1/R0/end=8192",
                            "T2/pid_target=102"));
}

TEST(Plan, HolesAtTheEndAreDropped) {
    const std::vector<Target> both{target(1), target(2)};
    const Seats held = plan_start(both, options()).seats;
    const auto changes = plan_changes(held, {both.data(), 1}, options());
    ASSERT_THAT(changes, SizeIs(1));
    EXPECT_THAT(keys(changes[0].seats), ElementsAre(kSentinel, 1));
}

TEST(Plan, AHoleIsUsedAgain) {
    const std::vector<Target> both{target(1), target(2)};
    const Seats with_hole =
        plan_changes(plan_start(both, options()).seats, {both.data() + 1, 1}, options())[0].seats;
    const std::vector<Target> wanted{target(2), target(3)};
    const auto changes = plan_changes(with_hole, wanted, options());
    ASSERT_THAT(changes, SizeIs(1));
    EXPECT_THAT(keys(changes[0].seats), ElementsAre(kSentinel, 3, 2));
    EXPECT_THAT(lines(changes[0].writes), ::testing::Contains("T1/R0/end=131072"));
}

TEST(Plan, OneWhoComesWhileAnotherLeavesSitsElsewhere) {
    const Seats held = plan_start(std::vector{target(1)}, options()).seats;
    const auto changes = plan_changes(held, std::vector{target(2)}, options());
    ASSERT_THAT(changes, SizeIs(1));
    EXPECT_THAT(keys(changes[0].seats), ElementsAre(kSentinel, kSentinel, 2));
}

TEST(Plan, AFullSlotIsEmptiedBeforeItIsFilled) {
    const Seats held = plan_start(std::vector{target(1), target(2)}, options(2)).seats;
    const auto changes = plan_changes(held, std::vector{target(3), target(2)}, options(2));
    ASSERT_THAT(changes, SizeIs(2));
    EXPECT_THAT(keys(changes[0].seats), ElementsAre(kSentinel, kSentinel, 2));
    EXPECT_THAT(keys(changes[1].seats), ElementsAre(kSentinel, 3, 2));
    // The kernel must let the regions of the one who left go before another sits there.
    EXPECT_THAT(lines(changes[0].writes), ::testing::Contains("T1/R0/end=8192"));
    EXPECT_THAT(lines(changes[1].writes), ::testing::Contains("T1/R0/end=131072"));
}

TEST(Plan, NewRangesAreWrittenForTheirTargetAlone) {
    const Seats held = plan_start(std::vector{target(1), target(2)}, options()).seats;
    const auto changes =
        plan_changes(held, std::vector{target(1), target(2, {kLow, kHigh})}, options());
    ASSERT_THAT(changes, SizeIs(1));
    const auto text = lines(changes[0].writes);
    EXPECT_THAT(text, ::testing::Contains("T2/Rnr_regions=2"));
    EXPECT_THAT(text, ::testing::Not(::testing::Contains(::testing::StartsWith("T1/R"))));
}

TEST(Plan, AnotherProcessOfTheSameMmTakesTheSeat) {
    const Seats held = plan_start(std::vector{target(1)}, options()).seats;
    Target other = target(1);
    other.pid = 555;
    const auto changes = plan_changes(held, std::vector{other}, options());
    ASSERT_THAT(changes, SizeIs(1));
    EXPECT_EQ(changes[0].seats[1].pid, 555);
    EXPECT_THAT(lines(changes[0].writes),
                ::testing::Not(::testing::Contains(::testing::StartsWith("T1/R"))));
}

TEST(Plan, NothingChangesNothing) {
    const std::vector<Target> wanted{target(1), target(2)};
    EXPECT_THAT(plan_changes(plan_start(wanted, options()).seats, wanted, options()), IsEmpty());
}

TEST(Plan, OtherIntervalsLeaveAllTargets) {
    const Seats held = plan_start(std::vector{target(1)}, options()).seats;
    PlanOptions slower = options();
    slower.intervals.sample = Microseconds(200'000);
    const Commit change = plan_same(held, slower);
    EXPECT_EQ(change.seats, held);
    EXPECT_THAT(lines(change.writes),
                ElementsAre("intervals/sample_us=200000", "intervals/aggr_us=1000000",
                            "intervals/update_us=1000000", "nr_regions/min=3", "nr_regions/max=21",
                            "Tnr_targets=2", "T0/pid_target=42", "T1/pid_target=101"));
}

TEST(Plan, BoundsAreNeverBelowTheKernels) {
    const Seats held = plan_start(std::vector{target(1)}, options(1)).seats;
    const auto changes = plan_changes(held, std::vector{target(2)}, options(1));
    ASSERT_THAT(changes, SizeIs(2));
    EXPECT_THAT(lines(changes[0].writes), ::testing::Contains("nr_regions/min=3"));
    EXPECT_THAT(lines(changes[0].writes), ::testing::Contains("nr_regions/max=3"));
}

TEST(Place, WhatIsHeldStaysAndRunningSlotsGoFirst) {
    const std::vector<Seats> held{{}, plan_start(std::vector{target(1)}, options(2)).seats};
    const Placement placement = place(held, {target(2), target(1), target(3)}, 2);
    EXPECT_THAT(placement.no_room, IsEmpty());
    EXPECT_THAT(keys(placement.slots[0]), ElementsAre(3));
    EXPECT_THAT(keys(placement.slots[1]), ElementsAre(1, 2));
}

TEST(Place, WhoFindsNoRoomIsListed) {
    const std::vector<Seats> held(2);
    const Placement placement = place(held, {target(1), target(2), target(3)}, 1);
    EXPECT_THAT(placement.no_room, ElementsAre(3));
}

TEST(TargetIsValid, OnlyWithPagesThatRise) {
    EXPECT_TRUE(is_valid(target(1, {kLow, kHigh})));
    EXPECT_FALSE(is_valid(target(kSentinel)));
    EXPECT_FALSE(is_valid(target(1, {})));
    EXPECT_FALSE(is_valid(target(1, {kHigh, kLow})));
    EXPECT_FALSE(is_valid(target(1, {{0x10000, 0x10000}})));
    EXPECT_FALSE(is_valid(target(1, {{0x10000, 0x10800}})));
    EXPECT_FALSE(is_valid(target(1, {{0x10000, 0x30000}, {0x20000, 0x40000}})));
    EXPECT_FALSE(is_valid(target(1, {kNowhere})));
    Target dead = target(1);
    dead.pid = 0;
    EXPECT_FALSE(is_valid(dead));
}

} // namespace
} // namespace cgtide::damon
