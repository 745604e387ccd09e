#include "hook/run.hpp"
#include "hook/run_dir.hpp"
#include "tests/support/temp_dir.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

namespace cgtide::hook {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

unsigned mode_of(const std::string& path) {
    struct stat info {};
    return ::stat(path.c_str(), &info) == 0 ? info.st_mode & 07777U : 0;
}

TEST(HookStage, FollowsTheStatesStatus) {
    const auto stage = [](const char* status) {
        oci::State state;
        state.status = status;
        return stage_of(state);
    };
    for (const char* status : {"creating", "created", "running"}) {
        EXPECT_EQ(stage(status).value(), Stage::create_runtime) << status;
    }
    EXPECT_EQ(stage("stopped").value(), Stage::poststop);
    ASSERT_FALSE(stage("starting"));
    EXPECT_THAT(stage("starting").error().message(), HasSubstr("status: 'starting'"));
}

TEST(HookRunDir, MakesItsFoldersWhateverTheUmask) {
    const test::TempDir dir;
    const std::string run = dir.path() + "/run";
    const mode_t old = ::umask(0177);
    const auto left = leave_record(run, "72262115b821609b", "{}");
    ::umask(old);
    ASSERT_TRUE(left) << left.error().message();
    EXPECT_EQ(mode_of(run), 0755U);
    EXPECT_EQ(mode_of(run + "/containers"), 0700U);
    EXPECT_EQ(mode_of(run + "/containers/72262115b821609b.json"), 0600U);
    EXPECT_EQ(dir.read("run/containers/72262115b821609b.json"), "{}");
    EXPECT_THAT(dir.dir("run/containers").list().value(), ElementsAre("72262115b821609b.json"));
}

TEST(HookRunDir, ReplacesAnOlderRecord) {
    const test::TempDir dir;
    ASSERT_TRUE(leave_record(dir.path(), "k", "a longer text"));
    ASSERT_TRUE(leave_record(dir.path(), "k", "new"));
    EXPECT_EQ(dir.read("containers/k.json"), "new");
}

TEST(HookRunDir, LeavesAnEmptyMark) {
    const test::TempDir dir;
    ASSERT_TRUE(leave_mark(dir.path(), "k"));
    EXPECT_EQ(dir.read("containers/k.stopped"), "");
}

TEST(HookRunDir, NamesAParentThatIsMissing) {
    const auto left = leave_record("/proc/no/such", "k", "{}");
    ASSERT_FALSE(left);
    EXPECT_THAT(left.error().message(), HasSubstr("make folder /proc/no/such"));
}

TEST(HookRunDir, DoesNotFollowASymlink) {
    const test::TempDir dir;
    dir.write("victim", "keep");
    dir.make("containers");
    ASSERT_EQ(
        ::symlink((dir.path() + "/victim").c_str(), (dir.path() + "/containers/k.stopped").c_str()),
        0);
    EXPECT_FALSE(leave_mark(dir.path(), "k"));
    EXPECT_EQ(dir.read("victim"), "keep");
}

} // namespace
} // namespace cgtide::hook
