#include "cgroup/parse/maps.hpp"
#include "tests/support/results.hpp"

#include <string>

#include <gmock/gmock.h>

namespace cgtide::cgroup {
namespace {

using test::fails;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(MapsParser, TakesEveryField) {
    const auto maps = parse_maps("5653c85ce000-5653c85d0000 r-xp 00002000 fe:10 247498      "
                                 "               /usr/bin/a b\n")
                          .value();
    Mapping expected;
    expected.start = 0x5653c85ce000;
    expected.end = 0x5653c85d0000;
    expected.offset = 0x2000;
    expected.inode = 247498;
    expected.device = 0xfeU << 20U | 0x10U;
    expected.readable = true;
    expected.executable = true;
    expected.name = "/usr/bin/a b";
    EXPECT_THAT(maps, ElementsAre(expected));
}

TEST(MapsParser, TakesAnonymousSharedAndSpecialMappings) {
    const auto maps = parse_maps("1000-2000 rw-s 00000000 00:01 5 /dev/zero (deleted)\n"
                                 "2000-3000 ---p 00000000 00:00 0 \n"
                                 "3000-4000 rw-p 00000000 00:00 0\n"
                                 "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 "
                                 "                 [vsyscall]")
                          .value();
    ASSERT_EQ(maps.size(), 4U);
    EXPECT_TRUE(maps[0].shared && maps[0].writable);
    EXPECT_EQ(maps[0].name, "/dev/zero (deleted)");
    EXPECT_FALSE(maps[1].readable || maps[1].writable || maps[1].executable || maps[1].shared);
    EXPECT_EQ(maps[1].name, "");
    EXPECT_EQ(maps[2].name, "");
    EXPECT_EQ(maps[3].name, "[vsyscall]");
    EXPECT_EQ(maps[3].end, 0xffffffffff601000U);
}

TEST(MapsParser, NothingIsNoMapping) {
    EXPECT_THAT(parse_maps("").value(), IsEmpty());
}

TEST(MapsParser, RejectsTruncatedLinesOverflowAndGarbage) {
    for (const char* text : {"\n",
                             "1000",
                             "1000-2000",
                             "1000-2000 rw-p",
                             "1000-2000 rw-p 0",
                             "1000-2000 rw-p 0 0:0",
                             "1000-2000 rw-p 0 0:0 ",
                             "1000-2000 rw-p 0 0:0 x",
                             "1000-2000 rw-p 0 0:0 -1",
                             "1000-2000 rw-p 0 0:0 18446744073709551616",
                             "10000000000000000-2 rw-p 0 0:0 0",
                             "1000_2000 rw-p 0 0:0 0",
                             "-2000 rw-p 0 0:0 0",
                             "1000-2000 rwxq 0 0:0 0",
                             "1000-2000 rwxpp 0 0:0 0",
                             "1000-2000 rwx 0 0:0 0",
                             "1000-2000 rw-p g 0:0 0",
                             "1000-2000 rw-p 0 0 0",
                             "1000-2000 rw-p 0 fff0:0 0",
                             "1000-2000 rw-p 0 0:100000 0",
                             "1000-2000  rw-p 0 0:0 0",
                             "0x1000-0x2000 rw-p 0 0:0 0"}) {
        EXPECT_TRUE(fails(parse_maps(text))) << text;
    }
}

TEST(MapsParser, RejectsEmptyAndBackwardMappings) {
    EXPECT_TRUE(fails(parse_maps("1000-1000 rw-p 0 0:0 0\n")));
    EXPECT_TRUE(fails(parse_maps("2000-1000 rw-p 0 0:0 0\n")));
    EXPECT_TRUE(fails(parse_maps("1000-3000 rw-p 0 0:0 0\n2000-4000 rw-p 0 0:0 0\n")));
}

TEST(MapsParser, NamesTheBadLine) {
    const auto maps = parse_maps("1000-2000 rw-p 0 0:0 0\n3000-\x1b[31m\n");
    ASSERT_FALSE(maps);
    EXPECT_THAT(maps.error().message(), ::testing::HasSubstr("3000-\\x1b[31m"));
}

TEST(MapsParser, IsBounded) {
    const std::string text = "1000-2000 rw-p 0 0:0 0\n2000-3000 rw-p 0 0:0 0\n";
    EXPECT_EQ(parse_maps(text, 2).value().size(), 2U);
    EXPECT_TRUE(fails(parse_maps(text, 1), Errc::out_of_range));
}

TEST(StatmParser, TakesSizeAndResident) {
    const Resident statm = parse_statm("2000 150 100 5 0 300 0\n").value();
    EXPECT_EQ(statm.size, 2000U);
    EXPECT_EQ(statm.resident, 150U);
    EXPECT_EQ(parse_statm("0 0 0 0 0 0 0\n").value().size, 0U);
}

TEST(StatmParser, RejectsEmptyTruncatedOverflowAndGarbage) {
    for (const char* text :
         {"", "\n", "1", "1 ", "x 1", "1 x", "-1 2", "1 18446744073709551616", "1\n2"}) {
        EXPECT_TRUE(fails(parse_statm(text))) << text;
    }
}

} // namespace
} // namespace cgtide::cgroup
