#include "engine/act/reclaim.hpp"
#include "tests/support/fake_tree.hpp"
#include "tests/support/times.hpp"

#include <cerrno>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace cgtide::act {
namespace {

namespace fs = std::filesystem;
using model::OutcomeEnd;
using model::Pages;
using testing::HasSubstr;

using test::kNever;

class ReclaimTest : public testing::Test {
protected:
    ReclaimTest() : id_(tree_.add_group("/web")) {
        install_interrupt_handler();
        dir_ = tree_.dir().dir("sys/fs/cgroup/web");
    }

    model::Outcome ask(Bytes bytes, Pages pages = Pages::all, bool key = true) {
        const model::Decision decision{model::AppName::reclaim, id_, bytes, pages, {}};
        return reclaim(dir_, decision, key, kNever, interrupt_);
    }

    std::string file(const std::string& name) const {
        return tree_.path() + "/sys/fs/cgroup/web/" + name;
    }
    std::string written() const { return tree_.get("/web", "memory.reclaim"); }

    test::FakeTree tree_;
    CgroupId id_;
    Dir dir_;
    Interrupt interrupt_;
};

TEST(ReclaimText, AddsSwappinessWhereTheKindNeedsIt) {
    EXPECT_EQ(reclaim_text(mebibytes(1), Pages::all, true), "1048576");
    EXPECT_EQ(reclaim_text(mebibytes(1), Pages::file, true), "1048576 swappiness=0");
    EXPECT_EQ(reclaim_text(mebibytes(1), Pages::file, false), "1048576"); // a node without swap
    EXPECT_EQ(reclaim_text(Bytes{1}, Pages::anon, true), "1 swappiness=max");
}

TEST_F(ReclaimTest, WritesTheBytes) {
    const model::Outcome outcome = ask(mebibytes(3));
    EXPECT_EQ(written(), "3145728");
    EXPECT_EQ(outcome.end, OutcomeEnd::done);
    EXPECT_EQ(outcome.asked, mebibytes(3));
    EXPECT_EQ(outcome.id, id_);
    EXPECT_EQ(outcome.app, model::AppName::reclaim);
    EXPECT_EQ(outcome.error, 0);
    EXPECT_NE(outcome.at, TimePoint{});
    EXPECT_GE(outcome.wall.count(), 0);
    EXPECT_GE(outcome.cpu.count(), 0);
}

// A plain file keeps the last write: its size tells the chunks before it.
TEST_F(ReclaimTest, AsksInChunksOf8MebibytesWhereAnonymousMemoryMayLeave) {
    ask(mebibytes(21));
    EXPECT_EQ(written(), "5242880"); // 8 + 8 + 5
}

TEST_F(ReclaimTest, AsksInChunksOf32MebibytesForFiles) {
    ask(mebibytes(42), Pages::file);
    EXPECT_EQ(written(), "10485760 swappiness=0"); // 32 + 10
}

TEST_F(ReclaimTest, AskingForNothingWritesNothing) {
    EXPECT_EQ(ask({}).end, OutcomeEnd::done);
    EXPECT_EQ(written(), "");
}

TEST_F(ReclaimTest, StoppedBeforehandItWritesNothing) {
    interrupt_.stop();
    EXPECT_EQ(ask(mebibytes(1)).end, OutcomeEnd::interrupted);
    EXPECT_EQ(written(), "");
}

TEST_F(ReclaimTest, AfterTheDeadlineItWritesNothing) {
    const model::Decision decision{model::AppName::reclaim, id_, mebibytes(1), Pages::all, {}};
    EXPECT_EQ(reclaim(dir_, decision, true, Microseconds(0), interrupt_).end,
              OutcomeEnd::interrupted);
    EXPECT_EQ(written(), "");
}

TEST_F(ReclaimTest, ARemovedCgroupIsGone) {
    tree_.remove_group("/web");
    const model::Outcome outcome = ask(mebibytes(1));
    EXPECT_EQ(outcome.end, OutcomeEnd::gone);
    EXPECT_EQ(outcome.taken, Bytes{});
}

TEST_F(ReclaimTest, AKernelWithoutTheFileIsGoneOrFailedButWritesNothing) {
    fs::remove(file("memory.reclaim"));
    EXPECT_EQ(ask(mebibytes(1)).end, OutcomeEnd::gone);
    EXPECT_FALSE(fs::exists(file("memory.reclaim")));
}

TEST_F(ReclaimTest, UsageThatDoesNotParseFails) {
    tree_.set("/web", "memory.current", "many\n");
    const model::Outcome outcome = ask(mebibytes(1));
    EXPECT_EQ(outcome.end, OutcomeEnd::failed);
    EXPECT_EQ(outcome.error, EIO);
    EXPECT_EQ(written(), "");
}

TEST_F(ReclaimTest, AnErrnoOfTheWriteIsTold) {
    // The device of /dev/full under the file's name: each write returns ENOSPC.
    fs::remove(file("memory.reclaim"));
    if (::mknod(file("memory.reclaim").c_str(), S_IFCHR | 0600, makedev(1, 7)) != 0) {
        GTEST_SKIP() << "needs CAP_MKNOD";
    }
    const model::Outcome outcome = ask(mebibytes(1));
    if (outcome.error == EACCES) {
        GTEST_SKIP() << "needs a temporary folder that is mounted without nodev";
    }
    EXPECT_EQ(outcome.end, OutcomeEnd::failed);
    EXPECT_EQ(outcome.error, ENOSPC);
}

TEST_F(ReclaimTest, AFileThatMayNotBeWrittenIsTold) {
    if (::geteuid() == 0) {
        fs::remove(file("memory.reclaim"));
        fs::create_directory(file("memory.reclaim")); // root is stopped by nothing less
        EXPECT_EQ(ask(mebibytes(1)).error, EISDIR);
    } else {
        fs::permissions(file("memory.reclaim"), fs::perms::owner_read);
        EXPECT_EQ(ask(mebibytes(1)).error, EACCES);
    }
    EXPECT_EQ(ask(mebibytes(1)).end, OutcomeEnd::failed);
}

TEST_F(ReclaimTest, TheProbeAsksForNothing) {
    const ReclaimSupport support = probe_reclaim(dir_);
    EXPECT_TRUE(support.reclaim);
    EXPECT_TRUE(support.swappiness);
    EXPECT_TRUE(support.swappiness_max);
    EXPECT_EQ(support.detail, "");
    EXPECT_TRUE(written().starts_with("0 swappiness="));
}

TEST_F(ReclaimTest, TheProbeNamesAMissingFile) {
    fs::remove(file("memory.reclaim"));
    const ReclaimSupport support = probe_reclaim(dir_);
    EXPECT_FALSE(support.reclaim);
    EXPECT_FALSE(support.swappiness);
    EXPECT_FALSE(support.swappiness_max);
    EXPECT_THAT(support.detail, HasSubstr("memory.reclaim"));
}

} // namespace
} // namespace cgtide::act
