#include "engine/monitor/sensors.hpp"
#include "tests/support/fake_tree.hpp"

#include <filesystem>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cgtide::monitor {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMostReads = 10;
constexpr TimePoint kNow{std::chrono::hours(1)};

model::Needs everything() {
    return {.counters = true, .pressure = true, .protection = true};
}

class CountersTest : public testing::Test {
protected:
    Counters open(bool recursive = true) const {
        const KernelRoots roots = tree_.roots();
        auto counters = Counters::open(roots.cgroup, roots.proc, recursive);
        if (!counters) {
            throw std::runtime_error(counters.error().message());
        }
        return std::move(*counters);
    }

    cgroup::Group group(const std::string& path) const {
        auto opened = cgroup::Group::open(tree_.dir().dir("sys/fs/cgroup" + path));
        if (!opened) {
            throw std::runtime_error(opened.error().message());
        }
        return std::move(*opened);
    }

    Result<model::Snapshot> sample(model::Needs needs = everything()) {
        EXPECT_TRUE(counters_.begin_period(kNow));
        Subject subject;
        subject.group = &web_;
        subject.path = "/pods/web";
        subject.needs = needs;
        subject.lived = Microseconds(7);
        return counters_.sample(subject, kNow);
    }

    void remove(const char* file) const {
        fs::remove(tree_.path() + "/sys/fs/cgroup/pods/web/" + file);
    }

    test::FakeTree tree_;
    CgroupId id_ = tree_.add_group("/pods/web");
    Counters counters_ = open();
    cgroup::Group web_ = group("/pods/web");
};

TEST_F(CountersTest, ReadWhatIsNeeded) {
    tree_.add_group("/pods/web", {.usage = mebibytes(100),
                                  .anon = mebibytes(60),
                                  .swap_usage = mebibytes(5),
                                  .memory_stall_us = 1234,
                                  .io_stall_us = 99,
                                  .oom_kill = 2});
    const auto now = sample();
    ASSERT_TRUE(now) << now.error().message();
    EXPECT_EQ(now->id, id_);
    EXPECT_EQ(now->at, kNow);
    EXPECT_EQ(now->lived, Microseconds(7));
    EXPECT_EQ(now->usage, mebibytes(100));
    EXPECT_EQ(now->stat->anon, mebibytes(60));
    EXPECT_EQ(now->swap_usage, mebibytes(5));
    EXPECT_EQ(now->memory_pressure->some.total, Microseconds(1234));
    EXPECT_EQ(now->io_pressure->some.total, Microseconds(99));
    EXPECT_EQ(now->events->oom_kill, 2U);
}

TEST_F(CountersTest, ReadNothingElse) {
    const auto now = sample({.counters = false, .pressure = false, .protection = false});
    ASSERT_TRUE(now);
    EXPECT_EQ(now->usage, mebibytes(64));
    EXPECT_FALSE(now->stat);
    EXPECT_FALSE(now->memory_pressure);
    EXPECT_FALSE(now->swap_limit);
    EXPECT_EQ(web_.reads(), 1U);
}

TEST_F(CountersTest, ReadStatSeldomOnlyWhereUsageHasChanged) {
    model::Snapshot before = sample().value();
    const auto has_stat = [&] {
        EXPECT_TRUE(counters_.begin_period(kNow));
        Subject subject;
        subject.group = &web_;
        subject.path = "/pods/web";
        subject.needs = {.seldom = true};
        subject.before = &before;
        return counters_.sample(subject, kNow)->stat.has_value();
    };
    EXPECT_FALSE(has_stat());
    before.usage.count += 4096;
    EXPECT_TRUE(has_stat());
    before.usage = sample()->usage;
    before.stat.reset();
    EXPECT_TRUE(has_stat());
}

TEST_F(CountersTest, NothingIsSwappedWhereTheNodesSwapIsFree) {
    tree_.add_group("/pods/web", {.swap_usage = mebibytes(5)}); // as if read at another time
    ASSERT_TRUE(sample());
    const std::uint64_t before = web_.reads();
    EXPECT_EQ(sample()->swap_usage, mebibytes(5));
    const std::uint64_t reads = web_.reads() - before;
    tree_.set_node({.swap_total = mebibytes(20), .swap_free = mebibytes(20)});
    EXPECT_EQ(sample()->swap_usage, Bytes{0});
    EXPECT_EQ(web_.reads() - before - reads, reads - 1);
}

TEST_F(CountersTest, AFileThatTheKernelLacksLeavesItsFieldEmpty) {
    for (const char* file :
         {"memory.pressure", "io.pressure", "memory.swap.current", "memory.events"}) {
        remove(file);
    }
    const auto now = sample();
    ASSERT_TRUE(now) << now.error().message();
    EXPECT_FALSE(now->memory_pressure);
    EXPECT_FALSE(now->io_pressure);
    EXPECT_FALSE(now->swap_usage);
    EXPECT_FALSE(now->events);
    EXPECT_TRUE(now->stat);
}

