#include "cgroup/parse/numa_maps.hpp"

#include <gmock/gmock.h>

namespace cgtide::cgroup {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(NumaMapsParser, FindsMappingsThatAProcessPlacesItself) {
    const auto found = parse_own_placement(
        "55d3c8a00000 default file=/usr/bin/cat mapped=6 N0=6 kernelpagesize_kB=4\n"
        "7f0000000000 bind:0 anon=2 dirty=2 N0=2 kernelpagesize_kB=4\n"
        "7f0000100000 prefer (many):0-1\n"
        "7f0000200000 default\n"
        "7f0000300000 local stack\n"
        "7f0000400000 interleave:0-1 anon=1\n");
    ASSERT_TRUE(found) << found.error().message();
    EXPECT_THAT(*found, ElementsAre(OwnPlacement{0x7f0000000000, 0x7f0000200000},
                                    OwnPlacement{0x7f0000400000, UINT64_MAX}));
}

TEST(NumaMapsParser, AnEmptyFileHasNone) {
    EXPECT_THAT(parse_own_placement("").value(), IsEmpty());
}

TEST(NumaMapsParser, RejectsAllElse) {
    for (const char* text :
         {"\n", "7f00\n", "7f00 \n", "x default\n", " default\n", "7f00 default\n7f00 default\n",
          "7f00 default\n1000 bind:0\n", "10000000000000000 default\n", "-1 default\n"}) {
        const auto found = parse_own_placement(text);
        EXPECT_TRUE(!found && found.error().code == make_error_code(Errc::malformed)) << text;
    }
}

} // namespace
} // namespace cgtide::cgroup
