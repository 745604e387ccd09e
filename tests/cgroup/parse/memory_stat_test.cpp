#include "cgroup/parse/memory_stat.hpp"
#include "tests/support/results.hpp"

#include <string>

#include <gmock/gmock.h>

namespace cgtide::cgroup {
namespace {

using test::fails;
using ::testing::HasSubstr;

TEST(MemoryStatParser, TakesEachKey) {
    const MemoryStat stat =
        parse_memory_stat("anon 1\nfile 2\nkernel 3\nkernel_stack 99\nshmem 4\nfile_mapped 5\n"
                          "file_dirty 6\nfile_writeback 7\nswapcached 8\ninactive_anon 9\n"
                          "active_anon 10\ninactive_file 11\nactive_file 12\nunevictable 13\n"
                          "slab_reclaimable 14\nworkingset_refault_anon 15\n"
                          "workingset_refault_file 16\nworkingset_activate_anon 17\n"
                          "workingset_activate_file 18\npgscan 19\npgsteal 20\npgfault 21\n"
                          "pgmajfault 22\n")
            .value();
    const std::array<std::uint64_t, 22> values{stat.anon.count,
                                               stat.file.count,
                                               stat.kernel.count,
                                               stat.shmem.count,
                                               stat.file_mapped.count,
                                               stat.file_dirty.count,
                                               stat.file_writeback.count,
                                               stat.swapcached.count,
                                               stat.inactive_anon.count,
                                               stat.active_anon.count,
                                               stat.inactive_file.count,
                                               stat.active_file.count,
                                               stat.unevictable.count,
                                               stat.slab_reclaimable.count,
                                               stat.workingset_refault_anon,
                                               stat.workingset_refault_file,
                                               stat.workingset_activate_anon,
                                               stat.workingset_activate_file,
                                               stat.pgscan,
                                               stat.pgsteal,
                                               stat.pgfault,
                                               stat.pgmajfault};
    for (std::size_t i = 0; i < values.size(); ++i) {
        EXPECT_EQ(values[i], i + 1);
    }
}

TEST(MemoryStatParser, CountersThatTheKernelLacksAreZero) {
    const MemoryStat stat = parse_memory_stat("anon 1\nfile 2\n").value();
    EXPECT_EQ(stat.pgscan, 0U);
    EXPECT_EQ(stat.kernel.count, 0U);
}

TEST(MemoryStatParser, TakesKeysInAnyOrderAndWithAnyOfThemMissing) {
    const MemoryStat stat =
        parse_memory_stat("pgfault 4\nfile 2\nactive_anon 3\nanon 1\nshmem 5\n").value();
    EXPECT_EQ(stat.anon.count, 1U);
    EXPECT_EQ(stat.file.count, 2U);
    EXPECT_EQ(stat.active_anon.count, 3U);
    EXPECT_EQ(stat.pgfault, 4U);
    EXPECT_EQ(stat.shmem.count, 5U);
    // A key is a whole word: neither its begin nor its end is one.
    EXPECT_EQ(parse_memory_stat("anon 1\nfile 2\nkernel_stack 9\nxkernel 8\n")->kernel.count, 0U);
}

TEST(MemoryStatParser, SkipsLinesThatItDoesNotUse) {
    EXPECT_TRUE(parse_memory_stat("anon 1\nfile 2\nthp_new_thing a b c\n\n"));
}

TEST(MemoryStatParser, RejectsEmptyTruncatedOverflowAndGarbage) {
    for (const char* text : {"", "file 2\n", "anon 1\n", "anon 1\nfile", "anon 1\nfile \n",
                             "anon 1\nfile -2\n", "anon 1\nfile 2 kB\n",
                             "anon 1\nfile 18446744073709551616\n", "anon 1\nfile 2\npgscan x\n"}) {
        EXPECT_TRUE(fails(parse_memory_stat(text))) << text;
    }
}

TEST(MemoryStatParser, EscapesWhatItQuotes) {
    const auto result = parse_memory_stat("anon \x1b[31m\nfile 2\n");
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().message(), HasSubstr("\\x1b[31m"));
}

TEST(ProactiveReclaim, IsTwoKeysOfManyThatMayBeMissing) {
    const auto counts =
        parse_proactive_reclaim("anon 5\npgdemote_proactive 82\npgsteal_proactive 90\n").value();
    EXPECT_EQ(counts.demoted, 82U);
    EXPECT_EQ(counts.stolen, 90U);
    EXPECT_TRUE(fails(parse_proactive_reclaim("anon 5\npgsteal_proactive 90\n")));
    EXPECT_TRUE(fails(parse_proactive_reclaim("pgdemote_proactive 82\n")));
    EXPECT_TRUE(fails(parse_proactive_reclaim("pgdemote_proactive x\npgsteal_proactive 90\n")));
}

TEST(NumaStatParser, TakesBytesByNode) {
    const auto nodes =
        parse_numa_stat("anon N0=4096 N1=8192\nfile N0=0 N1=1\nkernel_stack N0=5 N1=6\n").value();
    ASSERT_EQ(nodes.size(), 2U);
    EXPECT_EQ(nodes.at(0).anon.count, 4096U);
    EXPECT_EQ(nodes.at(1).anon.count, 8192U);
    EXPECT_EQ(nodes.at(1).file.count, 1U);
}

TEST(NumaStatParser, KeepsNodeNumbersWithGaps) {
    const auto nodes = parse_numa_stat("anon N0=1 N4=2\nfile N0=1 N4=3\n").value();
    EXPECT_EQ(nodes.at(4).file.count, 3U);
    EXPECT_FALSE(nodes.contains(1));
}

TEST(NumaStatParser, RejectsEmptyTruncatedOverflowAndGarbage) {
    for (const char* text :
         {"", "anon N0=1\n", "file N0=1\n", "anon N0=1\nfile N0\n", "anon N0=1\nfile N0=\n",
          "anon N0=1\nfile 0=1\n", "anon N0=1\nfile N=1\n", "anon N0=1\nfile Nx=1\n",
          "anon N0=1\nfile N0=1 x\n", "anon N0=1\nfile N0=1  N1=1\n",
          "anon N0=1\nfile N4294967296=1\n", "anon N0=1\nfile N0=18446744073709551616\n"}) {
        EXPECT_TRUE(fails(parse_numa_stat(text))) << text;
    }
}

} // namespace
} // namespace cgtide::cgroup