TEST_F(CountersTest, AFileThatDoesNotParseLeavesItsFieldEmpty) {
    tree_.set("/pods/web", "memory.stat", "garbage");
    tree_.set("/pods/web", "memory.pressure", "some total=x\n");
    const auto now = sample();
    ASSERT_TRUE(now) << now.error().message();
    EXPECT_FALSE(now->stat);
    EXPECT_FALSE(now->memory_pressure);
    EXPECT_TRUE(now->io_pressure);
}

TEST_F(CountersTest, ARemovedCgroupIsGone) {
    tree_.remove_group("/pods/web");
    const auto now = sample();
    ASSERT_FALSE(now);
    EXPECT_TRUE(is_gone(now.error())) << now.error().message();
}

TEST_F(CountersTest, TellWhatTheyWereTold) {
    Subject subject;
    subject.group = &web_;
    subject.path = "/pods/web";
    subject.frozen = true;
    subject.has_nested = true;
    const auto now = counters_.sample(subject, kNow);
    EXPECT_TRUE(now->frozen);
    EXPECT_TRUE(now->has_nested);
}

TEST_F(CountersTest, ReadAtMostTenFilesOfAContainerInAPeriod) {
    ASSERT_TRUE(sample());
    const std::uint64_t before = web_.reads();
    ASSERT_TRUE(sample());
    EXPECT_LE(web_.reads() - before, kMostReads);
    // Protection of a parent costs more reads, and is bounded as well.
    tree_.add_group("/pods", {.min = mebibytes(32)});
    ASSERT_TRUE(sample());
    const std::uint64_t protected_before = web_.reads();
    ASSERT_TRUE(sample());
    EXPECT_LE(web_.reads() - protected_before, kMostReads);
}

TEST_F(CountersTest, ReadAncestorsOnceForAllContainers) {
    for (int i = 0; i < 20; ++i) {
        tree_.add_group("/pods/c" + std::to_string(i));
    }
    const auto pass = [&](int containers) {
        EXPECT_TRUE(counters_.begin_period(kNow));
        const std::uint64_t before = counters_.reads();
        for (int i = 0; i < containers; ++i) {
            const std::string path = "/pods/c" + std::to_string(i);
            cgroup::Group one = group(path);
            Subject subject;
            subject.group = &one;
            subject.path = path;
            subject.needs = everything();
            EXPECT_TRUE(counters_.sample(subject, kNow));
        }
        return counters_.reads() - before;
    };
    pass(1);
    EXPECT_EQ(pass(20), pass(1));
}

TEST_F(CountersTest, ProtectionIsTheParentsToGive) {
    tree_.add_group("/pods/web", {.min = mebibytes(40), .low = mebibytes(50)});
    EXPECT_EQ(sample()->protection.min, Bytes{}); // /pods has none to give
    tree_.add_group("/pods", {.min = mebibytes(30), .low = mebibytes(30)});
    EXPECT_EQ(sample()->protection.min, mebibytes(30));
    EXPECT_EQ(sample()->protection.low, mebibytes(30));
}

TEST_F(CountersTest, SwapHeadroomIsTheLeastOfAllAncestors) {
    EXPECT_EQ(sample()->swap_limit, Bytes{Bytes::kUnlimited});
    tree_.add_group("/pods", {.swap_usage = mebibytes(3), .swap_max = mebibytes(8)});
    EXPECT_EQ(sample()->swap_limit, mebibytes(5));
}

TEST_F(CountersTest, TheNodeIsReadFromMeminfo) {
    tree_.set_node({.free = mebibytes(7), .swap_total = mebibytes(20), .swap_free = mebibytes(6)});
    const auto node = counters_.begin_period(kNow);
    ASSERT_TRUE(node);
    EXPECT_EQ(node->at, kNow);
    EXPECT_EQ(node->memory_available, mebibytes(7));
    EXPECT_EQ(node->memory_total, mebibytes(4096));
    EXPECT_EQ(node->swap_total, mebibytes(20));
    EXPECT_EQ(node->swap_free, mebibytes(6));
    EXPECT_GE(node->page_size, kibibytes(4));
}

TEST_F(CountersTest, ATreeWithoutMeminfoIsAnErrorAtTheStart) {
    fs::remove(tree_.path() + "/proc/meminfo");
    const KernelRoots roots = tree_.roots();
    EXPECT_FALSE(Counters::open(roots.cgroup, roots.proc, true));
}

} // namespace
} // namespace cgtide::monitor
