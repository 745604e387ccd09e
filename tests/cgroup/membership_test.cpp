#include "cgroup/membership.hpp"
#include "cgroup/shared.hpp"
#include "tests/support/fake_tree.hpp"
#include "tests/support/results.hpp"

#include <array>

#include <gmock/gmock.h>
#include <unistd.h>

namespace cgtide::cgroup {
namespace {

using test::fails;
using ::testing::HasSubstr;
using ::testing::Optional;

TEST(AtOrBelow, ComparesWholeComponents) {
    EXPECT_TRUE(is_at_or_below("/web", "/web"));
    EXPECT_TRUE(is_at_or_below("/web/a1", "/web"));
    EXPECT_TRUE(is_at_or_below("/web/a1", "/"));
    EXPECT_TRUE(is_at_or_below("/", "/"));
    EXPECT_FALSE(is_at_or_below("/web2", "/web"));
    EXPECT_FALSE(is_at_or_below("/", "/web"));
    EXPECT_FALSE(is_at_or_below("/we", "/web"));
    EXPECT_FALSE(is_at_or_below("", "/"));
}

class Membership : public ::testing::Test {
protected:
    Membership() {
        tree_.add_group("/web/a1");
        tree_.add_process(41, "/web/a1", 777);
    }

    test::FakeTree tree_;
    KernelRoots roots_ = tree_.roots();
};

TEST_F(Membership, ReadsPathAndStart) {
    EXPECT_EQ(pid_cgroup(roots_.proc, 41).value(), "/web/a1");
    EXPECT_EQ(pid_start_time(roots_.proc, 41).value(), 777U);
}

TEST_F(Membership, AProcessThatIsNotThereIsGone) {
    EXPECT_TRUE(fails(pid_cgroup(roots_.proc, 42), Errc::gone));
    EXPECT_TRUE(fails(pid_start_time(roots_.proc, 42), Errc::gone));
    EXPECT_TRUE(fails(pid_cgroup(roots_.proc, -1), Errc::gone));
}

TEST_F(Membership, VerifiesAMember) {
    EXPECT_TRUE(verify_member(roots_.proc, 41, 777, "/web/a1"));
    EXPECT_TRUE(verify_member(roots_.proc, 41, 777, "/web"));
}

TEST_F(Membership, AReusedNumberIsGone) {
    EXPECT_TRUE(fails(verify_member(roots_.proc, 41, 776, "/web/a1"), Errc::gone));
}

TEST_F(Membership, AMovedProcessIsAConflict) {
    tree_.add_group("/web/a2");
    tree_.add_process(41, "/web/a2", 777);
    const auto result = verify_member(roots_.proc, 41, 777, "/web/a1");
    EXPECT_TRUE(fails(result, Errc::conflict));
    EXPECT_THAT(result.error().message(), HasSubstr("41 is in /web/a2, not in /web/a1"));
}

TEST_F(Membership, AProcessOfARemovedCgroupIsGone) {
    tree_.dir().write("proc/41/cgroup", "0::/web/a1 (deleted)\n");
    EXPECT_TRUE(fails(verify_member(roots_.proc, 41, 777, "/web/a1"), Errc::gone));
}

TEST_F(Membership, OpensByPath) {
    const auto id = open_group(roots_.cgroup, "/web/a1").value().id().value();
    EXPECT_EQ(id, tree_.dir().dir("sys/fs/cgroup/web/a1").id().value());
    EXPECT_EQ(open_group(roots_.cgroup, "/").value().id().value(), roots_.cgroup.id().value());
    EXPECT_TRUE(fails(open_group(roots_.cgroup, "/web/a9"), Errc::gone));
}

TEST_F(Membership, RefusesPathsThatAreNone) {
    for (const char* path : {"", "web", "//", "/web/", "/web//a1", "/../x", "/web/./a1", "/.."}) {
        EXPECT_TRUE(fails(open_group(roots_.cgroup, path), Errc::malformed)) << path;
    }
}

TEST_F(Membership, FollowsNoSymlink) {
    const std::string link = tree_.path() + "/sys/fs/cgroup/link";
    ASSERT_EQ(::symlink("web", link.c_str()), 0);
    EXPECT_FALSE(open_group(roots_.cgroup, "/link"));
}

class Shared : public ::testing::Test {
protected:
    std::optional<std::string> reason(std::string_view path, CgroupId id = {9}) const {
        return shared_reason({path, id, "/system/podman.service", "/cgtide", registered_});
    }

    std::array<Registered, 2> registered_{{{CgroupId{3}, "db"}, {CgroupId{4}, "we\nb"}}};
};

TEST_F(Shared, AContainersOwnIsFine) {
    EXPECT_EQ(reason("/machine/web"), std::nullopt);
    EXPECT_EQ(reason("/system/podman.service/inner"), std::nullopt);
    EXPECT_EQ(reason("/system/pod"), std::nullopt);
}

TEST_F(Shared, RefusesTheRoot) {
    EXPECT_THAT(reason("/"), Optional(HasSubstr("root cgroup")));
}

TEST_F(Shared, RefusesTheHooksAndItsAncestors) {
    EXPECT_THAT(reason("/system/podman.service"), Optional(HasSubstr("is the cgroup of the hook")));
    EXPECT_THAT(reason("/system"),
                Optional(HasSubstr("is an ancestor of the hook in /system/podman.service")));
}

TEST_F(Shared, RefusesTheEngines) {
    EXPECT_THAT(reason("/cgtide"), Optional(HasSubstr("is the cgroup of the engine")));
    const auto nested =
        shared_reason({"/system.slice", {9}, "", "/system.slice/cgtide.service", {}});
    EXPECT_THAT(nested, Optional(HasSubstr("is an ancestor of the engine")));
}

TEST_F(Shared, RefusesWhatAnotherContainerRegistered) {
    EXPECT_THAT(reason("/machine/web", CgroupId{4}),
                Optional(HasSubstr("registered by container we\\x0ab")));
}

TEST_F(Shared, UnknownPathsRefuseNothing) {
    EXPECT_EQ(shared_reason({"/machine/web", {9}, "", "", {}}), std::nullopt);
}

} // namespace
} // namespace cgtide::cgroup
