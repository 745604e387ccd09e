#include "engine/apps/fast_tier.hpp"
#include "engine/apps/tier.hpp"
#include "engine/apps/tier_shares.hpp"

#include <gmock/gmock.h>

namespace cgtide::apps {
namespace {

using model::Heat;

constexpr TimePoint kNow{std::chrono::hours(1)};

/// Two containers on a fast tier of 100 MiB without a reserve, which nobody else uses.
class FastTier : public testing::Test {
protected:
    struct One {
        model::Policy policy{};
        model::TierState state{};
        model::Placement place{};
    };

    FastTier() { room_.fast_total = mebibytes(100); }

    /// All of it proven, and free to come.
    static void put(One& one, std::uint64_t fast_hot, std::uint64_t slow_hot) {
        one.place.fast[Heat::hot] = mebibytes(fast_hot);
        one.place.slow[Heat::hot] = one.place.promotable = mebibytes(slow_hot);
    }

    Bytes share() {
        room_.fast_free = room_.fast_total - first_.place.fast.sum() - second_.place.fast.sum();
        const std::vector<Sharer> both{{&first_.policy, &first_.state, &first_.place},
                                       {&second_.policy, &second_.state, &second_.place}};
        return share_fast_tier(both, room_, under_way_, kNow);
    }

    One first_;
    One second_;
    model::TierRoom room_;
    Bytes under_way_;
};

TEST_F(FastTier, HotMemoryIsSharedWhereverItIs) {
    put(first_, 100, 0);
    put(second_, 0, 100);
    share();
    EXPECT_EQ(first_.place.target, mebibytes(50));
    EXPECT_EQ(second_.place.target, mebibytes(50));
}

TEST_F(FastTier, NobodyMakesRoomForWhatWasTriedInVain) {
    put(first_, 100, 0);
    put(second_, 0, 100);
    second_.state.immovable = {mebibytes(100), kNow + Microseconds(1)};
    share();
    EXPECT_EQ(first_.place.target, mebibytes(100));
    EXPECT_EQ(second_.place.target, Bytes{});
    second_.state.immovable.until = kNow; // some of it is tried again
    share();
    EXPECT_EQ(second_.place.target, kImmovableTry);
    EXPECT_EQ(first_.place.target, mebibytes(100) - kImmovableTry);
}

TEST_F(FastTier, NobodyMakesRoomForWhatSeveralProcessesMap) {
    put(first_, 100, 0);
    put(second_, 0, 100);
    second_.place.shared_slow = mebibytes(100);
    second_.place.promotable = {};
    share();
    EXPECT_EQ(first_.place.target, mebibytes(100));
    EXPECT_EQ(second_.place.target, Bytes{});
}

TEST_F(FastTier, ADryRunIsToldWhatItWouldHaveAndTakesNothing) {
    put(first_, 60, 40);
    put(second_, 0, 100);
    second_.policy.dry_run = true;
    EXPECT_EQ(share(), mebibytes(40));
    EXPECT_EQ(first_.place.target, mebibytes(100));
    EXPECT_EQ(first_.place.room, mebibytes(40));
    EXPECT_EQ(second_.place.target, mebibytes(50));
    EXPECT_EQ(second_.place.room, mebibytes(20));
}

TEST_F(FastTier, WhatADryRunHoldsIsNotShared) {
    put(first_, 0, 100);
    put(second_, 70, 0);
    second_.policy.dry_run = true;
    share();
    EXPECT_EQ(first_.place.target, mebibytes(30));
}

TEST_F(FastTier, WhatMovesTakeIsNoRoom) {
    put(first_, 20, 40);
    under_way_ = mebibytes(60);
    EXPECT_EQ(share(), mebibytes(20));
    EXPECT_EQ(first_.place.room, mebibytes(20));
    EXPECT_EQ(first_.place.target, mebibytes(60));
}

TEST_F(FastTier, WhatWasInUseLatelyIsKeptAndNoMoreThanHigh) {
    room_.fast_reserve = mebibytes(80);
    room_.fast_floor = mebibytes(10);
    put(first_, 20, 40);
    first_.state.in_use.see(mebibytes(50), kNow, kKeepRoom);
    share();
    EXPECT_EQ(first_.place.room, mebibytes(30)); // up to what it had
    first_.policy.tier.high = mebibytes(40);
    share();
    EXPECT_EQ(first_.place.room, mebibytes(20));
    EXPECT_EQ(first_.place.target, mebibytes(40));
}

} // namespace
} // namespace cgtide::apps
