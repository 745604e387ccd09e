#include "cgroup/base/dir.hpp"
#include "cgroup/base/kernel_roots.hpp"
#include "tests/support/temp_dir.hpp"

#include <filesystem>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

namespace cgtide {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

bool is_open(int fd) {
    return ::fcntl(fd, F_GETFD) != -1;
}

TEST(UniqueFdOwner, ClosesOnceAndMoves) {
    const int raw = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ASSERT_GE(raw, 0);
    {
        UniqueFd first(raw);
        UniqueFd second(std::move(first));
        EXPECT_FALSE(static_cast<bool>(first)); // NOLINT(bugprone-use-after-move): the point
        EXPECT_EQ(second.get(), raw);
        second = UniqueFd();
        EXPECT_FALSE(is_open(raw));
    }
    UniqueFd third(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    const int kept = third.release();
    third.reset();
    EXPECT_TRUE(is_open(kept));
    UniqueFd last(kept);
    last.reset(kept);
    EXPECT_TRUE(is_open(kept));
}

TEST(ErrorText, SaysWhatOnWhatAndWhatCameBack) {
    const auto error = fail_errno(EACCES, "write", "memory.reclaim").value();
    EXPECT_EQ(error.message(), "write memory.reclaim: Permission denied");
    EXPECT_EQ(fail(Errc::timeout, "connect", "").value().message(), "connect: timed out");
}

TEST(ErrorText, EachCodeHasWords) {
    for (int code = static_cast<int>(Errc::gone); code <= static_cast<int>(Errc::timeout); ++code) {
        EXPECT_NE(error_category().message(code), "unknown") << code;
    }
    EXPECT_EQ(error_category().message(99), "unknown");
    EXPECT_STREQ(error_category().name(), "cgtide");
}

TEST(ErrorText, GoneHasManyFaces) {
    EXPECT_EQ(fail_errno(ENODEV, "read", "x").value().code, make_error_code(Errc::gone));
    for (const int value : {ENODEV, ENOENT, ESRCH}) {
        EXPECT_TRUE(is_gone(fail_errno(value, "read", "x").value())) << value;
    }
    EXPECT_FALSE(is_gone(fail_errno(EIO, "read", "x").value()));
    EXPECT_FALSE(is_gone(fail(Errc::not_found, "read", "x").value()));
}

class DirFiles : public ::testing::Test {
protected:
    test::TempDir temp_;
};

TEST_F(DirFiles, ReadsAndWritesInPlace) {
    temp_.write("a/b", "hello\n");
    const Dir dir = temp_.dir();
    EXPECT_EQ(dir.read("a/b").value(), "hello\n");
    EXPECT_TRUE(dir.sub("a").value().write("b", "HE"));
    EXPECT_EQ(temp_.read("a/b"), "HEllo\n");
    EXPECT_TRUE(is_gone(dir.read("a/none").error()));
    EXPECT_FALSE(dir.write("a/none", "x"));
    EXPECT_FALSE(Dir::open(temp_.path() + "/a/b"));
}

TEST_F(DirFiles, ReadsLargeFilesUpToTheLimit) {
    const std::string text(100000, 'x');
    temp_.write("big", text);
    const Dir dir = temp_.dir();
    EXPECT_EQ(dir.read("big").value(), text);
    EXPECT_EQ(dir.read("big", text.size()).value(), text);
    EXPECT_EQ(dir.read("big", text.size() - 1).error().code, make_error_code(Errc::out_of_range));
}

TEST_F(DirFiles, LeadsNowhereElse) {
    temp_.write("in/file", "x");
    temp_.write("out", "secret");
    ASSERT_EQ(::symlink("../out", (temp_.path() + "/in/link").c_str()), 0);
    ASSERT_EQ(::symlink("file", (temp_.path() + "/in/near").c_str()), 0);
    const Dir in = temp_.dir("in");
    for (const char* name : {"../out", "/etc/passwd", "link", "near"}) {
        EXPECT_FALSE(in.read(name)) << name;
    }
    EXPECT_FALSE(in.sub(".."));
    EXPECT_TRUE(in.read("file"));
}

TEST_F(DirFiles, ReplacesAtomicallyAndPrivately) {
    const Dir dir = temp_.dir();
    EXPECT_TRUE(dir.replace("record", "one"));
    auto held = dir.file("record", O_RDONLY);
    EXPECT_TRUE(dir.replace("record", "two"));
    EXPECT_EQ(temp_.read("record"), "two");
    std::string old;
    EXPECT_TRUE(read_again(held->get(), old, "record"));
    EXPECT_EQ(old, "one");
    EXPECT_THAT(dir.list().value(), ElementsAre("record"));
    const auto mode = std::filesystem::status(temp_.path() + "/record").permissions();
    EXPECT_EQ(mode, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(DirFiles, ReplaceThatFailsLeavesNothing) {
    temp_.make("record/full");
    const Dir dir = temp_.dir();
    EXPECT_FALSE(dir.replace("record", "one"));
    EXPECT_THAT(dir.list().value(), ElementsAre("record"));
}

TEST_F(DirFiles, RemovesAndToleratesWhatIsNotThere) {
    temp_.write("x", "");
    const Dir dir = temp_.dir();
    EXPECT_TRUE(dir.remove("x"));
    EXPECT_TRUE(dir.remove("x"));
    EXPECT_THAT(dir.list().value(), ElementsAre());
}

TEST_F(DirFiles, ListsSortedAndAgain) {
    temp_.write("b", "");
    temp_.make("c");
    temp_.make("a");
    const Dir dir = temp_.dir();
    EXPECT_THAT(dir.list().value(), ElementsAre("a", "b", "c"));
    EXPECT_THAT(dir.list(true).value(), ElementsAre("a", "c"));
}

TEST_F(DirFiles, IdIsTheInode) {
    temp_.make("a");
    temp_.make("b");
    const Dir dir = temp_.dir();
    EXPECT_EQ(dir.sub("a").value().id().value(), temp_.dir("a").id().value());
    EXPECT_NE(dir.sub("a").value().id().value(), dir.sub("b").value().id().value());
    EXPECT_EQ(dir.sub("").value().id().value(), dir.id().value());
    EXPECT_EQ(to_string(CgroupId{42}), "42");
    EXPECT_FALSE(Dir().id());
}

TEST_F(DirFiles, ReadAgainStartsOverAndShrinks) {
    temp_.write("x", "long text\n");
    const auto fd = temp_.dir().file("x", O_RDONLY);
    std::string buffer = "left over";
    ASSERT_TRUE(read_again(fd->get(), buffer, "x"));
    EXPECT_EQ(buffer, "long text\n");
    temp_.write("x", "1\n");
    ASSERT_TRUE(read_again(fd->get(), buffer, "x"));
    EXPECT_EQ(buffer, "1\n");
    EXPECT_FALSE(read_again(-1, buffer, "x"));
    EXPECT_EQ(buffer, "");
}

TEST_F(DirFiles, RootsNameWhatIsMissing) {
    temp_.make("proc");
    temp_.make("sys/fs/cgroup");
    const auto roots = KernelRoots::open(temp_.path());
    ASSERT_TRUE(roots);
    EXPECT_FALSE(roots->debug);
    temp_.make("sys/kernel/debug");
    EXPECT_TRUE(KernelRoots::open(temp_.path() + "/").value().debug);
    const auto elsewhere = KernelRoots::open(temp_.path(), "sys/fs/cgroup/unified");
    ASSERT_FALSE(elsewhere);
    EXPECT_THAT(elsewhere.error().message(), HasSubstr("sys/fs/cgroup/unified"));
}

} // namespace
} // namespace cgtide
