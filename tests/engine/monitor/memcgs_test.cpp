#include "cgroup/membership.hpp"
#include "engine/monitor/memcgs.hpp"
#include "tests/support/fake_tree.hpp"

#include <algorithm>
#include <memory>

#include <gmock/gmock.h>

namespace cgtide::monitor {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Memcgs : public ::testing::Test {
protected:
    Memcgs() { tree_.add_group("/web", {.usage = mebibytes(64)}); }

    Wish wish() {
        if (!group_) {
            group_ = std::make_shared<cgroup::Group>(
                cgroup::Group::open(
                    std::move(cgroup::open_group(tree_.roots().cgroup, "/web").value()))
                    .value());
        }
        return {group_->id(), group_, "/web", {}};
    }

    std::vector<std::string> paths(const Wish& of, std::span<const damon::Memcg> known = {}) {
        std::vector<std::string> found;
        const auto memcgs = largest_memcgs(of, known);
        for (const damon::Memcg& memcg : memcgs.value()) {
            found.push_back(memcg.path);
        }
        std::sort(found.begin(), found.end());
        return found;
    }

    test::FakeTree tree_;
    std::shared_ptr<cgroup::Group> group_;
};

TEST_F(Memcgs, AreTheSubtreesWithoutThoseOfLittleMemory) {
    tree_.add_group("/web/leaf", {.usage = mebibytes(8)});
    tree_.add_group("/web/little", {.usage = kibibytes(64)});
    tree_.add_group("/web2", {.usage = mebibytes(64)});
    EXPECT_THAT(paths(wish()), ElementsAre("/web", "/web/leaf"));
}

TEST_F(Memcgs, LeaveOtherContainersOut) {
    Wish outer = wish();
    outer.excluded.insert(tree_.add_group("/web/inner", {.usage = mebibytes(8)}));
    EXPECT_THAT(paths(outer), ElementsAre("/web"));
}

TEST_F(Memcgs, AreSixteenAndThoseThatAreKnownStayUntilOthersHaveTwiceAsMuch) {
    const CgroupId known = tree_.add_group("/web/known", {.usage = mebibytes(2)});
    for (int i = 0; i < 20; ++i) {
        tree_.add_group("/web/" + std::to_string(10 + i), {.usage = mebibytes(3)});
    }
    EXPECT_EQ(largest_memcgs(wish(), {}).value().size(), 16U);
    EXPECT_THAT(paths(wish()), testing::Not(testing::Contains("/web/known")));
    const std::vector<damon::Memcg> before{{known, "/web/known"}};
    EXPECT_THAT(paths(wish(), before), testing::Contains("/web/known"));
}

TEST_F(Memcgs, OfAContainerThatEndedAreNone) {
    const Wish ended = wish();
    tree_.remove_group("/web");
    const auto found = largest_memcgs(ended, {});
    ASSERT_TRUE(found) << found.error().message();
    EXPECT_THAT(*found, testing::IsEmpty());
}

TEST_F(Memcgs, AreKeptToTheNodesOfTheirCpuset) {
    EXPECT_TRUE(may_use_node(*wish().group, 1)) << "it has no cpuset";
    tree_.set("/web", "cpuset.mems.effective", "0,2-3\n");
    EXPECT_TRUE(may_use_node(*wish().group, 0));
    EXPECT_FALSE(may_use_node(*wish().group, 1));
    EXPECT_TRUE(may_use_node(*wish().group, 3));
}

TEST_F(Memcgs, MayAllUseNodesWhereNoCpusetForbidsOne) {
    tree_.add_group("/web/inner");
    const std::vector<unsigned> nodes{1, 2};
    EXPECT_TRUE(may_use_nodes(wish(), nodes)) << "they have no cpuset";
    tree_.set("/web", "cpuset.mems.effective", "0-2\n");
    tree_.set("/web/inner", "cpuset.mems.effective", "1-2\n");
    EXPECT_TRUE(may_use_nodes(wish(), nodes));
    tree_.set("/web/inner", "cpuset.mems.effective", "0-1\n");
    EXPECT_FALSE(may_use_nodes(wish(), nodes));
}

} // namespace
} // namespace cgtide::monitor
