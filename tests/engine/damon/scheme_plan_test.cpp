#include "engine/damon/scheme_plan.hpp"
#include "tests/engine/damon/targets.hpp"
#include "tests/engine/damon/writes.hpp"

#include <string>

#include <gmock/gmock.h>

namespace cgtide::damon {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::SizeIs;

using test::kBatch;
using test::kHole;
using test::kWeb;
using test::lines;

Target large_target(TargetKey key) {
    return {.key = key,
            .pid = static_cast<int>(100 + key),
            .pid_start = 5,
            .ranges = {{8192, 1U << 30}}};
}

PageOut page_out(TargetKey key, CgroupId container = kWeb) {
    return {.container = container,
            .pid = static_cast<int>(100 + key),
            .pid_start = 5,
            .ranges = {{0x10000, 0x20000}, {0x40000, 0x50000}},
            .least_age = 9,
            .bytes = 0x8000,
            .rounds = 6,
            .stall = {.measured = 3, .target = 1000}};
}

SchemeOptions scheme_options(bool with_stat = false, bool with_goals = true) {
    return {with_stat, with_goals, Intervals{}};
}

TEST(SchemePlan, AllowsTheRangesOfOneAddressSpaceAndRejectsAllElse) {
    const Seats seats{kHole, large_target(1), kHole, large_target(2)};
    const std::vector<Scheme> schemes{{page_out(2), 24}};
    const std::string most_int = "4294967295";
    const std::string most_long = "18446744073709551615";
    EXPECT_THAT(
        lines(plan_schemes(schemes, seats, scheme_options())),
        ElementsAre(
            "Snr_schemes=1", "S0/action=pageout", "S0/Psz/min=4096", "S0/Psz/max=" + most_long,
            "S0/Page/min=9", "S0/Page/max=" + most_int, "S0/Fnr_filters=3", "S0/F0/type=target",
            "S0/F0/damon_target_idx=3", "S0/F0/matching=N", "S0/F0/allow=N", "S0/F1/type=addr",
            "S0/F1/addr_start=65536", "S0/F1/addr_end=131072", "S0/F1/matching=Y", "S0/F1/allow=Y",
            "S0/F2/type=addr", "S0/F2/addr_start=262144", "S0/F2/addr_end=327680",
            "S0/F2/matching=Y", "S0/F2/allow=Y", "S0/Qbytes=32768", "S0/Qreset_interval_ms=900",
            "S0/Qweights/age_permil=1000", "S0/Qgoal_tuner=temporal", "S0/Qgoals/nr_goals=1",
            "S0/Qgoals/0/target_metric=user_input", "S0/Qgoals/0/target_value=1000",
            "S0/Qgoals/0/current_value=3", "S0/stats/max_nr_snapshots=24"));
}

TEST(SchemePlan, TheSchemeThatIsReadStaysTheFirst) {
    const Seats seats{kHole, large_target(1), large_target(2)};
    const std::vector<Scheme> schemes{{page_out(1), 24}, {page_out(2, kBatch), 12}};
    const auto text = lines(plan_schemes(schemes, seats, scheme_options(true)));
    EXPECT_EQ(text.front(), "Snr_schemes=3");
    EXPECT_THAT(text, IsSupersetOf({"S0/action=stat", "S1/F0/damon_target_idx=1",
                                    "S1/stats/max_nr_snapshots=24", "S2/F0/damon_target_idx=2",
                                    "S2/stats/max_nr_snapshots=12"}));
    EXPECT_EQ(plan_schemes({}, seats, scheme_options(true)), stat_scheme());
    EXPECT_THAT(lines(plan_schemes({}, seats, scheme_options())), ElementsAre("Snr_schemes=0"));
}

TEST(SchemePlan, WithoutGoalsOrATargetThereIsNone) {
    const Seats seats{kHole, large_target(1)};
    PageOut what = page_out(1);
    for (const bool with_goals : {false, true}) {
        what.stall.target = with_goals ? 0 : 1000;
        for (const std::string& line : lines(plan_schemes(std::vector<Scheme>{{what, 1}}, seats,
                                                          scheme_options(false, with_goals)))) {
            EXPECT_EQ(line.find("goal"), std::string::npos) << line;
        }
    }
}

TEST(SchemePlan, WhoHasNoSeatIsNobodysIndex) {
    const std::vector<Scheme> schemes{{page_out(9), 1}};
    const Seats seats{kHole, large_target(1)};
    EXPECT_THAT(lines(plan_schemes(schemes, seats, scheme_options())),
                ::testing::Contains("S0/F0/damon_target_idx=2"));
}

TEST(SchemePlan, ANumberThatIsAnothersNowIsNotMeant) {
    PageOut other = page_out(1);
    other.pid_start = 6;
    const std::vector<Target> targets{large_target(1), large_target(2)};
    EXPECT_THAT(seated(std::vector{other, page_out(2)}, targets), ElementsAre(page_out(2)));
    EXPECT_THAT(seated(std::vector{other}, targets), IsEmpty());
}

TEST(CarryOn, ANewSchemeLastsForTwiceItsRoundsWithoutUs) {
    const Seats one{kHole, large_target(1)};
    const auto schemes = carry_on({}, {}, std::vector{page_out(1)}, one);
    ASSERT_THAT(schemes, SizeIs(1));
    EXPECT_EQ(schemes[0].last, 12U); // of one target: 12 rounds; with ours beside it 6
    const Seats many{kHole, large_target(1), large_target(2), large_target(3)};
    EXPECT_EQ(carry_on({}, {}, std::vector{page_out(1)}, many)[0].last, 36U);
    const Seats holes{kHole, kHole, kHole, large_target(1)};
    EXPECT_EQ(carry_on({}, {}, std::vector{page_out(1)}, holes)[0].last, 24U);
}

TEST(CarryOn, OneThatStaysEndsWhenItWouldHave) {
    const Seats seats{kHole, large_target(1), large_target(2)};
    const auto first = carry_on({}, {}, std::vector{page_out(1), page_out(2, kBatch)}, seats);
    // The first one goes, and the second takes its index and its count.
    const std::vector<std::uint64_t> counts{10, 4};
    const auto next = carry_on(first, counts, std::vector{page_out(2, kBatch)}, seats);
    ASSERT_THAT(next, SizeIs(1));
    EXPECT_EQ(next[0].last, 10 + (first[1].last - 4));
    // A new one comes behind it: the kernel begins to count.
    const std::vector<std::uint64_t> later{15};
    const auto last = carry_on(next, later, std::vector{page_out(2, kBatch), page_out(1)}, seats);
    EXPECT_EQ(last[0].last, next[0].last);
    EXPECT_EQ(last[1].last, 24U);
}

TEST(CarryOn, OneThatHasEndedBeginsNotAnew) {
    const Seats seats{kHole, large_target(1), large_target(2)};
    const std::vector<Scheme> held{{page_out(1), 24}, {page_out(2), 24}};
    const std::vector<std::uint64_t> counts{0, 24};
    const auto next = carry_on(held, counts, std::vector{page_out(2)}, seats);
    EXPECT_EQ(next[0].last, 1U); // 0 would be without end
}

} // namespace
} // namespace cgtide::damon
