#include "cgroup/membership.hpp"
#include "cgroup/protection_reader.hpp"
#include "tests/support/fake_tree.hpp"

#include <filesystem>

#include <gmock/gmock.h>

namespace cgtide::cgroup {
namespace {

using ::testing::Optional;

class Limited : public ::testing::Test {
protected:
    Result<Limits> of(ProtectionReader& reader, const std::string& path) {
        auto group = open_group(tree_.roots().cgroup, path).and_then(Group::open);
        if (!group) {
            return tl::unexpected(group.error());
        }
        const auto usage = read_amount(*group, File::memory_current);
        auto limits = reader.of(path, *group, usage.value());
        container_reads_ = group->reads() - 1;
        return limits;
    }

    ProtectionReader reader(bool recursive = false) {
        return {std::move(tree_.roots().cgroup), recursive};
    }

    test::FakeTree tree_;
    std::uint64_t container_reads_ = 0;
};

TEST_F(Limited, AChildOfTheRootHasItsOwn) {
    tree_.add_group("/web", {.min = mebibytes(8), .low = mebibytes(16)});
    auto r = reader();
    const Limits limits = of(r, "/web").value();
    EXPECT_EQ(limits.protection.min, mebibytes(8));
    EXPECT_EQ(limits.protection.low, mebibytes(16));
    EXPECT_EQ(r.reads(), 0U);
}

TEST_F(Limited, BelowAnUnprotectedParentNothingHoldsAndNothingIsRead) {
    tree_.add_group("/pods");
    tree_.add_group("/pods/web", {.min = mebibytes(8), .low = mebibytes(16)});
    auto r = reader();
    r.begin_period();
    const Limits limits = of(r, "/pods/web").value();
    EXPECT_EQ(limits.protection.min.count, 0U);
    EXPECT_EQ(limits.protection.low.count, 0U);
    EXPECT_EQ(container_reads_, 1U);
}

TEST_F(Limited, SiblingsShareWhatTheParentHas) {
    tree_.add_group("/pods", {.usage = mebibytes(100), .min = mebibytes(30)});
    tree_.add_group("/pods/a", {.usage = mebibytes(40), .min = mebibytes(40)});
    tree_.add_group("/pods/b", {.usage = mebibytes(20), .min = mebibytes(99)});
    auto r = reader();
    r.begin_period();
    EXPECT_EQ(of(r, "/pods/a").value().protection.min, mebibytes(20));
    EXPECT_EQ(of(r, "/pods/b").value().protection.min, mebibytes(10));
}

TEST_F(Limited, UnclaimedProtectionIsSharedByUsageWhereTheMountSaysSo) {
    tree_.add_group("/pods", {.usage = mebibytes(100), .low = mebibytes(50)});
    tree_.add_group("/pods/a", {.usage = mebibytes(40)});
    tree_.add_group("/pods/b", {.usage = mebibytes(60)});
    auto plain = reader(false);
    EXPECT_EQ(of(plain, "/pods/a").value().protection.low.count, 0U);
    auto recursive = reader(true);
    EXPECT_EQ(of(recursive, "/pods/a").value().protection.low, mebibytes(20));
}

TEST_F(Limited, ThreeLevels) {
    tree_.add_group("/s", {.usage = mebibytes(400), .min = mebibytes(200)});
    tree_.add_group("/s/pods", {.usage = mebibytes(300), .min = mebibytes(100)});
    tree_.add_group("/s/pods/a", {.usage = mebibytes(100), .min = mebibytes(60)});
    auto r = reader();
    EXPECT_EQ(of(r, "/s/pods/a").value().protection.min, mebibytes(60));
}

TEST_F(Limited, AncestorsAreReadOnceAPeriodForAll) {
    tree_.add_group("/pods", {.usage = mebibytes(100), .min = mebibytes(30)});
    tree_.add_group("/pods/a");
    tree_.add_group("/pods/b");
    auto r = reader();
    r.begin_period();
    ASSERT_TRUE(of(r, "/pods/a"));
    const std::uint64_t once = r.reads();
    EXPECT_EQ(once, 4U + 2U * 3U); // the parent: usage, min, low, swap.max; each child: three
    ASSERT_TRUE(of(r, "/pods/b"));
    EXPECT_EQ(r.reads(), once);
    tree_.set("/pods", "memory.min", "0\n");
    EXPECT_EQ(of(r, "/pods/a").value().protection.min.count, 0U); // a's own min is 0
    EXPECT_EQ(r.reads(), once);
    r.begin_period();
    ASSERT_TRUE(of(r, "/pods/a"));
    EXPECT_EQ(r.reads(), once + 4U);
}

TEST_F(Limited, ANewPeriodSeesNewValues) {
    tree_.add_group("/pods", {.usage = mebibytes(100), .min = mebibytes(30)});
    tree_.add_group("/pods/a", {.usage = mebibytes(40), .min = mebibytes(40)});
    auto r = reader();
    EXPECT_EQ(of(r, "/pods/a").value().protection.min, mebibytes(30));
    tree_.set("/pods", "memory.min", std::to_string(mebibytes(35).count) + "\n");
    EXPECT_EQ(of(r, "/pods/a").value().protection.min, mebibytes(30));
    r.begin_period();
    EXPECT_EQ(of(r, "/pods/a").value().protection.min, mebibytes(35));
}

TEST_F(Limited, AParentThatIsRebornIsReadAnew) {
    tree_.add_group("/pods", {.min = mebibytes(30)});
    tree_.add_group("/pods/a", {.min = mebibytes(5)});
    auto r = reader();
    ASSERT_TRUE(of(r, "/pods/a"));
    tree_.remove_group("/pods");
    tree_.add_group("/pods", {.min = mebibytes(2)});
    tree_.add_group("/pods/a", {.min = mebibytes(5)});
    r.begin_period();
    // Plain files of a removed folder can still be read through a kept descriptor; after a period
    // without use the descriptor is closed.
    r.begin_period();
    EXPECT_EQ(of(r, "/pods/a").value().protection.min, mebibytes(2));
}

TEST_F(Limited, SwapHeadroomIsTheLeastOfAllLevels) {
    tree_.add_group("/pods", {.swap_usage = mebibytes(90), .swap_max = mebibytes(100)});
    tree_.add_group("/pods/a", {.swap_usage = mebibytes(20), .swap_max = mebibytes(50)});
    tree_.add_group("/pods/b", {.swap_usage = mebibytes(45), .swap_max = mebibytes(50)});
    tree_.add_group("/free");
    auto r = reader();
    EXPECT_THAT(of(r, "/pods/a").value().swap_headroom, Optional(mebibytes(10)));
    EXPECT_THAT(of(r, "/pods/b").value().swap_headroom, Optional(mebibytes(5)));
    EXPECT_THAT(of(r, "/free").value().swap_headroom, Optional(Bytes{Bytes::kUnlimited}));
}

TEST_F(Limited, SwapOverItsLimitLeavesNothing) {
    tree_.add_group("/web", {.swap_usage = mebibytes(60), .swap_max = mebibytes(50)});
    auto r = reader();
    EXPECT_THAT(of(r, "/web").value().swap_headroom, Optional(Bytes{0}));
}

TEST_F(Limited, WithoutSwapAccountingHeadroomIsUnknown) {
    tree_.add_group("/web");
    std::filesystem::remove(tree_.path() + "/sys/fs/cgroup/web/memory.swap.max");
    auto r = reader();
    EXPECT_EQ(of(r, "/web").value().swap_headroom, std::nullopt);
}

TEST_F(Limited, ASiblingThatIsHalfRemovedIsLeftOut) {
    tree_.add_group("/pods", {.usage = mebibytes(100), .min = mebibytes(30)});
    tree_.add_group("/pods/a", {.usage = mebibytes(40), .min = mebibytes(20)});
    tree_.add_group("/pods/b", {.usage = mebibytes(40), .min = mebibytes(40)});
    std::filesystem::remove(tree_.path() + "/sys/fs/cgroup/pods/b/memory.min");
    auto r = reader();
    EXPECT_EQ(of(r, "/pods/a").value().protection.min, mebibytes(20));
}

TEST_F(Limited, TheRootAndRelativePathsAreRefused) {
    tree_.add_group("/web");
    auto r = reader();
    auto group = open_group(tree_.roots().cgroup, "/web").and_then(Group::open);
    for (const char* path : {"/", "", "web"}) {
        const auto limits = r.of(path, *group, {});
        ASSERT_FALSE(limits) << path;
        EXPECT_EQ(limits.error().code, make_error_code(Errc::malformed));
    }
}

} // namespace
} // namespace cgtide::cgroup
