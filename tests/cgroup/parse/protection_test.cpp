#include "cgroup/parse/protection.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>

namespace cgtide::cgroup {
namespace {

constexpr std::uint64_t kMax = Bytes::kUnlimited;

/// A level whose min and low are alike.
ProtectionLevel level(std::uint64_t usage, std::uint64_t setting, std::uint64_t siblings = 0,
                      std::uint64_t parent_usage = 0) {
    return {{usage}, {setting}, {setting}, {siblings}, {siblings}, {parent_usage}};
}

struct Case {
    std::string name;
    std::vector<ProtectionLevel> levels;
    bool recursive;
    std::uint64_t expected;
};

class EffectiveProtection : public ::testing::TestWithParam<Case> {};

TEST_P(EffectiveProtection, FollowsTheKernel) {
    const Case& c = GetParam();
    const Protection found = effective_protection(c.levels, c.recursive);
    EXPECT_EQ(found.min.count, c.expected);
    EXPECT_EQ(found.low.count, c.expected);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, EffectiveProtection,
    ::testing::Values(
        Case{"root", {}, false, 0}, Case{"first_level_is_its_own", {level(10, 100)}, false, 100},
        Case{"first_level_max", {level(10, kMax)}, true, kMax},
        Case{"unprotected_parent_gives_nothing", {level(100, 0), level(50, 40, 40, 100)}, false, 0},
        Case{"unprotected_parent_recursive", {level(100, 0), level(50, 40, 40, 100)}, true, 0},
        Case{"child_within_parent", {level(100, 80), level(50, 40, 40, 100)}, false, 40},
        Case{"child_claims_only_what_it_uses", {level(100, 80), level(30, 40, 30, 100)}, false, 30},
        Case{
            "overcommitted_shared_by_claims", {level(200, 60), level(90, 90, 120, 200)}, false, 45},
        Case{"overcommitted_recursive_same", {level(200, 60), level(90, 90, 120, 200)}, true, 45},
        Case{"unclaimed_not_shared_without_option",
             {level(100, 80), level(50, 0, 0, 100)},
             false,
             0},
        Case{"unclaimed_shared_by_usage", {level(100, 80), level(50, 0, 0, 100)}, true, 40},
        // parent 80, claimed 20; 60 left for 80 of unprotected usage, 30 of it this cgroup's.
        Case{"claimed_plus_share_of_the_rest",
             {level(100, 80), level(50, 20, 20, 100)},
             true,
             20 + 60 * 30 / 80},
        Case{"idle_child_gets_no_share", {level(100, 80), level(20, 20, 20, 100)}, true, 20},
        Case{"three_levels",
             {level(400, 200), level(300, 100, 250, 400), level(100, 90, 160, 300)},
             false,
             90 * (100 * 200 / 250) / 160},
        Case{"parent_max", {level(100, kMax), level(50, 40, 40, 100)}, false, 40},
        Case{"child_max_is_its_usage", {level(100, 80), level(50, kMax, 50, 100)}, false, 50}),
    [](const auto& given) { return given.param.name; });

TEST(EffectiveProtectionLarge, DoesNotOverflow) {
    constexpr std::uint64_t kTebi = 1ULL << 40U;
    EXPECT_EQ(
        effective_protection(
            std::vector{level(9 * kTebi, 4 * kTebi), level(6 * kTebi, 6 * kTebi, 8 * kTebi)}, false)
            .min.count,
        3 * kTebi);
    EXPECT_GE(effective_protection(
                  std::vector{level(9 * kTebi, kMax), level(6 * kTebi, 0, 0, 6 * kTebi)}, true)
                  .low.count,
              kMax - 1);
}

TEST(EffectiveProtectionKinds, MinAndLowAreApart) {
    const ProtectionLevel parent{{100}, {10}, {80}, {}, {}, {}};
    const ProtectionLevel child{{50}, {20}, {30}, {20}, {30}, {100}};
    const Protection found = effective_protection(std::vector{parent, child}, false);
    EXPECT_EQ(found.min.count, 10U);
    EXPECT_EQ(found.low.count, 30U);
}

} // namespace
} // namespace cgtide::cgroup
