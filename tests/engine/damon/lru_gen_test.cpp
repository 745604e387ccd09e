#include "engine/damon/lru_gen.hpp"
#include "tests/support/fake_mglru.hpp"
#include "tests/support/temp_dir.hpp"

#include <string>

#include <gmock/gmock.h>

namespace cgtide::damon {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Key;
using ::testing::SizeIs;

/// As a guest with two nodes printed it.
constexpr std::string_view kText = R"(memcg     1 /
 node     0
          0      70931          0         1023
          1      70931        120          311
memcg    28 /web/a b
 node     0
          3       6012      20490            0
          4       4008          0           12
          5       2004      12292            0
          6          0          0            0
 node     1
          0      60000          7            0
)";

TEST(LruGen, GivesGenerationsByPathAndNode) {
    const auto groups = parse_lru_gen(kText);
    ASSERT_TRUE(groups) << groups.error().message();
    EXPECT_THAT(*groups, ElementsAre(Key("/"), Key("/web/a b")));
    const GroupGenerations& web = groups->at("/web/a b");
    EXPECT_EQ(web.id, 28U);
    ASSERT_THAT(web.nodes, SizeIs(2));
    EXPECT_THAT(web.nodes[0].generations,
                ElementsAre(Generation{3, Microseconds(6'012'000), 20490, 0},
                            Generation{4, Microseconds(4'008'000), 0, 12},
                            Generation{5, Microseconds(2'004'000), 12292, 0},
                            Generation{6, Microseconds(0), 0, 0}));
    EXPECT_EQ(web.nodes[1].node, 1U);
    EXPECT_TRUE(parse_lru_gen("")->empty());
}

TEST(LruGen, APathThatStandsTwiceIsUnknown) {
    const auto groups = parse_lru_gen("memcg 7 /web\n node 0\n 0 1 2 3\n"
                                      "memcg 9 /web\n node 0\n 0 1 2 3\n"
                                      "memcg 8 /db\n node 0\n 0 1 2 3\n");
    ASSERT_TRUE(groups) << groups.error().message();
    EXPECT_THAT(*groups, ElementsAre(Key("/db")));
}

TEST(LruGen, RefusesWhatItDoesNotUnderstand) {
    for (const char* text : {
             "node 0\n",                                          // of no cgroup
             "memcg 7 /web\n 0 1 2 3\n",                          // of no node
             "memcg 7 /web\n node 0\n",                           // no generation
             "memcg 7 /web\n node 0\nmemcg 8 /db\n",              // ... of the first
             "memcg x /web\n", "memcg 7\n", "memcg 7 \n",         // no id, no path
             "memcg 7 /web\n node x\n",                           // no node
             "memcg 7 /web\n node 0\n 0 1 2\n",                   // a column less
             "memcg 7 /web\n node 0\n 0 1 2 3 4\n",               // ... and more
             "memcg 7 /web\n node 0\n 0 -1 2 3\n",                // below 0
             "memcg 7 /web\n node 0\n 1 1 2 3\n 1 1 2 3\n",       // not rising
             "memcg 7 /web\n node 0\n 0 99999999999999999 2 3\n", // does not fit
         }) {
        const auto groups = parse_lru_gen(text);
        ASSERT_FALSE(groups) << text;
        EXPECT_EQ(groups.error().code, Errc::malformed) << text;
    }
}

TEST(LruGen, TellsUseOnlyWherePageTablesAreWalked) {
    for (const char* text : {"0x0007\n", "0x0003", "3", "0xf\n"}) {
        EXPECT_TRUE(walks_page_tables(text)) << text;
    }
    for (const char* text : {"0x0005\n", "0x0002", "0x0000\n", "", "0x", "y\n", "0x7z", "-1",
                             "0x100000000000000007"}) {
        EXPECT_FALSE(walks_page_tables(text)) << text;
    }
}

TEST(LruGen, NamesWhatIsMissing) {
    const test::TempDir dir;
    const auto none = LruGen::open(*Dir::open(dir.path()));
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, Errc::unsupported);
    EXPECT_THAT(none.error().message(), HasSubstr("no MGLRU"));
    dir.write("kernel/mm/lru_gen/enabled", "0x0007\n");
    const auto file = LruGen::open(*Dir::open(dir.path()));
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().code, Errc::unsupported);
    EXPECT_THAT(file.error().message(), HasSubstr("/sys/kernel/debug/lru_gen"));
    EXPECT_THAT(file.error().message(), HasSubstr("debugfs"));
}

