#include "engine/monitor/placement.hpp"
#include "tests/support/sizes.hpp"
#include "tests/support/times.hpp"

#include <gmock/gmock.h>

namespace cgtide::monitor {
namespace {

using cgroup::PageKind;
using model::Heat;

using test::kMiB;
using test::seconds;

class PlacementTest : public testing::Test {
protected:
    PlacementTest() {
        topology_.tiers = {{4, {{.id = 0, .has_cpus = true}}}, {450, {{.id = 1}}}};
        options_.cold = seconds(120);
    }

    /// Memory of a space that lies at one node and has been idle for so long.
    void add(std::uint64_t at_mib, std::uint64_t mib, unsigned node, Microseconds idle) {
        const damon::Range range{at_mib * kMiB, (at_mib + mib) * kMiB};
        idle_.push_back({range, idle, idle});
        present_.push_back({range.start, range.end, PageKind::anon});
        nodes_.emplace_back(range, node);
        charged_[node].anon = charged_[node].anon + mebibytes(mib);
    }

    model::Placement look() {
        asked_ = 0;
        const std::vector<PlacedSpace> spaces{{42, {idle_, present_, {}, 20}}};
        return place(spaces, charged_, topology_, options_,
                     [this](int pid, auto addresses, auto nodes) {
                         EXPECT_EQ(pid, 42);
                         for (std::size_t i = 0; i < addresses.size(); ++i, ++asked_) {
                             nodes[i] = node_at(addresses[i]);
                         }
                         return works_;
                     });
    }

    int node_at(std::uint64_t address) const {
        for (const auto& [range, node] : nodes_) {
            if (address >= range.start && address < range.end) {
                return static_cast<int>(node);
            }
        }
        return -2;
    }

    model::Topology topology_;
    PlacementOptions options_;
    std::vector<IdleRange> idle_;
    std::vector<cgroup::Present> present_;
    std::vector<std::pair<damon::Range, unsigned>> nodes_;
    std::map<unsigned, cgroup::NodeBytes> charged_;
    std::size_t asked_ = 0;
    bool works_ = true;
};

TEST_F(PlacementTest, TellsHeatByTier) {
    add(0, 2, 0, seconds(-30));
    add(2, 3, 0, seconds(200));
    add(5, 4, 1, seconds(-30));
    add(9, 1, 1, seconds(-1)); // in use, and not for long enough to prove it hot
    add(10, 5, 1, seconds(30));
    add(15, 6, 1, seconds(90));
    options_.looks = 1U << 20U;
    const auto told = look();
    EXPECT_TRUE(told.is_known);
    EXPECT_EQ(told.fast[Heat::hot], mebibytes(2));
    EXPECT_EQ(told.fast[Heat::cold], mebibytes(3));
    EXPECT_EQ(told.slow[Heat::hot], mebibytes(5));
    EXPECT_EQ(told.slow[Heat::warm], mebibytes(5));
    EXPECT_EQ(told.slow[Heat::cool], mebibytes(6));
    EXPECT_EQ(told.promotable, mebibytes(4));
    EXPECT_EQ(told.demotable, mebibytes(3));
}

TEST_F(PlacementTest, TellsAnonymousMemoryOfTheFastestTierApart) {
    add(0, 2, 0, seconds(-30));
    add(2, 3, 0, seconds(200));
    add(5, 4, 0, seconds(200));
    present_.back().kind = PageKind::file;
    add(9, 5, 0, seconds(200));
    present_.back().kind = PageKind::anon_shared;
    add(14, 6, 1, seconds(200));
    options_.looks = 1U << 20U;
    const auto told = look();
    EXPECT_EQ(told.demotable, mebibytes(12));
    EXPECT_EQ(told.fast_anon[Heat::hot], mebibytes(2));
    EXPECT_EQ(told.fast_anon[Heat::cold], mebibytes(3));
    EXPECT_EQ(told.fast_anon.sum(), mebibytes(5));
}

TEST_F(PlacementTest, WhatSeveralProcessesMapIsHotAndCannotCome) {
    add(0, 2, 0, seconds(-30));
    add(2, 3, 1, seconds(-30));
    add(5, 4, 1, seconds(-30));
    present_.back().kind = PageKind::anon_shared;
    add(9, 5, 1, seconds(200));
    present_.back().kind = PageKind::anon_shared;
    options_.looks = 1U << 20U;
    const auto told = look();
    EXPECT_EQ(told.slow[Heat::hot], mebibytes(7));
    EXPECT_EQ(told.promotable, mebibytes(3));
    EXPECT_EQ(told.shared_slow, mebibytes(4));
}

TEST_F(PlacementTest, AsksForNoMorePagesThanItMay) {
    add(0, 64, 0, seconds(-30));
    add(64, 64, 1, seconds(200));
    const auto told = look();
    EXPECT_LE(asked_, options_.looks + 2);
    EXPECT_EQ(told.fast[Heat::hot], mebibytes(64));
    EXPECT_EQ(told.slow[Heat::cold], mebibytes(64));
}

TEST_F(PlacementTest, SmallRangesAreNotEachAskedForAPage) {
    for (std::uint64_t i = 0; i < 4000; ++i) {
        const std::uint64_t start = i * 64 * 4096;
        idle_.push_back({{start, start + 4096}, seconds(-30), seconds(-30)});
        present_.push_back({start, start + 4096, PageKind::anon});
        nodes_.push_back({{start, start + 4096}, 0});
    }
    charged_[0].anon = Bytes{4000 * 4096};
    const auto told = look();
    EXPECT_LE(asked_, options_.looks + 2);
    EXPECT_EQ(told.fast.sum(), charged_[0].anon);
}

TEST_F(PlacementTest, WhatNoSensorSeesIsCoolWhereItIs) {
    add(0, 2, 0, seconds(-30));
    charged_[0].file = mebibytes(7);
    charged_[1].file = mebibytes(9);
    const auto told = look();
    EXPECT_EQ(told.fast[Heat::cool], mebibytes(7));
    EXPECT_EQ(told.slow[Heat::cool], mebibytes(9));
    EXPECT_EQ(told.demotable, Bytes{}) << "nobody knows its addresses";
}

TEST_F(PlacementTest, CountsNoMoreThanIsCharged) {
    add(0, 8, 1, seconds(-30)); // half of it is charged to others
    charged_[1].anon = mebibytes(4);
    const auto told = look();
    EXPECT_EQ(told.slow.sum(), mebibytes(4));
    EXPECT_EQ(told.promotable, mebibytes(4));
}

TEST_F(PlacementTest, SeveralSlowTiersAreOne) {
    topology_.tiers.push_back({900, {{.id = 2}}});
    add(0, 2, 1, seconds(-30));
    add(2, 3, 2, seconds(-30));
    EXPECT_EQ(look().slow[Heat::hot], mebibytes(5));
}

TEST_F(PlacementTest, WhereNothingIsToldNothingIsKnown) {
    add(0, 2, 1, seconds(-30));
    works_ = false;
    const auto told = look();
    EXPECT_FALSE(told.is_known);
    EXPECT_EQ(told.promotable, Bytes{});
    EXPECT_EQ(told.slow[Heat::cool], mebibytes(2));
    topology_.tiers.clear();
    EXPECT_FALSE(look().is_known);
}

} // namespace
} // namespace cgtide::monitor
