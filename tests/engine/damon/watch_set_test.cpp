#include "engine/damon/watch_set.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

#include <gmock/gmock.h>

namespace cgtide::damon {
namespace {

class WatchSetTest : public ::testing::Test {
protected:
    /// The way of a key as the programs look for it, or none.
    unsigned long long* mark_of(std::uint64_t key) {
        cgtide_set& set = sets_[cgtide_set_of(key, static_cast<unsigned>(sets_.size()))];
        const auto found = std::find(std::begin(set.key), std::end(set.key), key);
        return found == std::end(set.key) ? nullptr : &set.mark[found - std::begin(set.key)];
    }

    std::size_t count() const {
        std::size_t keys = 0;
        for (const cgtide_set& set : sets_) {
            keys += cgtide_ways - static_cast<std::size_t>(
                                      std::count(std::begin(set.key), std::end(set.key), 0ULL));
        }
        return keys;
    }

    std::size_t assign(const std::vector<std::uint64_t>& keys) { return table_.assign(keys); }

    std::vector<cgtide_set> sets_ = std::vector<cgtide_set>(cgtide_cgroup_sets);
    WatchSet table_ = WatchSet(sets_);
};

TEST_F(WatchSetTest, PlacesEachKeyOnce) {
    EXPECT_EQ(assign({5, 6, 5, 1ULL << 40U}), 0U);
    EXPECT_EQ(count(), 3U);
    EXPECT_NE(mark_of(5), nullptr);
    EXPECT_NE(mark_of(1ULL << 40U), nullptr);
    EXPECT_EQ(mark_of(7), nullptr);
}

TEST_F(WatchSetTest, KeepsTheMarksOfThoseThatStay) {
    ASSERT_EQ(assign({5, 6}), 0U);
    *mark_of(5) = 77;
    *mark_of(6) = 88;
    ASSERT_EQ(assign({5, 9}), 0U);
    EXPECT_EQ(*mark_of(5), 77U);
    EXPECT_EQ(mark_of(6), nullptr);
    ASSERT_EQ(assign({5, 6}), 0U);
    EXPECT_EQ(*mark_of(6), 0U) << "a key that comes back begins anew";
}

TEST_F(WatchSetTest, IgnoresTheEmptyKey) {
    EXPECT_EQ(assign({0}), 0U);
    EXPECT_EQ(count(), 0U);
}

TEST_F(WatchSetTest, HasRoomForAThousandNeighbours) {
    std::vector<std::uint64_t> keys(1000);
    for (const std::uint64_t step : {1UL, 2UL, 3UL, 64UL, 1024UL}) {
        std::generate(keys.begin(), keys.end(),
                      [step, key = std::uint64_t{4000}]() mutable { return key += step; });
        EXPECT_EQ(assign(keys), 0U) << "step " << step;
        EXPECT_EQ(count(), 1000U);
    }
}

TEST_F(WatchSetTest, CountsThoseWithoutRoom) {
    sets_.resize(2);
    table_ = WatchSet(sets_);
    std::vector<std::uint64_t> keys(40);
    std::iota(keys.begin(), keys.end(), 1);
    EXPECT_EQ(assign(keys), keys.size() - 2U * cgtide_ways);
    EXPECT_EQ(assign({1, 2, 3}), 0U);
    EXPECT_EQ(count(), 3U);
}

} // namespace
} // namespace cgtide::damon
