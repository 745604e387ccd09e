#include "cgroup/parse/nodes.hpp"
#include "tests/support/results.hpp"

#include <gmock/gmock.h>

namespace cgtide::cgroup {
namespace {

using test::fails;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(IdListParser, TakesNumbersAndRanges) {
    EXPECT_THAT(parse_id_list("0\n").value(), ElementsAre(0U));
    EXPECT_THAT(parse_id_list("0-2,7\n").value(), ElementsAre(0U, 1U, 2U, 7U));
    EXPECT_THAT(parse_id_list("7,1-2,2").value(), ElementsAre(1U, 2U, 7U));
    EXPECT_THAT(parse_id_list("8191").value(), ElementsAre(kMostIds));
}

TEST(IdListParser, AnEmptyLineIsNobody) {
    EXPECT_THAT(parse_id_list("\n").value(), IsEmpty());
    EXPECT_THAT(parse_id_list("").value(), IsEmpty());
}

TEST(IdListParser, RejectsAllElse) {
    for (const char* text : {",", "0,", ",0", "-", "0-", "-1", "2-1", "0-1-2", "a", "0 1", "0\n1\n",
                             "8192", "0-8192", "18446744073709551616", "+1", "0x1"}) {
        EXPECT_TRUE(fails(parse_id_list(text))) << text;
    }
}

TEST(NodeMeminfoParser, TakesTotalAndFree) {
    const auto memory = parse_node_meminfo("\nNode 1 MemTotal:         2048 kB\n"
                                           "Node 1 MemFree:          1024 kB\n"
                                           "Node 1 MemUsed:          1024 kB\n"
                                           "Node 1 HugePages_Total:     0\n");
    ASSERT_TRUE(memory);
    EXPECT_EQ(memory->total, mebibytes(2));
    EXPECT_EQ(memory->free, mebibytes(1));
}

TEST(NodeMeminfoParser, RejectsWhatIsMissingOrNoSize) {
    for (const char* text :
         {"", "Node 0 MemTotal: 1 kB\n", "Node 0 MemFree: 1 kB\n",
          "Node 0 MemTotal: 1 kB\nNode 0 MemFree: 1\n",
          "Node 0 MemTotal: 1 kB\nNode 0 MemFree:  kB\n",
          "Node 0 MemTotal: x kB\nNode 0 MemFree: 1 kB\n", "MemTotal: 1 kB\nMemFree: 1 kB\n",
          "Node 0 MemTotal: 18446744073709551615 kB\nNode 0 MemFree: 1 kB\n"}) {
        EXPECT_TRUE(fails(parse_node_meminfo(text))) << text;
    }
}

constexpr const char* kZones = "Node 0, zone      DMA\n"
                               "  per-node stats\n"
                               "      nr_inactive_anon 739\n"
                               "  pages free     3840\n"
                               "        boost    0\n"
                               "        min      66\n"
                               "        low      82\n"
                               "        high     98\n"
                               "    cpu: 0\n"
                               "              count:    1\n"
                               "              high:     378\n"
                               "Node 0, zone    DMA32\n"
                               "        high     1002\n"
                               "Node 1, zone   Normal\n"
                               "        high     7\n";

TEST(ZoneinfoParser, AddsUpTheZonesOfANode) {
    EXPECT_THAT(parse_watermarks(kZones).value(),
                ElementsAre(std::pair(0U, 1100U), std::pair(1U, 7U)));
    EXPECT_THAT(parse_watermarks("").value(), IsEmpty());
}

TEST(ZoneinfoParser, CountsWhatAZoneKeepsFromProcessesUpToAllOfIt) {
    EXPECT_THAT(parse_watermarks("Node 0, zone      DMA\n"
                                 "        high     98\n"
                                 "        managed  3840\n"
                                 "        protection: (0, 3018, 11338, 11338, 11338)\n"
                                 "Node 0, zone    DMA32\n"
                                 "        high     1000\n"
                                 "        managed  700000\n"
                                 "        protection: (0, 0, 8320, 8320, 8320)\n")
                    .value(),
                ElementsAre(std::pair(0U, 3840U + 9320U)));
}

TEST(ZoneinfoParser, RejectsAllElse) {
    for (const char* text :
         {"        high     98\n", "Node x, zone DMA\n", "Node 0\n  high x\n",
          "Node 0, zone DMA\n  high -1\n", "Node 8192, zone DMA\n",
          "Node 0, zone DMA\n  high 18446744073709551615\nNode 0, zone DMA32\n"
          "  high 1\n",
          "Node 0, zone DMA\n  high 18446744073709551615\nNode 0, zone DMA32\n"
          "  high 1\nNode 1, zone DMA\n",
          "Node 0, zone DMA\n  managed x\n", "Node 0, zone DMA\n  protection: (0, x)\n",
          "Node 0, zone DMA\n  protection: 0, 1\n"}) {
        EXPECT_TRUE(fails(parse_watermarks(text))) << text;
    }
}

TEST(DistanceParser, TakesANumberForEachNode) {
    EXPECT_THAT(parse_distances("10 20 31\n").value(), ElementsAre(10U, 20U, 31U));
    EXPECT_THAT(parse_distances("\n").value(), IsEmpty());
}

TEST(DistanceParser, RejectsAllElse) {
    for (const char* text : {"10 x\n", "10  20\n", "-1\n", "10\n20\n", "4294967296\n"}) {
        EXPECT_TRUE(fails(parse_distances(text))) << text;
    }
}

} // namespace
} // namespace cgtide::cgroup
