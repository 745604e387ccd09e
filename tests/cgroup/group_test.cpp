#include "cgroup/group.hpp"
#include "cgroup/membership.hpp"
#include "cgroup/node.hpp"
#include "tests/support/fake_tree.hpp"
#include "tests/support/results.hpp"

#include <filesystem>

#include <gmock/gmock.h>

namespace cgtide::cgroup {
namespace {

using test::fails;
using ::testing::ElementsAre;

class GroupReader : public ::testing::Test {
protected:
    Group open(const std::string& path = "/web") {
        return std::move(open_group(tree_.roots().cgroup, path).and_then(Group::open).value());
    }

    void drop(const std::string& file) {
        std::filesystem::remove(tree_.path() + "/sys/fs/cgroup/web/" + file);
    }

    test::FakeTree tree_;
    CgroupId id_ = tree_.add_group("/web", {.usage = mebibytes(3),
                                            .anon = mebibytes(2),
                                            .file = mebibytes(1),
                                            .min = kibibytes(64),
                                            .swap_usage = kibibytes(4),
                                            .memory_stall_us = 7,
                                            .io_stall_us = 9,
                                            .oom_kill = 2});
};

TEST_F(GroupReader, ReadsEachFile) {
    tree_.add_process(41, "/web");
    Group group = open();
    EXPECT_EQ(group.id(), id_);
    EXPECT_EQ(read_amount(group, File::memory_current).value(), mebibytes(3));
    EXPECT_EQ(read_amount(group, File::memory_swap_current).value(), kibibytes(4));
    EXPECT_EQ(read_amount(group, File::memory_swap_max).value().count, Bytes::kUnlimited);
    EXPECT_EQ(read_amount(group, File::memory_min).value(), kibibytes(64));
    EXPECT_EQ(read_amount(group, File::memory_low).value().count, 0U);
    EXPECT_EQ(read_amount(group, File::memory_high).value().count, Bytes::kUnlimited);
    EXPECT_EQ(read_amount(group, File::memory_max).value().count, Bytes::kUnlimited);
    EXPECT_EQ(read_memory_stat(group).value().anon, mebibytes(2));
    EXPECT_EQ(read_memory_events(group).value().oom_kill, 2U);
    EXPECT_EQ(read_pressure(group, File::memory_pressure).value().some.total, Microseconds(7));
    EXPECT_EQ(read_pressure(group, File::io_pressure).value().some.total, Microseconds(9));
    EXPECT_EQ(read_numa_stat(group).value().at(0).file, mebibytes(1));
    EXPECT_TRUE(read_cgroup_events(group).value().populated);
    EXPECT_EQ(read_cgroup_stat(group).value().nr_descendants, 0U);
    EXPECT_THAT(read_pids(group).value(), ElementsAre(41));
    EXPECT_EQ(group.reads(), kFiles);
}

TEST_F(GroupReader, KeptDescriptorsSeeNewText) {
    Group group = open();
    EXPECT_EQ(read_amount(group, File::memory_current).value(), mebibytes(3));
    tree_.set("/web", "memory.current", "4096\n");
    EXPECT_EQ(read_amount(group, File::memory_current).value(), kibibytes(4));
}

TEST_F(GroupReader, ARemovedCgroupIsGone) {
    Group group = open();
    tree_.remove_group("/web");
    for (std::size_t i = 0; i < kFiles; ++i) {
        EXPECT_TRUE(fails(group.text(static_cast<File>(i)), Errc::gone)) << i;
    }
}

TEST_F(GroupReader, ARebornCgroupIsNotTheOldOne) {
    Group group = open();
    tree_.remove_group("/web");
    tree_.add_group("/web");
    EXPECT_TRUE(fails(group.text(File::memory_stat), Errc::gone));
}

TEST_F(GroupReader, AFileThatTheKernelLacksIsUnsupportedAndNotTriedAgain) {
    drop("memory.pressure");
    Group group = open();
    EXPECT_TRUE(fails(read_pressure(group, File::memory_pressure), Errc::unsupported));
    tree_.set("/web", "memory.pressure", "some avg10=0.00 avg60=0.00 avg300=0.00 total=1\n");
    EXPECT_TRUE(fails(read_pressure(group, File::memory_pressure), Errc::unsupported));
    EXPECT_EQ(group.reads(), 0U);
    EXPECT_TRUE(read_memory_stat(group));
}

TEST_F(GroupReader, ATruncatedFileIsMalformedAndReadAgain) {
    Group group = open();
    tree_.set("/web", "memory.stat", "anon 1\nfi");
    EXPECT_TRUE(fails(read_memory_stat(group), Errc::malformed));
    tree_.set("/web", "memory.stat", "anon 1\nfile 2\n");
    EXPECT_TRUE(read_memory_stat(group));
}

TEST_F(GroupReader, NamesTheFile) {
    drop("io.pressure");
    Group group = open();
    const auto result = read_pressure(group, File::io_pressure);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().message(), "open io.pressure: not supported by this kernel");
}

TEST(NodeReaderFile, ReadsMeminfoAgain) {
    test::FakeTree tree;
    auto node = NodeReader::open(tree.roots().proc);
    ASSERT_TRUE(node);
    EXPECT_EQ(node->read().value().free, mebibytes(2048));
    const auto kernel_like = [](int free) {
        return "MemTotal: 100 kB\nMemFree: " + std::to_string(free) + " kB\n";
    };
    tree.dir().write("proc/meminfo", kernel_like(7));
    EXPECT_EQ(node->read().value().free, kibibytes(7));
}

TEST(NodeReaderFile, MissingMeminfoIsAnError) {
    test::TempDir empty;
    EXPECT_FALSE(NodeReader::open(empty.dir()));
}

} // namespace
} // namespace cgtide::cgroup
