#include "engine/model/topology.hpp"

#include <gmock/gmock.h>

namespace cgtide::model {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

MemoryNode node(unsigned id, bool has_cpus, std::uint64_t mib = 1024,
                std::map<unsigned, unsigned> distances = {}) {
    return {id, has_cpus, mebibytes(mib), {}, std::move(distances)};
}

TEST(Topology, ALowerRankIsFaster) {
    const auto told = arrange({node(0, true), node(1, false, 4096)}, {{450, {1}}, {4, {0}}}, true);
    ASSERT_TRUE(told.is_tiered());
    ASSERT_EQ(told.tiers.size(), 2U);
    EXPECT_EQ(told.tiers[0].rank, 4U);
    EXPECT_EQ(told.tiers[0].nodes[0].id, 0U);
    EXPECT_EQ(total(told.tiers[1]), mebibytes(4096));
}

TEST(Topology, ATierHasSeveralNodes) {
    const auto told = arrange({node(3, false), node(0, true), node(1, true), node(2, false)},
                              {{4, {0, 1}}, {9, {2, 3}}}, true);
    ASSERT_TRUE(told.is_tiered());
    EXPECT_EQ(total(told.tiers[0]), mebibytes(2048));
    ASSERT_EQ(told.tiers[1].nodes.size(), 2U);
    EXPECT_EQ(told.tiers[1].nodes[0].id, 2U);
}

TEST(Topology, NodesAndTiersWithoutMemoryAreLeftOut) {
    const auto told = arrange({node(0, true), node(1, true, 0)}, {{4, {0}}, {9, {1}}}, true);
    EXPECT_FALSE(told.is_tiered());
    ASSERT_EQ(told.tiers.size(), 1U);
    EXPECT_THAT(told.flat, HasSubstr("one NUMA node"));
}

TEST(Topology, SaysWhyThereIsNothingToChooseBetween) {
    const auto flat = [](const std::vector<MemoryNode>& nodes, const std::vector<KernelTier>& tiers,
                         bool told) {
        return arrange(nodes, tiers, told).flat;
    };
    EXPECT_THAT(flat({node(0, true)}, {{4, {0}}}, true), HasSubstr("one NUMA node"));
    EXPECT_THAT(flat({node(0, true)}, {}, false), HasSubstr("one NUMA node"));
    EXPECT_EQ(flat({node(0, true), node(1, false)}, {}, false),
              "this kernel tells no memory tiers");
    EXPECT_EQ(flat({node(0, true), node(1, true)}, {{4, {0, 1}}}, true),
              "nodes 0-1 are one tier: all have CPUs, and none is slower");
    EXPECT_THAT(flat({node(0, true), node(1, false)}, {{4, {0, 1}}}, true),
                HasSubstr("node 1 has no CPUs and yet is in the tier of node 0: the firmware"));
    EXPECT_THAT(flat({node(0, true), node(1, false), node(2, false)}, {{4, {0, 1, 2}}}, true),
                HasSubstr("nodes 1-2 have no CPUs and yet are in"));
    EXPECT_THAT(flat({node(0, true), node(1, false)}, {{4, {0}}}, true),
                HasSubstr("node 1 with memory in no tier"));
    EXPECT_EQ(flat({node(0, true), node(1, true)}, {}, true),
              "the kernel has no node in any memory tier");
}

TEST(Topology, AStrayNodeIsNamedAndTheOthersStayTiered) {
    const auto told =
        arrange({node(0, true), node(1, false), node(2, false)}, {{4, {0}}, {9, {1}}}, true);
    EXPECT_TRUE(told.is_tiered());
    EXPECT_THAT(told.strays, ElementsAre(2U));
}

TEST(Topology, CounterpartsComeByDistance) {
    const auto told =
        arrange({node(0, true), node(1, true), node(2, false, 1024, {{0, 20}, {1, 31}}),
                 node(3, false, 1024, {{0, 31}, {1, 20}})},
                {{4, {0, 1}}, {9, {2}}, {12, {3}}}, true);
    EXPECT_THAT(counterparts(told, 0), ElementsAre(2U, 3U));
    EXPECT_THAT(counterparts(told, 1), ElementsAre(3U, 2U));
    EXPECT_THAT(counterparts(told, 3), ElementsAre(0U, 1U));
    EXPECT_THAT(counterparts(told, 7), IsEmpty());
}

TEST(Topology, NodesAreWrittenAsTheKernelDoes) {
    EXPECT_EQ(format_nodes({0}), "node 0");
    EXPECT_EQ(format_nodes({0, 1, 2, 4}), "nodes 0-2,4");
}

/// Two sockets of one node with CPUs and one without, and memory that is slower for both.
Topology sockets() {
    const auto node = [](unsigned id, std::vector<unsigned> cpus,
                         std::map<unsigned, unsigned> distances) {
        MemoryNode made;
        made.id = id;
        made.has_cpus = !cpus.empty();
        made.cpus = std::move(cpus);
        made.distances = std::move(distances);
        return made;
    };
    Topology topology;
    topology.tiers = {{4,
                       {node(0, {0, 1}, {{0, 10}, {1, 20}, {2, 30}, {3, 40}}),
                        node(1, {2, 3}, {{0, 20}, {1, 10}, {2, 40}, {3, 30}})}},
                      {450,
                       {node(2, {}, {{0, 30}, {1, 40}, {2, 10}, {3, 50}}),
                        node(3, {}, {{0, 40}, {1, 30}, {2, 50}, {3, 10}})}}};
    return topology;
}

TEST(NearerNodes, AreOfTheSameTierByDistanceToTheCpus) {
    EXPECT_THAT(nearer_nodes(sockets(), {0}),
                testing::ElementsAre(std::pair(1U, std::vector<unsigned>{0}),
                                     std::pair(3U, std::vector<unsigned>{2})));
    EXPECT_THAT(nearer_nodes(sockets(), {2, 3}),
                testing::ElementsAre(std::pair(0U, std::vector<unsigned>{1}),
                                     std::pair(2U, std::vector<unsigned>{3})));
}

TEST(NearerNodes, ThatAreAsNearGoByTheWayFromTheNode) {
    Topology topology;
    MemoryTier tier;
    for (unsigned id = 0; id < 4; ++id) {
        MemoryNode node;
        node.id = id;
        node.cpus = {id};
        for (unsigned to = 0; to < 4; ++to) { // a ring
            node.distances[to] = to == id ? 10 : (to + id) % 2 == 0 ? 30 : 20;
        }
        tier.nodes.push_back(node);
    }
    topology.tiers.push_back(tier);
    const auto found = nearer_nodes(topology, {0, 1});
    EXPECT_THAT(found, testing::ElementsAre(std::pair(2U, std::vector<unsigned>{1, 0}),
                                            std::pair(3U, std::vector<unsigned>{0, 1})));
}

TEST(NearerNodes, AreNoneForWhoMayRunOnAllNodesOrNobodyKnows) {
    EXPECT_TRUE(nearer_nodes(sockets(), {1, 2}).empty());
    EXPECT_TRUE(nearer_nodes(sockets(), {}).empty());
    EXPECT_TRUE(nearer_nodes(sockets(), {99}).empty()) << "a CPU of no node with memory";
    EXPECT_TRUE(nearer_nodes(sockets(), {0, 99}).empty()) << "nobody knows how near it is";
}

} // namespace
} // namespace cgtide::model
