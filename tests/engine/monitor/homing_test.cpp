#include "cgroup/membership.hpp"
#include "engine/monitor/homing.hpp"
#include "tests/support/fake_tree.hpp"

#include <memory>

#include <gmock/gmock.h>

namespace cgtide::monitor {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class AllowedCpus : public ::testing::Test {
protected:
    AllowedCpus() {
        tree_.add_group("/web");
        tree_.add_group("/web/leaf");
    }

    void thread(int pid, int tid, const std::string& cpus) {
        tree_.dir().write("proc/" + std::to_string(pid) + "/task/" + std::to_string(tid) +
                              "/status",
                          "Name:\tx\nCpus_allowed:\tff\nCpus_allowed_list:\t" + cpus + "\n");
    }

    std::set<unsigned> cpus() {
        auto group = std::make_shared<cgroup::Group>(
            cgroup::Group::open(std::move(cgroup::open_group(tree_.roots().cgroup, "/web").value()))
                .value());
        const CgroupId id = group->id();
        return allowed_cpus(tree_.roots().proc, {id, std::move(group), "/web", {}});
    }

    test::FakeTree tree_;
};

TEST_F(AllowedCpus, AreThoseOfAllThreadsInTheSubtree) {
    tree_.add_process(41, "/web");
    tree_.add_process(42, "/web/leaf");
    thread(41, 41, "1");
    thread(41, 43, "3");
    thread(42, 42, "5-6");
    EXPECT_THAT(cpus(), ElementsAre(1U, 3U, 5U, 6U));
}

TEST_F(AllowedCpus, OfWhatCannotBeReadAreNone) {
    EXPECT_THAT(cpus(), IsEmpty());
    tree_.add_process(41, "/web");
    EXPECT_THAT(cpus(), IsEmpty());
    thread(41, 41, "x");
    EXPECT_THAT(cpus(), IsEmpty());
}

TEST_F(AllowedCpus, OfManyThreadsNobodyKnows) {
    tree_.add_process(41, "/web");
    for (int tid = 1000; tid < 1257; ++tid) {
        thread(41, tid, "1");
    }
    EXPECT_THAT(cpus(), IsEmpty());
}

model::Topology two_nodes() {
    model::Topology topology;
    topology.flat = "one tier";
    topology.tiers = {
        {4,
         {{.id = 0, .has_cpus = true, .distances = {{0, 10}, {1, 20}}, .cpus = {0}},
          {.id = 1, .has_cpus = true, .distances = {{0, 20}, {1, 10}}, .cpus = {1}}}}};
    return topology;
}

TEST(Homing, PutsBytesBesideTheCpus) {
    const std::map<unsigned, cgroup::NodeBytes> charged{{0, {mebibytes(3), mebibytes(2)}},
                                                        {1, {mebibytes(7), Bytes{}}}};
    const std::map<unsigned, Bytes> free{{0, mebibytes(50)}, {1, mebibytes(60)}};
    const auto told = homing(two_nodes(), {1}, charged, free);
    EXPECT_EQ(told.away, mebibytes(5));
    EXPECT_EQ(told.home, mebibytes(7));
    EXPECT_EQ(told.room, mebibytes(60));
    EXPECT_THAT(told.nearer, ElementsAre(std::pair(0U, std::vector<unsigned>{1})));
    const auto everywhere = homing(two_nodes(), {0, 1}, charged, free);
    EXPECT_THAT(everywhere.nearer, IsEmpty());
    EXPECT_EQ(everywhere.home, mebibytes(12));
}

} // namespace
} // namespace cgtide::monitor
