#include "engine/monitor/page_out.hpp"
#include "tests/support/sizes.hpp"
#include "tests/support/times.hpp"

#include <gmock/gmock.h>

namespace cgtide::monitor {
namespace {

using damon::Range;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using test::kMiB;
using test::kSecond;

PageOutOrder order(const std::vector<model::ColdSpace>& spaces, Microseconds idle = 10 * kSecond,
                   Microseconds period = 6 * kSecond) {
    return {.container = CgroupId{7},
            .spaces = spaces,
            .idle = idle,
            .period = period,
            .pressure = BasisPoints{10}};
}

TEST(PageOutOrders, AreASchemeForEachAddressSpace) {
    const std::vector<model::ColdSpace> spaces{
        {101, 5, {{kMiB, 31 * kMiB, kSecond}, {40 * kMiB, 50 * kMiB, kSecond}}},
        {102, 6, {{kMiB, 11 * kMiB, kSecond}}}};
    const auto outs = page_outs(order(spaces), kSecond);
    ASSERT_THAT(outs, SizeIs(2));
    EXPECT_EQ(outs[0].container, CgroupId{7});
    EXPECT_EQ(outs[0].pid, 101);
    EXPECT_EQ(outs[0].pid_start, 5U);
    EXPECT_THAT(outs[0].ranges, ElementsAre(Range{kMiB, 31 * kMiB}, Range{40 * kMiB, 50 * kMiB}));
    EXPECT_THAT(outs[1].ranges, ElementsAre(Range{kMiB, 11 * kMiB}));
    EXPECT_THAT(page_outs(order({}), kSecond), IsEmpty());
}

TEST(PageOutOrders, TakeTheirPartInEachAggregationAndAllWithinThePeriod) {
    const std::vector<model::ColdSpace> spaces{{101, 5, {{kMiB, 31 * kMiB, kSecond}}},
                                               {102, 6, {{kMiB, 11 * kMiB, kSecond}}}};
    for (const int seconds : {1, 2, 6, 60}) {
        const auto outs = page_outs(order(spaces, kSecond, seconds * kSecond), kSecond);
        const std::uint64_t parts = outs[0].rounds - 1; // the first ends after an aggregation
        EXPECT_GE(outs[0].rounds, 2U);
        EXPECT_LE(outs[0].rounds, static_cast<std::uint64_t>(std::max(seconds, 2)));
        EXPECT_GE(outs[0].bytes * parts, 30 * kMiB);
        EXPECT_GE(outs[1].bytes * parts, 10 * kMiB);
        EXPECT_LE((outs[0].bytes + outs[1].bytes) * parts, 40 * kMiB + 2 * 4096 * parts);
        EXPECT_EQ(outs[0].bytes % 4096, 0U);
    }
}

TEST(PageOutOrders, AWorkerIsNeverAtItForLong) {
    const std::vector<model::ColdSpace> spaces{{101, 5, {{kMiB, 10'000 * kMiB, kSecond}}}};
    EXPECT_LE(page_outs(order(spaces), kSecond).at(0).bytes, kMostOfRound.count + 4096);
}

TEST(PageOutOrders, DamonItselfMustHaveSeenItIdle) {
    const std::vector<model::ColdSpace> spaces{{101, 5, {{kMiB, 2 * kMiB, kSecond}}}};
    const auto least_age = [&](Microseconds idle) {
        return page_outs(order(spaces, idle), kSecond).at(0).least_age;
    };
    // At the end of its first aggregation without an access the age of a region is 0.
    EXPECT_EQ(least_age(10 * kSecond), 9U);
    EXPECT_EQ(least_age(10 * kSecond + Microseconds(1)), 10U);
    EXPECT_EQ(least_age(Microseconds(0)), 0U);
}

TEST(PageOutOrders, HoldFromTheSmallestPressureOn) {
    const std::vector<model::ColdSpace> spaces{{101, 5, {{kMiB, 2 * kMiB, kSecond}}}};
    PageOutOrder one = order(spaces);
    EXPECT_EQ(page_outs(one, kSecond).at(0).stall.target, 1000U); // of 1 s at 0.1 %
    EXPECT_EQ(page_outs(one, kSecond).at(0).stall.measured, 0U);
    one.pressure = BasisPoints{0};
    EXPECT_EQ(page_outs(one, kSecond).at(0).stall.target, 1U); // 0 would be without end
    EXPECT_EQ(stall_of(BasisPoints{10'000}), 1'000'000U);
}

} // namespace
} // namespace cgtide::monitor
