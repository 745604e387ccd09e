#include "cgroup/parse/proc.hpp"
#include "tests/support/results.hpp"

#include <gmock/gmock.h>

namespace cgtide::cgroup {
namespace {

using test::fails;

TEST(PidCgroupParser, TakesTheV2LineOfAHybridNode) {
    EXPECT_EQ(parse_pid_cgroup("4:memory:/other\n1:name=systemd:/\n0::/web/a1\n").value(),
              "/web/a1");
    EXPECT_EQ(parse_pid_cgroup("0::/").value(), "/");
    EXPECT_EQ(parse_pid_cgroup("0::/a..b/with space:colon\n").value(), "/a..b/with space:colon");
}

TEST(PidCgroupParser, RejectsEmptyTruncatedAndRelativePaths) {
    for (const char* text : {"", "\n", "0:", "0::", "0::\n", "0::web\n", "4:memory:/web\n"}) {
        EXPECT_TRUE(fails(parse_pid_cgroup(text))) << text;
    }
    EXPECT_TRUE(fails(parse_pid_cgroup(std::string_view("0::/a\0b\n", 8))));
}

TEST(PidCgroupParser, RejectsPathsOutOfTheNamespace) {
    EXPECT_TRUE(fails(parse_pid_cgroup("0::/..\n")));
    EXPECT_TRUE(fails(parse_pid_cgroup("0::/../other\n")));
}

TEST(PidCgroupParser, ARemovedCgroupIsGone) {
    EXPECT_TRUE(fails(parse_pid_cgroup("0::/web (deleted)\n"), Errc::gone));
}

constexpr const char* kAfterComm =
    " S 1 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 123456 4096 1\n";

TEST(StartTimeParser, TakesField22) {
    EXPECT_EQ(parse_start_time(std::string("42 (cat)") + kAfterComm).value(), 123456U);
}

TEST(StartTimeParser, TheNameMayHoldSpacesAndParentheses) {
    for (const char* name : {"(a b)", "(a) S 1 2 3)", "())", "(\n)", "(((()"}) {
        EXPECT_EQ(parse_start_time(std::string("42 ") + name + kAfterComm).value(), 123456U)
            << name;
    }
}

TEST(PidStatParser, AddsMinorAndMajorFaultsAndKindsOfCpuTime) {
    const auto stat =
        parse_pid_stat("42 (a) b) S 1 42 42 0 -1 4194560 11 900 31 900 5 6 7 8 20 0 1 0 77 1")
            .value();
    EXPECT_EQ(stat.faults, 42U);
    EXPECT_EQ(stat.start, 77U);
    EXPECT_EQ(stat.cpu_ticks, 11U);
    EXPECT_TRUE(
        fails(parse_pid_stat("42 (a) S 1 42 42 0 -1 4194560 -1 9 31 9 5 6 7 8 20 0 1 0 77 1")));
}

TEST(StartTimeParser, RejectsEmptyTruncatedOverflowAndGarbage) {
    const std::string front = "42 (cat) S 1 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0";
    for (const std::string& text :
         {std::string(), std::string("42 (cat"), std::string("42 (cat)"), front, front + " ",
          front + " x", front + " -5 1", front + " 18446744073709551616 1", front + "\n123456"}) {
        EXPECT_TRUE(fails(parse_start_time(text))) << text;
    }
}

TEST(MemInfoParser, TakesKilobytes) {
    const MemInfo info =
        parse_meminfo("MemTotal:        2048 kB\nMemFree:         1024 kB\nMemAvailable: 1500 kB\n"
                      "HugePages_Total:       0\nSwapTotal:  10 kB\nSwapFree:  9 kB\n")
            .value();
    EXPECT_EQ(info.total, mebibytes(2));
    EXPECT_EQ(info.free, mebibytes(1));
    EXPECT_EQ(info.available, kibibytes(1500));
    EXPECT_EQ(info.swap_total, kibibytes(10));
    EXPECT_EQ(info.swap_free, kibibytes(9));
}

TEST(MemInfoParser, RejectsEmptyTruncatedOverflowAndGarbage) {
    for (const char* text :
         {"", "MemTotal: 1 kB\n", "MemFree: 1 kB\n", "MemTotal: 1 kB\nMemFree", "MemTotal:\n",
          "MemTotal: 1 kB\nMemFree: 1\n", "MemTotal: 1 MB\nMemFree: 1 kB\n",
          "MemTotal: 18014398509481984 kB\nMemFree: 1 kB\n", "MemTotal: 1 kB\nMemFree: 1 kB x\n",
          "MemTotal: -1 kB\nMemFree: 1 kB\n"}) {
        EXPECT_TRUE(fails(parse_meminfo(text))) << text;
    }
}

constexpr const char* kRootMount = "22 1 8:1 / / rw shared:1 master:2 - ext4 /dev/sda1 rw\n";

TEST(CgroupMountParser, TakesTheFirstCgroup2Mount) {
    const auto mount =
        parse_cgroup_mount(std::string(kRootMount) +
                           "29 22 0:25 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
                           "30 22 0:26 /pod /my\\040cg rw shared:9 - cgroup2 cgroup2 "
                           "rw,nsdelegate,memory_recursiveprot\n"
                           "31 22 0:26 / /later rw - cgroup2 cgroup2 rw\n")
            .value();
    ASSERT_TRUE(mount);
    EXPECT_EQ(mount->path, "/my cg");
    EXPECT_EQ(mount->root, "/pod");
    EXPECT_TRUE(mount->recursive_protection);
    EXPECT_TRUE(mount->nsdelegate);
}

TEST(CgroupMountParser, OptionsMayBeMissing) {
    const auto mount = parse_cgroup_mount("30 22 0:26 / /cg rw - cgroup2 none rw\n").value();
    ASSERT_TRUE(mount);
    EXPECT_FALSE(mount->recursive_protection);
    EXPECT_FALSE(mount->nsdelegate);
}

TEST(CgroupMountParser, NulloptWithoutOne) {
    EXPECT_EQ(parse_cgroup_mount("").value(), std::nullopt);
    EXPECT_EQ(parse_cgroup_mount(kRootMount).value(), std::nullopt);
}

TEST(CgroupMountParser, RejectsLinesWithTooFewFields) {
    for (const char* text : {"\n", "x\n", "30 22 0:26 / /cg rw\n", "30 22 0:26 / /cg rw -\n",
                             "30 22 0:26 / /cg rw - cgroup2 none\n", "- cgroup2 none rw\n"}) {
        EXPECT_TRUE(fails(parse_cgroup_mount(text))) << text;
    }
}

TEST(CgroupMountParser, KeepsBackslashesThatAreNoEscapes) {
    const auto mount =
        parse_cgroup_mount("30 22 0:26 / /a\\134b\\9\\777\\04 rw - cgroup2 none rw\n").value();
    EXPECT_EQ(mount->path, "/a\\b\\9\\777\\04");
}

} // namespace
} // namespace cgtide::cgroup