TEST(LruGen, ReadsTheFileAnewAndWritesOneCommandAWalk) {
    const test::TempDir dir;
    dir.write("kernel/debug/lru_gen", kText);
    dir.write("kernel/mm/lru_gen/enabled", "0x0007\n");
    auto file = LruGen::open(*Dir::open(dir.path()));
    ASSERT_TRUE(file) << file.error().message();
    EXPECT_THAT(*file->read(), SizeIs(2));
    EXPECT_THAT(*file->read(), SizeIs(2));
    ASSERT_TRUE(file->age(28, 1, 6));
    EXPECT_THAT(dir.read("kernel/debug/lru_gen"), testing::StartsWith("+ 28 1 6 200 1"));
}

TEST(LruGen, WritesOneCommandAnEviction) {
    EXPECT_EQ(eviction_text({28, 1, 4, 1024, true}), "- 28 1 4 max 1024");
    EXPECT_EQ(eviction_text({28, 1, 4, 1024, false}), "- 28 1 4 200 1024");
    const test::TempDir dir;
    dir.write("kernel/debug/lru_gen", kText);
    dir.write("kernel/mm/lru_gen/enabled", "0x0007\n");
    auto file = LruGen::open(*Dir::open(dir.path()));
    ASSERT_TRUE(file) << file.error().message();
    ASSERT_TRUE(file->evict({28, 0, 4, 7, true}));
    EXPECT_THAT(dir.read("kernel/debug/lru_gen"), testing::StartsWith("- 28 0 4 max 7"));
}

TEST(LruGen, FindsOutWhatIsEvictedByAskingForNothing) {
    test::FakeMglru::State state;
    state.generations.back().number = 3; // as a cgroup begins
    test::FakeMglru kernel(state);
    const EvictionSupport both = probe_eviction(kernel);
    EXPECT_TRUE(both.present);
    EXPECT_TRUE(both.anon_only);
    ASSERT_THAT(state.evictions, SizeIs(1));
    EXPECT_EQ(state.evictions[0].pages, 0U);
    state.takes_max = false;
    const EvictionSupport first = probe_eviction(kernel);
    EXPECT_TRUE(first.present);
    EXPECT_FALSE(first.anon_only);
    EXPECT_THAT(first.detail, HasSubstr("anonymous memory first"));
    EXPECT_EQ(state.evictions.back().pages, 0U);
    state.refusals = {EPERM, EPERM};
    const EvictionSupport refused = probe_eviction(kernel);
    EXPECT_FALSE(refused.present);
    EXPECT_THAT(refused.detail, HasSubstr("not permitted"));
    state.named = false;
    EXPECT_FALSE(probe_eviction(kernel).present);
    EXPECT_THAT(probe_eviction(kernel).detail, HasSubstr("no cgroup"));
}

TEST(LruGen, SaysThatItsWalksAreOff) {
    const test::TempDir dir;
    dir.write("kernel/debug/lru_gen", kText);
    dir.write("kernel/mm/lru_gen/enabled", "0x0005\n");
    const auto off = LruGen::open(*Dir::open(dir.path()));
    ASSERT_FALSE(off);
    EXPECT_EQ(off.error().code, Errc::unsupported);
    EXPECT_THAT(off.error().message(), HasSubstr("/sys/kernel/mm/lru_gen/enabled is 0x0005: "));
    dir.write("kernel/mm/lru_gen/enabled", "0x0007\n");
    auto file = LruGen::open(*Dir::open(dir.path()));
    ASSERT_TRUE(file) << file.error().message();
    dir.write("kernel/mm/lru_gen/enabled", "0x0000\n"); // somebody turns it off
    const auto reading = file->read();
    ASSERT_FALSE(reading);
    EXPECT_EQ(reading.error().code, Errc::unsupported);
}

TEST(LruGenEnabled, TellsWhetherMglruIsOn) {
    EXPECT_TRUE(is_mglru_on("0x0007\n"));
    EXPECT_TRUE(is_mglru_on("0x0001\n"));
    EXPECT_FALSE(is_mglru_on("0x0006\n"));
    EXPECT_FALSE(is_mglru_on("0x0000\n"));
    EXPECT_TRUE(is_mglru_on("on\n"));
    EXPECT_TRUE(is_mglru_on(""));
}

} // namespace
} // namespace cgtide::damon
