#include "engine/monitor/topology.hpp"
#include "tests/support/temp_dir.hpp"

#include <filesystem>

#include <gmock/gmock.h>

namespace cgtide::monitor {
namespace {

using ::testing::HasSubstr;

class TopologyTest : public testing::Test {
protected:
    void put(const std::string& file, std::string_view text) const { dir_.write(file, text); }

    void put_node(unsigned id, const std::string& cpus, unsigned mib,
                  const std::string& distances) {
        const std::string folder = "devices/system/node/node" + std::to_string(id);
        const std::string name = "Node " + std::to_string(id);
        const std::string size = std::to_string(mib * 1024);
        put(folder + "/cpulist", cpus + "\n");
        put(folder + "/distance", distances + "\n");
        put(folder + "/meminfo",
            name + " MemTotal: " + size + " kB\n" + name + " MemFree: 1024 kB\n");
    }

    void put_tier(unsigned rank, const std::string& nodes) {
        put("devices/virtual/memory_tiering/memory_tier" + std::to_string(rank) + "/nodelist",
            nodes + "\n");
    }

    model::Topology read() const { return read_topology(dir_.dir(), dir_.dir()); }

    const test::TempDir dir_;
};

TEST_F(TopologyTest, TakesNodesTiersAndDistances) {
    put("devices/system/node/online", "0,2\n");
    put("devices/system/node/has_memory", "0,2\n"); // not asked: meminfo tells
    put_node(0, "0-1", 2048, "10 20");
    put_node(2, "", 4096, "20 10");
    put_tier(4, "0");
    put_tier(450, "2");
    put("devices/virtual/memory_tiering/uevent", "");
    const auto told = read();
    ASSERT_TRUE(told.is_tiered()) << told.flat;
    EXPECT_TRUE(told.tiers[0].nodes[0].has_cpus);
    const model::MemoryNode& slow = told.tiers[1].nodes[0];
    EXPECT_EQ(slow.id, 2U);
    EXPECT_FALSE(slow.has_cpus);
    EXPECT_EQ(slow.total, mebibytes(4096));
    EXPECT_EQ(slow.distances.at(0), 20U);
    EXPECT_EQ(slow.watermark, Bytes{}) << "it is not told";
    EXPECT_EQ(slow.weight, 1U) << "it is not told";
    put("kernel/mm/mempolicy/weighted_interleave/node0", "5\n");
    put("kernel/mm/mempolicy/weighted_interleave/node2", "0\n");
    EXPECT_EQ(read().tiers[0].nodes[0].weight, 5U);
    EXPECT_EQ(read().tiers[1].nodes[0].weight, 1U) << "0 is none";
    put("zoneinfo", "Node 0, zone Normal\n  high 5\nNode 2, zone Normal\n  high 7\n");
    EXPECT_EQ(read().tiers[1].nodes[0].watermark, Bytes{7 * 4096});
    const auto free = read_free(dir_.dir(), told);
    EXPECT_EQ(free.size(), 2U);
    EXPECT_EQ(free.at(2), mebibytes(1));
    const auto rows = tier_capabilities(told);
    EXPECT_TRUE(rows[0].present);
    EXPECT_TRUE(rows[1].present);
    EXPECT_EQ(rows[1].detail, "node 0 (2.0 GiB), then node 2 (4.0 GiB)");
}

TEST(ByTier, AddsUpTheNodesOfEach) {
    model::Topology topology;
    topology.tiers = {{4, {{.id = 0}, {.id = 2}}}, {9, {{.id = 1}}}};
    const auto bytes = by_tier(topology, {{0, {mebibytes(1), mebibytes(2)}},
                                          {1, {mebibytes(4), {}}},
                                          {2, {{}, mebibytes(8)}},
                                          {3, {mebibytes(16), {}}}});
    EXPECT_THAT(bytes, testing::ElementsAre(mebibytes(11), mebibytes(4)));
}

TEST_F(TopologyTest, AKernelWithoutNumaIsFlat) {
    EXPECT_EQ(read().flat, "this kernel tells no NUMA nodes");
    put("devices/system/node/online", "garbage\n");
    EXPECT_EQ(read().flat, "this kernel tells no NUMA nodes");
}

TEST_F(TopologyTest, WithoutTiersItSaysSo) {
    put("devices/system/node/online", "0-1\n");
    put_node(0, "0", 1024, "10 20");
    put_node(1, "", 1024, "20 10");
    EXPECT_EQ(read().flat, "this kernel tells no memory tiers");
    put_tier(4, "0-1");
    const auto rows = tier_capabilities(read());
    EXPECT_TRUE(rows[0].present);
    EXPECT_FALSE(rows[1].present);
    EXPECT_THAT(rows[1].detail, HasSubstr("node 1 has no CPUs"));
}

TEST_F(TopologyTest, SaysWhetherTheKernelDemotes) {
    EXPECT_FALSE(read().kernel_demotes) << "it has no such file";
    for (const auto& [text, is_on] :
         {std::pair("false\n", false), {"true\n", true}, {"0\n", false}, {"1\n", true}}) {
        put("devices/system/node/online", "0\n");
        put_node(0, "0", 1024, "10");
        put("kernel/mm/numa/demotion_enabled", text);
        EXPECT_EQ(tier_capabilities(read())[2].present, is_on) << text;
    }
}

TEST_F(TopologyTest, ANodeThatWentOfflineIsLeftOut) {
    put("devices/system/node/online", "0-1\n");
    put_node(0, "0", 1024, "10 20");
    put_node(1, "", 1024, "20 10");
    put_tier(4, "0");
    put_tier(9, "1");
    const auto before = read();
    ASSERT_TRUE(before.is_tiered());
    std::filesystem::remove_all(dir_.path() + "/devices/system/node/node1");
    EXPECT_EQ(read_free(dir_.dir(), before).size(), 1U);
    EXPECT_THAT(read().flat, HasSubstr("one NUMA node"));
}

} // namespace
} // namespace cgtide::monitor
