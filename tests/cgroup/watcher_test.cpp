#include "cgroup/membership.hpp"
#include "cgroup/watcher.hpp"
#include "tests/support/fake_tree.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <poll.h>

namespace cgtide::cgroup {
namespace {

using ::testing::IsEmpty;

class Watcher : public ::testing::Test {
protected:
    CgroupId watch(const std::string& path) {
        const CgroupId id = tree_.add_group(path);
        const auto dir = open_group(tree_.roots().cgroup, path);
        EXPECT_TRUE(watcher_.add(id, *dir));
        return id;
    }

    bool readable() const {
        pollfd poll{watcher_.fd(), POLLIN, 0};
        return ::poll(&poll, 1, 0) == 1;
    }

    std::vector<Change> drain() { return watcher_.drain().value(); }

    void empty_out(const std::string& path) {
        tree_.set(path, "cgroup.events", "populated 0\nfrozen 0\n");
    }

    test::FakeTree tree_;
    EventWatcher watcher_ = std::move(EventWatcher::open().value());
};

TEST_F(Watcher, IsQuietAtFirst) {
    watch("/web");
    EXPECT_FALSE(readable());
    EXPECT_THAT(drain(), IsEmpty());
}

TEST_F(Watcher, TellsWhoseFileChangedOnce) {
    watch("/web");
    const CgroupId db = watch("/db");
    empty_out("/db");
    empty_out("/db");
    EXPECT_TRUE(readable());
    const auto changes = drain();
    ASSERT_EQ(changes.size(), 1U);
    EXPECT_EQ(changes[0].id, db);
    EXPECT_FALSE(changes[0].removed);
    EXPECT_FALSE(changes[0].overflow);
    EXPECT_FALSE(readable());
}

TEST_F(Watcher, KeepsTheOrderOfFirstEvents) {
    const CgroupId web = watch("/web");
    const CgroupId db = watch("/db");
    empty_out("/db");
    empty_out("/web");
    empty_out("/db");
    const auto changes = drain();
    ASSERT_EQ(changes.size(), 2U);
    EXPECT_EQ(changes[0].id, db);
    EXPECT_EQ(changes[1].id, web);
}

TEST_F(Watcher, TellsRemoval) {
    const CgroupId web = watch("/web");
    tree_.remove_group("/web");
    const auto changes = drain();
    ASSERT_EQ(changes.size(), 1U);
    EXPECT_EQ(changes[0].id, web);
    EXPECT_TRUE(changes[0].removed);
    EXPECT_THAT(drain(), IsEmpty());
}

TEST_F(Watcher, ANamesakeIsWatchedOnItsOwn) {
    watch("/web");
    tree_.remove_group("/web");
    drain();
    const CgroupId reborn = watch("/web");
    empty_out("/web");
    const auto changes = drain();
    ASSERT_EQ(changes.size(), 1U);
    EXPECT_EQ(changes[0].id, reborn);
}

TEST_F(Watcher, StopsWhenTold) {
    const CgroupId web = watch("/web");
    watcher_.remove(web);
    watcher_.remove(web);
    empty_out("/web");
    EXPECT_THAT(drain(), IsEmpty());
}

TEST_F(Watcher, AddingTwiceTellsOnce) {
    watch("/web");
    watch("/web");
    drain();
    empty_out("/web");
    EXPECT_EQ(drain().size(), 1U);
}

TEST_F(Watcher, ARemovedCgroupCannotBeAdded) {
    const CgroupId id = tree_.add_group("/web");
    const auto dir = open_group(tree_.roots().cgroup, "/web");
    tree_.remove_group("/web");
    const auto added = watcher_.add(id, *dir);
    ASSERT_FALSE(added);
    EXPECT_EQ(added.error().code, make_error_code(Errc::gone));
}

TEST_F(Watcher, TellsAnOverflow) {
    std::size_t limit = 0;
    std::ifstream("/proc/sys/fs/inotify/max_queued_events") >> limit;
    constexpr std::size_t kMost = 65536;
    if (limit == 0 || limit > kMost) {
        GTEST_SKIP() << "fs.inotify.max_queued_events is " << limit << ", more than " << kMost;
    }
    watch("/web");
    watch("/db");
    // Two files in turn: equal events in a row count once.
    for (std::size_t i = 0; i <= limit; i += 2) {
        empty_out("/web");
        empty_out("/db");
    }
    const auto changes = drain();
    ASSERT_EQ(changes.size(), 3U);
    EXPECT_TRUE(changes[2].overflow);
    EXPECT_EQ(changes[2].id, CgroupId{0});
    empty_out("/db");
    EXPECT_EQ(drain().size(), 1U);
}

TEST_F(Watcher, AThousandAddsAndRemovalsLeaveNothingBehind) {
    for (int i = 0; i < 1000; ++i) {
        const CgroupId id = watch("/web");
        tree_.remove_group("/web");
        ASSERT_EQ(drain().size(), 1U);
        watcher_.remove(id);
    }
    EXPECT_FALSE(readable());
}

} // namespace
} // namespace cgtide::cgroup
