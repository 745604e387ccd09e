#include "hook/facts.hpp"
#include "tests/support/temp_dir.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

namespace cgtide::hook {
namespace {

using testing::HasSubstr;

class HookFacts : public testing::Test {
protected:
    HookFacts() {
        dir_.write("proc/7/cgroup", "1:memory:/v1\n0::/web/a1\n");
        dir_.write("proc/7/stat", "7 (a) b)) S 1 7 7 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 99 0\n");
        dir_.write("proc/self/cgroup", "0::/system/runtime\n");
        dir_.write("proc/sys/kernel/random/boot_id", "b6d0c1a0\n");
        dir_.make("sys/fs/cgroup/web/a1");
    }
    Result<Facts> look() { return look_up(dir_.path() + "/", 7); }
    std::string error() {
        const auto facts = look();
        return facts ? "" : facts.error().message();
    }

    test::TempDir dir_;
};

TEST_F(HookFacts, AreReadFromTheTree) {
    const auto facts = look();
    ASSERT_TRUE(facts) << facts.error().message();
    EXPECT_EQ(facts->cgroup_path, "/web/a1");
    EXPECT_EQ(facts->pid_start, 99U);
    EXPECT_EQ(facts->boot_id, "b6d0c1a0");
    struct stat info {};
    ASSERT_EQ(::stat((dir_.path() + "/sys/fs/cgroup/web/a1").c_str(), &info), 0);
    EXPECT_EQ(facts->cgroup.value, info.st_ino);
}

TEST_F(HookFacts, ADeadProcessIsGone) {
    const auto facts = look_up(dir_.path() + "/", 8);
    ASSERT_FALSE(facts);
    EXPECT_TRUE(is_gone(facts.error()));
    EXPECT_THAT(facts.error().message(), HasSubstr("pid 8"));
}

TEST_F(HookFacts, ASharedCgroupIsRefusedByName) {
    for (const char* path : {"/", "/system", "/system/runtime"}) {
        dir_.write("proc/7/cgroup", std::string("0::") + path + "\n");
        EXPECT_THAT(error(), testing::StartsWith(std::string("shared-cgroup ") + path));
    }
}

TEST_F(HookFacts, AMissingV2PathIsNamed) {
    dir_.write("proc/7/cgroup", "1:memory:/v1\n");
    EXPECT_THAT(error(), HasSubstr("proc/7/cgroup"));
    dir_.write("proc/7/cgroup", "0::/../../init\n");
    EXPECT_THAT(error(), HasSubstr("proc/7/cgroup"));
    dir_.write("proc/7/cgroup", "0::/elsewhere\n");
    EXPECT_THAT(error(), HasSubstr("sys/fs/cgroup/elsewhere"));
}

TEST_F(HookFacts, ACutStatFileIsNamed) {
    dir_.write("proc/7/stat", "7 (a) S 1\n");
    EXPECT_THAT(error(), HasSubstr("proc/7/stat"));
}

TEST_F(HookFacts, AHugeFileIsRefused) {
    dir_.write("proc/7/cgroup", std::string(1U << 20U, 'x'));
    EXPECT_THAT(error(), HasSubstr("16 KiB or more"));
}

} // namespace
} // namespace cgtide::hook
