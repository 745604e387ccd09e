#include "engine/monitor/physical_choice.hpp"

#include <gmock/gmock.h>

namespace cgtide::monitor {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::uint64_t kGiBInMiB = 1024;

PhysicalNeed need(std::uint64_t id, std::uint64_t mib, bool is_watched = false) {
    return {CgroupId{id}, mebibytes(mib), 1, is_watched};
}

std::vector<PhysicalNeed> many(std::size_t count) {
    std::vector<PhysicalNeed> needs;
    for (std::size_t i = 1; i <= count; ++i) {
        needs.push_back(need(i, 100 + i));
    }
    return needs;
}

TEST(PhysicalChoice, TakesThoseWithTheMostBytes) {
    const auto choice = choose_physical(many(20), mebibytes(2 * kGiBInMiB));
    ASSERT_THAT(choice.chosen, SizeIs(8));
    EXPECT_EQ(choice.chosen.front(), CgroupId{13});
    EXPECT_EQ(choice.chosen.back(), CgroupId{20});
    EXPECT_EQ(choice.period, Microseconds(10'000'000));
}

TEST(PhysicalChoice, LeavesOutWhoHasLittle) {
    EXPECT_THAT(choose_physical({need(1, 7), need(2, 8)}, mebibytes(kGiBInMiB)).chosen,
                ElementsAre(CgroupId{2}));
    EXPECT_THAT(choose_physical({need(1, 3, true), need(2, 4, true)}, mebibytes(kGiBInMiB)).chosen,
                ElementsAre(CgroupId{2}));
    EXPECT_THAT(choose_physical({}, mebibytes(kGiBInMiB)).chosen, IsEmpty());
}

TEST(PhysicalChoice, WhoIsWatchedStaysUntilAnotherHasTwiceAsMuch) {
    std::vector<PhysicalNeed> needs = many(8);
    needs.push_back(need(9, 60, true));
    EXPECT_THAT(choose_physical(needs, mebibytes(kGiBInMiB)).chosen,
                ::testing::Contains(CgroupId{9}));
    needs.back() = need(9, 50, true);
    EXPECT_THAT(choose_physical(needs, mebibytes(kGiBInMiB)).chosen,
                ::testing::Not(::testing::Contains(CgroupId{9})));
}

TEST(PhysicalChoice, CountsTakeOneHundredthOfAProcessor) {
    // 40 GiB times counts take 10 s, and at most a minute is waited for the sake of others.
    const auto at = [](std::uint64_t gib) {
        return choose_physical(many(8), mebibytes(gib * kGiBInMiB));
    };
    EXPECT_EQ(at(16).period, Microseconds(32'000'000));
    EXPECT_THAT(at(16).chosen, SizeIs(8));
    EXPECT_THAT(at(64).chosen, SizeIs(3));
    EXPECT_EQ(at(64).period, Microseconds(48'000'000));
    EXPECT_THAT(at(512).chosen, ElementsAre(CgroupId{8}));
    EXPECT_EQ(at(512).period, Microseconds(128'000'000));
    EXPECT_EQ(at(1U << 20U).period, Microseconds(600'000'000));
}

TEST(PhysicalChoice, AContainerWithTwoClassesOfPagesTakesTheRoomOfTwo) {
    std::vector<PhysicalNeed> needs = many(20);
    for (PhysicalNeed& one : needs) {
        one.counts = 2;
    }
    EXPECT_THAT(choose_physical(needs, mebibytes(kGiBInMiB)).chosen, SizeIs(4));
}

} // namespace
} // namespace cgtide::monitor
