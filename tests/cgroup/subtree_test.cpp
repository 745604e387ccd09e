#include "cgroup/membership.hpp"
#include "cgroup/subtree.hpp"
#include "tests/support/fake_tree.hpp"

#include <filesystem>

#include <gmock/gmock.h>

namespace cgtide::cgroup {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class SubtreeWalk : public ::testing::Test {
protected:
    SubtreeWalk() {
        for (const char* path : {"/web", "/web/a", "/web/a/leaf", "/web/b", "/web2"}) {
            tree_.add_group(path);
        }
        tree_.add_process(41, "/web/a/leaf");
        tree_.add_process(42, "/web/a/leaf");
        tree_.add_process(43, "/web");
    }

    Dir top(const std::string& path = "/web") {
        return std::move(open_group(tree_.roots().cgroup, path).value());
    }

    static std::vector<std::string> paths(const Subtree& tree) {
        std::vector<std::string> names;
        for (const SubtreeNode& node : tree.nodes) {
            names.push_back(node.path);
        }
        return names;
    }

    test::FakeTree tree_;
};

TEST_F(SubtreeWalk, FindsAllBelowAndItself) {
    const Subtree found = walk_subtree(top(), "/web").value();
    EXPECT_THAT(paths(found), ElementsAre("/web", "/web/a", "/web/a/leaf", "/web/b"));
    EXPECT_TRUE(found.complete);
    EXPECT_EQ(found.nodes[1].id, tree_.dir().dir("sys/fs/cgroup/web/a").id().value());
    EXPECT_THAT(found.nodes[2].pids, IsEmpty());
}

TEST_F(SubtreeWalk, ListsPidsWhereAsked) {
    const Subtree found = walk_subtree(top(), "/web", {.excluded = {}, .with_pids = true}).value();
    EXPECT_THAT(found.nodes[0].pids, ElementsAre(43));
    EXPECT_THAT(found.nodes[2].pids, ElementsAre(41, 42));
}

TEST_F(SubtreeWalk, CutsOutExcludedCgroups) {
    const CgroupId inner = tree_.dir().dir("sys/fs/cgroup/web/a").id().value();
    const Subtree found = walk_subtree(top(), "/web", {.excluded = {inner}}).value();
    EXPECT_THAT(paths(found), ElementsAre("/web", "/web/b"));
    EXPECT_TRUE(found.complete);
}

TEST_F(SubtreeWalk, AnExcludedTopIsStillWalked) {
    const Dir dir = top();
    const Subtree found = walk_subtree(dir, "/web", {.excluded = {dir.id().value()}}).value();
    EXPECT_EQ(found.nodes.size(), 4U);
}

TEST_F(SubtreeWalk, DepthIsBounded) {
    const Subtree found =
        walk_subtree(top(), "/web", {.excluded = {}, .with_pids = false, .max_depth = 1}).value();
    EXPECT_THAT(paths(found), ElementsAre("/web", "/web/a", "/web/b"));
    EXPECT_FALSE(found.complete);
}

TEST_F(SubtreeWalk, NumberIsBounded) {
    SubtreeOptions options;
    options.max_nodes = 2;
    const Subtree found = walk_subtree(top(), "/web", options).value();
    EXPECT_THAT(paths(found), ElementsAre("/web", "/web/a"));
    EXPECT_FALSE(found.complete);
}

TEST_F(SubtreeWalk, AChildThatVanishesIsLeftOut) {
    // Its files go first, as a half-removed cgroup looks to a walk that has its name already.
    std::filesystem::remove(tree_.path() + "/sys/fs/cgroup/web/a/cgroup.procs");
    const Subtree found = walk_subtree(top(), "/web", {.excluded = {}, .with_pids = true}).value();
    EXPECT_THAT(paths(found), ElementsAre("/web", "/web/b"));
}

TEST_F(SubtreeWalk, ARemovedTopIsGone) {
    const Dir dir = top();
    tree_.remove_group("/web");
    const auto found = walk_subtree(dir, "/web", {.excluded = {}, .with_pids = true});
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, make_error_code(Errc::gone));
}

TEST_F(SubtreeWalk, PathsBelowTheRootHaveOneSlash) {
    const Subtree found = walk_subtree(top("/"), "/").value();
    EXPECT_THAT(paths(found), ElementsAre("/", "/web", "/web/a", "/web/a/leaf", "/web/b", "/web2"));
}

} // namespace
} // namespace cgtide::cgroup
