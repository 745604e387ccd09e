#include "engine/damon/tried_regions.hpp"
#include "tests/engine/damon/targets.hpp"
#include "tests/support/fake_damon.hpp"

#include <cerrno>

#include <gmock/gmock.h>

namespace cgtide::damon {

bool operator==(const Round& a, const Round& b) {
    return a.key == b.key && a.at == b.at && a.regions == b.regions;
}

namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using test::kHole;
constexpr TimePoint kAt{std::chrono::seconds(7)};

Region region(std::uint64_t start, std::uint64_t end, std::uint32_t accesses = 0) {
    return {{start, end}, accesses, 3};
}

Target seat(TargetKey key, const std::vector<Range>& ranges) {
    return {.key = key, .pid = static_cast<int>(key), .pid_start = 0, .ranges = ranges};
}

bool is_malformed(const Seats& seats, const std::vector<Region>& regions) {
    const auto rounds = rounds_of(seats, {kAt, regions});
    return !rounds && rounds.error().code == make_error_code(Errc::malformed);
}

TEST(RoundsOfTriedRegions, FollowTheTargetsInTheirOrder) {
    // Two processes may have the same addresses, and the later ones the lower.
    const Seats seats{kHole, seat(5, {{100, 200}, {300, 400}}), kHole, seat(3, {{100, 200}}),
                      seat(4, {{50, 60}})};
    const auto rounds = rounds_of(
        seats, {kAt,
                {region(4096, 8192), region(100, 150, 2), region(150, 200), region(300, 400, 9),
                 region(4096, 8192), region(100, 200, 1), region(50, 60)}});
    ASSERT_TRUE(rounds) << rounds.error().message();
    EXPECT_THAT(
        *rounds,
        ElementsAre(Round{5, kAt, {region(100, 150, 2), region(150, 200), region(300, 400, 9)}},
                    Round{3, kAt, {region(100, 200, 1)}}, Round{4, kAt, {region(50, 60)}}));
}

TEST(RoundsOfTriedRegions, NothingIsGuessedWhereTheyAreNotThoseThatWereSet) {
    const Seats seats{kHole, seat(5, {{100, 200}})};
    const Region hole = region(4096, 8192);
    EXPECT_TRUE(is_malformed(seats, {}));
    EXPECT_TRUE(is_malformed(seats, {hole})) << "a target is missing";
    EXPECT_TRUE(is_malformed(seats, {hole, region(100, 150)})) << "its end is missing";
    EXPECT_TRUE(is_malformed(seats, {hole, region(100, 150), region(160, 200)})) << "a gap";
    EXPECT_TRUE(is_malformed(seats, {hole, region(100, 210)})) << "beyond its end";
    EXPECT_TRUE(is_malformed(seats, {hole, region(100, 100), region(100, 200)})) << "empty";
    EXPECT_TRUE(is_malformed(seats, {hole, region(100, 200), region(300, 400)})) << "one more";
    EXPECT_THAT(rounds_of({}, {kAt, {}}).value(), IsEmpty());
}

TEST(RoundsOfTriedRegions, WhatAnotherSchemeCutOffIsToldOnce) {
    const Seats seats{kHole, seat(5, {{100, 200}}), seat(6, {{100, 300}})};
    const auto rounds = rounds_of(
        seats, {kAt,
                {region(4096, 8192), region(100, 160), region(130, 160), region(160, 200),
                 region(170, 200), region(180, 200), region(100, 300), region(250, 300)}});
    ASSERT_TRUE(rounds) << rounds.error().message();
    EXPECT_THAT(*rounds, ElementsAre(Round{5, kAt, {region(100, 160), region(160, 200)}},
                                     Round{6, kAt, {region(100, 300)}}));
    EXPECT_TRUE(is_malformed({kHole, seat(5, {{100, 200}})},
                             {region(4096, 8192), region(100, 150), region(120, 200)}))
        << "more than was cut off";
}

/// A slot that runs with the scheme.
class TriedRegionsOfASlot : public ::testing::Test {
protected:
    TriedRegionsOfASlot() {
        kernel_.add_process(42);
        kernel_.add_process(107);
        write("nr_kdamonds", "1");
        PlanOptions options;
        options.sentinel = 42;
        options.with_scheme = true;
        change_ = plan_start(std::vector{target_}, options);
        for (const Write& one : change_.writes) {
            write(slot_path(0, one.path), one.text);
        }
        write("0/state", "on");
    }

    void write(const std::string& path, std::string_view text) {
        const auto done = tree_.write(path, text);
        ASSERT_TRUE(done) << done.error().message();
    }

    test::FakeDamon kernel_;
    Tree tree_{kernel_.tree(), Microseconds(0)};
    Target target_{.key = 7, .pid = 107, .pid_start = 100, .ranges = {{1U << 20U, 9U << 20U}}};
    Commit change_;
};

TEST_F(TriedRegionsOfASlot, AreReadWholeAndBelongToTheTarget) {
    const auto tried = read_tried_regions(tree_, 0);
    ASSERT_TRUE(tried) << tried.error().message();
    EXPECT_GT(tried->at, TimePoint{});
    const auto rounds = rounds_of(change_.seats, *tried).value();
    ASSERT_EQ(rounds.size(), 1U);
    EXPECT_EQ(rounds[0].key, 7U);
    EXPECT_EQ(rounds[0].regions.front(), (Region{{1U << 20U, 2U << 20U}, 7, 0}));
    EXPECT_EQ(rounds[0].regions.size(), 8U);
    EXPECT_EQ(read_tried_regions(tree_, 0)->regions, tried->regions) << "no more the second time";
}

TEST_F(TriedRegionsOfASlot, AFailureSaysWhichFile) {
    kernel_.fail("state", EBUSY);
    const auto busy = read_tried_regions(tree_, 0);
    ASSERT_FALSE(busy);
    EXPECT_THAT(busy.error().message(), ::testing::HasSubstr("update_schemes_tried_regions"));
    kernel_.poke("0/state", "off");
    EXPECT_FALSE(read_tried_regions(tree_, 0));
}

} // namespace
} // namespace cgtide::damon
