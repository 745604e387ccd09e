#include "cgroup/parse/flat.hpp"
#include "tests/support/results.hpp"

#include <gmock/gmock.h>

namespace cgtide::cgroup {
namespace {

using test::fails;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(AmountParser, TakesANumberWithOrWithoutNewline) {
    EXPECT_EQ(parse_amount("67108864\n").value().count, 67108864U);
    EXPECT_EQ(parse_amount("0").value().count, 0U);
}

TEST(AmountParser, TakesMax) {
    EXPECT_EQ(parse_amount("max\n").value().count, Bytes::kUnlimited);
}

TEST(AmountParser, RejectsAllElse) {
    for (const char* text : {"", "\n", "1\n\n", " 1\n", "1 \n", "+1\n", "-1\n", "1k\n", "0x10\n",
                             "ma\n", "maximum\n", "1\n2\n", "18446744073709551616\n"}) {
        EXPECT_TRUE(fails(parse_amount(text))) << text;
    }
    EXPECT_TRUE(fails(parse_amount(std::string_view("1\0", 2))));
}

TEST(AmountParser, TakesTheLargestNumber) {
    EXPECT_EQ(parse_amount("18446744073709551614\n").value().count, UINT64_MAX - 1);
}

constexpr const char* kEvents = "low 1\nhigh 2\nmax 3\noom 4\noom_kill 5\noom_group_kill 6\n";

TEST(MemoryEventsParser, TakesEachKeyAndSkipsNewOnes) {
    const MemoryEvents events = parse_memory_events(kEvents).value();
    EXPECT_EQ(events.low, 1U);
    EXPECT_EQ(events.high, 2U);
    EXPECT_EQ(events.max, 3U);
    EXPECT_EQ(events.oom, 4U);
    EXPECT_EQ(events.oom_kill, 5U);
}

TEST(MemoryEventsParser, RejectsEmptyTruncatedOverflowAndGarbage) {
    for (const char* text :
         {"", "low 1\nhigh 2\nmax 3\noom 4\n", "low 1\nhigh 2\nmax 3\noom 4\noom_kill",
          "low 1\nhigh 2\nmax 3\noom 4\noom_kill 18446744073709551616\n",
          "low 1 x\nhigh 2\nmax 3\noom 4\noom_kill 5\n",
          "low  1\nhigh 2\nmax 3\noom 4\noom_kill 5\n",
          "low -1\nhigh 2\nmax 3\noom 4\noom_kill 5\n"}) {
        EXPECT_TRUE(fails(parse_memory_events(text))) << text;
    }
}

TEST(MemoryEventsParser, NamesTheMissingKey) {
    const auto result = parse_memory_events("low 1\nhigh 2\nmax 3\noom 4\n");
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().message(), HasSubstr("has no 'oom_kill'"));
}

TEST(CgroupEventsParser, TakesFlags) {
    const CgroupEvents events = parse_cgroup_events("populated 1\nfrozen 0\n").value();
    EXPECT_TRUE(events.populated);
    EXPECT_FALSE(events.frozen);
    EXPECT_TRUE(parse_cgroup_events("populated 0\nfrozen 1\n").value().frozen);
}

TEST(CgroupEventsParser, RejectsEmptyTruncatedOverflowAndGarbage) {
    for (const char* text : {"", "populated 1\n", "populated 1\nfrozen", "populated 2\nfrozen 0\n",
                             "populated 1x\nfrozen 0\n", "populated 1\nfrozen 0 0\n",
                             "populated 99999999999999999999\nfrozen 0\n"}) {
        EXPECT_TRUE(fails(parse_cgroup_events(text))) << text;
    }
}

TEST(CgroupStatParser, TakesBothCountsAndSkipsSubsystems) {
    const CgroupStat stat =
        parse_cgroup_stat("nr_descendants 3\nnr_subsys_memory 4\nnr_dying_descendants 7\n").value();
    EXPECT_EQ(stat.nr_descendants, 3U);
    EXPECT_EQ(stat.nr_dying_descendants, 7U);
}

TEST(CgroupStatParser, RejectsEmptyTruncatedOverflowAndGarbage) {
    for (const char* text : {"", "nr_descendants 3\n", "nr_descendants 3\nnr_dying_descendants ",
                             "nr_descendants 3\nnr_dying_descendants 18446744073709551616\n",
                             "nr_descendants 3\nnr_dying_descendants 7 \n"}) {
        EXPECT_TRUE(fails(parse_cgroup_stat(text))) << text;
    }
}

TEST(PidsParser, KeepsTheOrder) {
    EXPECT_THAT(parse_pids("12\n7\n2147483647\n").value(), ElementsAre(12, 7, 2147483647));
    EXPECT_THAT(parse_pids("5").value(), ElementsAre(5));
}

TEST(PidsParser, TakesAnEmptyCgroup) {
    EXPECT_THAT(parse_pids("").value(), IsEmpty());
}

TEST(PidsParser, RejectsForeignNamespacesOverflowAndGarbage) {
    for (const char* text : {"0\n", "1\n0\n", "2147483648\n", "-1\n", "1 2\n", "1\n\n2\n", "x\n"}) {
        EXPECT_TRUE(fails(parse_pids(text))) << text;
    }
}

} // namespace
} // namespace cgtide::cgroup
