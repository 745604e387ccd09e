#include "cgroup/base/text.hpp"
#include "cgroup/hierarchy/hierarchy.hpp"
#include "cgroup/hierarchy/layout.hpp"
#include "tests/support/fake_tree.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <unistd.h>

namespace cgtide::hierarchy {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

const cgroup::CgroupMount kUnified{"/sys/fs/cgroup", "/", true, true};

TEST(Layout, UnifiedWithMemory) {
    const std::array<MountedController, 2> mounted{
        {{"cpu", "/sys/fs/cgroup"}, {"memory", "/sys/fs/cgroup"}}};
    const auto layout = make_layout(kUnified, mounted).value();
    EXPECT_EQ(layout.mode, Mode::unified);
    EXPECT_EQ(layout.mount, "/sys/fs/cgroup");
    EXPECT_THAT(layout.controllers, ElementsAre("cpu", "memory"));
    EXPECT_TRUE(layout.recursive_protection);
    EXPECT_TRUE(layout.nsdelegate);
}

TEST(Layout, HybridWithMemoryInV2) {
    const std::array<MountedController, 2> mounted{
        {{"cpu", "/sys/fs/cgroup/cpu"}, {"memory", "/sys/fs/cgroup/unified"}}};
    const auto layout =
        make_layout(cgroup::CgroupMount{"/sys/fs/cgroup/unified", "/", false, false}, mounted);
    ASSERT_TRUE(layout);
    EXPECT_EQ(layout->mode, Mode::hybrid);
    EXPECT_THAT(layout->controllers, ElementsAre("memory"));
}

TEST(Layout, NamesAMissingHierarchy) {
    const auto layout = make_layout(std::nullopt, {});
    ASSERT_FALSE(layout);
    EXPECT_EQ(layout.error().code, make_error_code(Errc::unsupported));
    EXPECT_THAT(layout.error().message(), HasSubstr("no cgroup2 file system is mounted"));
}

TEST(Layout, NamesWhereTheMemoryControllerIsInstead) {
    const std::array<MountedController, 1> mounted{{{"memory", "/sys/fs/cgroup/memory"}}};
    const auto layout = make_layout(kUnified, mounted);
    ASSERT_FALSE(layout);
    EXPECT_EQ(layout.error().code, make_error_code(Errc::unsupported));
    EXPECT_THAT(layout.error().message(),
                AllOf(HasSubstr("memory controller is missing"),
                      HasSubstr("it is bound to v1 at /sys/fs/cgroup/memory")));
}

TEST(Layout, NamesADisabledMemoryController) {
    const std::array<MountedController, 1> mounted{{{"cpu", "/sys/fs/cgroup"}}};
    const auto layout = make_layout(kUnified, mounted);
    ASSERT_FALSE(layout);
    EXPECT_THAT(layout.error().message(),
                AllOf(HasSubstr("does not offer it"), HasSubstr("cgroup_disable=memory"),
                      Not(HasSubstr("bound to v1"))));
}

TEST(GroupName, IsOnePlainComponent) {
    EXPECT_TRUE(check_group_name("cgtide"));
    for (const std::string& name :
         {std::string(), std::string("."), std::string(".."), std::string("a/b"), std::string("/a"),
          std::string("a\nb"), std::string("a\0b", 3), std::string(256, 'a')}) {
        EXPECT_FALSE(check_group_name(name)) << name;
    }
}

TEST(FileHierarchy, DiscoversAPreparedTree) {
    test::FakeTree tree;
    const auto layout = file_hierarchy(tree.path())->discover();
    ASSERT_TRUE(layout) << layout.error().message();
    EXPECT_EQ(layout->mount, "/sys/fs/cgroup");
    EXPECT_EQ(layout->mode, Mode::unified);
    EXPECT_THAT(layout->controllers, ElementsAre("cpuset", "cpu", "io", "memory", "pids"));
    EXPECT_TRUE(layout->recursive_protection);
}

TEST(FileHierarchy, NamesWhatAPreparedTreeLacks) {
    test::FakeTree tree;
    tree.set("/", "cgroup.controllers", "\n");
    const auto without_memory = file_hierarchy(tree.path())->discover();
    ASSERT_FALSE(without_memory);
    EXPECT_EQ(without_memory.error().code, make_error_code(Errc::unsupported));
    tree.dir().write("proc/self/mountinfo", "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n");
    const auto without_v2 = file_hierarchy(tree.path())->discover();
    ASSERT_FALSE(without_v2);
    EXPECT_EQ(without_v2.error().code, make_error_code(Errc::unsupported));
    test::TempDir empty;
    EXPECT_FALSE(file_hierarchy(empty.path())->discover());
}

TEST(FileHierarchy, MakesAndRemovesTheOwnGroup) {
    test::FakeTree tree;
    const auto hierarchy = file_hierarchy(tree.path());
    auto own = hierarchy->make_own_group("cgtide");
    ASSERT_TRUE(own) << own.error().message();
    EXPECT_EQ((*own)->path(), "/cgtide");
    EXPECT_EQ(tree.get("/cgtide", "cgroup.procs"), std::to_string(::getpid()) + "\n");
    EXPECT_TRUE((*own)->remove());
    EXPECT_FALSE(std::filesystem::exists(tree.path() + "/sys/fs/cgroup/cgtide"));
    EXPECT_TRUE((*own)->remove());
}

TEST(FileHierarchy, TheDestructorRemovesAndALeftGroupIsTaken) {
    test::FakeTree tree;
    tree.dir().write("sys/fs/cgroup/cgtide/cgroup.procs", "99999\n");
    { ASSERT_TRUE(file_hierarchy(tree.path())->make_own_group("cgtide")); }
    EXPECT_FALSE(std::filesystem::exists(tree.path() + "/sys/fs/cgroup/cgtide"));
}

TEST(FileHierarchy, RefusesBadNames) {
    test::FakeTree tree;
    EXPECT_FALSE(file_hierarchy(tree.path())->make_own_group("../x"));
}

/// Mount points of cgroup2 in /proc/mounts.
std::vector<std::string> v2_mounts() {
    std::vector<std::string> found;
    std::ifstream mounts("/proc/mounts");
    for (std::string line; std::getline(mounts, line);) {
        const auto fields = split(line, ' ');
        if (fields.size() > 2 && fields[2] == "cgroup2") {
            found.emplace_back(fields[1]);
        }
    }
    return found;
}

// The running kernel may be any: the answer must agree with what it shows elsewhere.
TEST(KernelHierarchy, AgreesWithProcMounts) {
    const auto layout = kernel_hierarchy()->discover();
    const auto mounts = v2_mounts();
    std::string offered;
    if (!mounts.empty()) {
        std::ifstream file(mounts.front() + "/cgroup.controllers");
        std::getline(file, offered);
    }
    const auto names = split(offered, ' ');
    const bool has_memory = std::find(names.begin(), names.end(), "memory") != names.end();
    ASSERT_EQ(layout.has_value(), has_memory);
    if (layout) {
        EXPECT_THAT(mounts, Contains(layout->mount));
        EXPECT_THAT(layout->controllers, Contains("memory"));
    } else {
        EXPECT_EQ(layout.error().code, make_error_code(Errc::unsupported));
        EXPECT_THAT(layout.error().message(),
                    HasSubstr(mounts.empty() ? "no cgroup2" : mounts.front()));
    }
}

TEST(KernelHierarchy, AnswersTheSameAgain) {
    const auto hierarchy = kernel_hierarchy();
    const auto first = hierarchy->discover();
    const auto second = hierarchy->discover();
    ASSERT_EQ(first.has_value(), second.has_value());
    if (first) {
        EXPECT_EQ(first->controllers, second->controllers);
        EXPECT_EQ(first->mount, second->mount);
    } else {
        EXPECT_EQ(first.error().message(), second.error().message());
    }
}

} // namespace
} // namespace cgtide::hierarchy
