#include "engine/apps/tier_shares.hpp"

#include <algorithm>
#include <array>
#include <random>

#include <gmock/gmock.h>

namespace cgtide::apps {
namespace {

using model::Heat;
using ::testing::ElementsAre;

FastClaim claim(std::uint64_t hot, std::uint64_t warm = 0, std::uint64_t cool = 0,
                std::uint64_t cold = 0) {
    FastClaim claim;
    claim.heat[Heat::hot] = mebibytes(hot);
    claim.heat[Heat::warm] = mebibytes(warm);
    claim.heat[Heat::cool] = mebibytes(cool);
    claim.heat[Heat::cold] = mebibytes(cold);
    return claim;
}

FastClaim with(FastClaim claim, std::uint64_t low, std::uint64_t high) {
    claim.low = mebibytes(low);
    claim.high = mebibytes(high);
    return claim;
}

std::vector<std::uint64_t> shares(const std::vector<FastClaim>& claims, std::uint64_t capacity) {
    std::vector<std::uint64_t> mib;
    for (const Bytes share : share_fast(claims, mebibytes(capacity))) {
        mib.push_back(share.count >> 20U);
    }
    return mib;
}

TEST(FastShares, AllThatFitsIsGivenAndColdMemoryClaimsNothing) {
    EXPECT_THAT(shares({claim(10, 20, 30, 40), claim(1)}, 100), ElementsAre(60U, 1U));
    EXPECT_THAT(shares({}, 100), ElementsAre());
    EXPECT_THAT(shares({claim(10)}, 0), ElementsAre(0U));
}

TEST(FastShares, EqualNeedsGetEqualShares) {
    EXPECT_THAT(shares({claim(60), claim(60)}, 100), ElementsAre(50U, 50U));
    EXPECT_THAT(shares({claim(10), claim(60), claim(60)}, 100), ElementsAre(10U, 45U, 45U));
}

TEST(FastShares, HotterMemoryComesFirstWhoeverItBelongsTo) {
    EXPECT_THAT(shares({claim(0, 0, 90), claim(60)}, 100), ElementsAre(40U, 60U));
    EXPECT_THAT(shares({claim(0, 50), claim(0, 0, 90)}, 100), ElementsAre(50U, 50U));
}

TEST(FastShares, LowIsProtectedWhileThereIsHotMemoryToFillIt) {
    EXPECT_THAT(shares({with(claim(80), 70, 100), claim(200)}, 100), ElementsAre(80U, 20U));
    EXPECT_THAT(shares({with(claim(80), 70, 70), claim(200)}, 100), ElementsAre(70U, 30U));
    // Its own cool memory is no reason to take hot memory of another.
    EXPECT_THAT(shares({with(claim(20, 0, 80), 70, 100), claim(200)}, 100), ElementsAre(20U, 80U));
}

TEST(FastShares, HighIsABound) {
    EXPECT_THAT(shares({with(claim(80), 0, 30), claim(20)}, 100), ElementsAre(30U, 20U));
}

TEST(FastShares, WhatIsLeftIsSharedByWeight) {
    FastClaim heavy = claim(90);
    heavy.weight = 3.0;
    EXPECT_THAT(shares({heavy, claim(90)}, 100), ElementsAre(75U, 25U));
}

TEST(FastShares, LowsThatDoNotFitAreCutAlike) {
    EXPECT_THAT(shares({with(claim(80), 80, 80), with(claim(40), 40, 40)}, 60),
                ElementsAre(40U, 20U));
}

FastRoom with_free(std::uint64_t mib) {
    return {.total = mebibytes(1000),
            .free = mebibytes(mib),
            .reserve = mebibytes(80),
            .floor = mebibytes(50)};
}

/// Of two containers, in MiB.
Bytes capacity(std::uint64_t free, FastUse one, FastUse other = {}) {
    return fast_capacity(with_free(free), std::array{one, other});
}

FastUse use(std::uint64_t held, std::uint64_t kept) {
    return {mebibytes(held), mebibytes(kept), {}};
}

TEST(FastCapacity, LeavesOthersWhatTheyUseAndTheReserve) {
    EXPECT_EQ(capacity(600, use(60, 0), use(40, 0)), mebibytes(620));
    EXPECT_EQ(capacity(90, use(0, 0)), mebibytes(10));
    EXPECT_EQ(capacity(60, use(0, 0)), Bytes{});
    EXPECT_EQ(capacity(990, use(100, 0)), mebibytes(920)); // no more than there is
}

TEST(FastCapacity, NothingThatWasInUseLatelyLeavesForTheReserve) {
    EXPECT_EQ(capacity(60, use(50, 48), use(50, 48)), mebibytes(96));
    EXPECT_EQ(capacity(10, use(100, 96)), mebibytes(96)); // others took the floor too
    EXPECT_EQ(capacity(60, use(100, 40)), mebibytes(80)); // what is idle does
}

TEST(FastCapacity, WhatChangesPlacesHasTheRoomOfWhatWasThereDownToTheFloor) {
    EXPECT_EQ(capacity(156, use(4, 96)), mebibytes(96));
    EXPECT_EQ(capacity(136, use(4, 96)), mebibytes(90));
}

/// Of containers, in MiB.
std::vector<std::uint64_t> rooms(std::uint64_t free, const std::vector<FastUse>& uses) {
    std::vector<std::uint64_t> mib;
    for (const Bytes room : fast_rooms(with_free(free), uses)) {
        mib.push_back(room.count >> 20U);
    }
    return mib;
}

FastUse wanting(std::uint64_t held, std::uint64_t kept, std::uint64_t wanted) {
    return {mebibytes(held), mebibytes(kept), mebibytes(wanted)};
}

TEST(FastRooms, GrowthGoesToTheReserveAndIsShared) {
    EXPECT_THAT(rooms(100, {wanting(10, 10, 500)}), ElementsAre(20U));
    EXPECT_THAT(rooms(100, {wanting(10, 10, 500), wanting(0, 0, 500)}), ElementsAre(10U, 10U));
    EXPECT_THAT(rooms(100, {wanting(10, 10, 0), wanting(0, 0, 500)}), ElementsAre(0U, 20U));
    EXPECT_THAT(rooms(70, {wanting(10, 10, 500)}), ElementsAre(0U));
}

TEST(FastRooms, WhatIsOwedGoesToTheFloor) {
    EXPECT_THAT(rooms(70, {wanting(10, 96, 500)}), ElementsAre(20U));
    EXPECT_THAT(rooms(70, {wanting(10, 14, 500)}), ElementsAre(4U));
    EXPECT_THAT(rooms(70, {wanting(10, 96, 3)}), ElementsAre(3U)); // no more than comes
    EXPECT_THAT(rooms(40, {wanting(10, 96, 500)}), ElementsAre(0U));
    EXPECT_THAT(rooms(70, {wanting(96, 10, 500)}), ElementsAre(0U)); // nothing is owed
}

TEST(FastRooms, WhatIsOwedToOneIsNobodyElses) {
    EXPECT_THAT(rooms(100, {wanting(10, 96, 500), wanting(10, 10, 500)}), ElementsAre(50U, 0U));
    EXPECT_THAT(rooms(100, {wanting(10, 15, 500), wanting(10, 10, 500)}), ElementsAre(12U, 7U));
}

TEST(FastRoomsProperty, ReserveAndFloorHold) {
    std::mt19937 random(20261129); // NOLINT: the same cases in every run
    std::uniform_int_distribution<std::uint64_t> mib(0, 120);
    for (int round = 0; round < 2000; ++round) {
        const FastRoom room = with_free(mib(random));
        std::vector<FastUse> uses;
        for (std::uint64_t i = mib(random) % 6; i > 0; --i) {
            uses.push_back(wanting(mib(random), mib(random), mib(random)));
        }
        const auto rooms = fast_rooms(room, uses);
        Bytes all;
        Bytes grown;
        for (std::size_t i = 0; i < rooms.size(); ++i) {
            all = all + rooms[i];
            grown = grown + (rooms[i] - uses[i].owed());
        }
        ASSERT_LE(all, room.free - room.floor);
        ASSERT_LE(grown, room.free - room.reserve);
    }
}

/// What of its memory a container keeps in the fastest tier, hottest first.
model::HeatBytes held(const FastClaim& claim, Bytes share) {
    model::HeatBytes held;
    for (const Heat heat : {Heat::hot, Heat::warm, Heat::cool}) {
        held[heat] = std::min(claim.heat[heat], share);
        share = share - held[heat];
    }
    return held;
}

/// Random claims, some of them twice in a row.
struct FastRound {
    explicit FastRound(unsigned seed) {
        std::mt19937_64 random(seed);
        const auto some = [&](std::uint64_t most) {
            return Bytes{random() % 4 == 0 ? 0 : random() % (most + 1)};
        };
        capacity = some(2U << 30U);
        for (std::size_t i = 0; i < 1 + random() % 12; ++i) {
            FastClaim one;
            for (Bytes& bytes : one.heat.of) {
                bytes = some(1U << 30U);
            }
            one.high = random() % 2 == 0 ? Bytes{Bytes::kUnlimited} : some(1U << 30U);
            one.low = std::min(some(1U << 29U), one.high);
            one.weight = 0.25 * static_cast<double>(1 + random() % 16);
            claims.push_back(one);
            if (random() % 4 == 0) {
                claims.push_back(one); // a twin
            }
        }
        given = share_fast(claims, capacity);
    }

    Bytes claimable(std::size_t i) const {
        return claims[i].heat.sum() - claims[i].heat[Heat::cold];
    }

    std::vector<FastClaim> claims;
    Bytes capacity;
    std::vector<Bytes> given;
};

void expect_promises(const FastRound& round) {
    const auto& [claims, capacity, given] = round;
    Bytes sum;
    Bytes wanted;
    for (std::size_t i = 0; i < claims.size(); ++i) {
        sum = sum + given[i];
        wanted = wanted + std::min(round.claimable(i), claims[i].high);
        ASSERT_LE(given[i], claims[i].high);
        ASSERT_LE(given[i], round.claimable(i));
    }
    ASSERT_LE(sum, capacity);
    ASSERT_EQ(sum, std::min(wanted, capacity)) << "nothing is left that somebody could use";
}

/// Whether one that is under its low lacks memory that is hotter than some that another, over its
/// own, holds.
bool is_wronged(const FastRound& round, std::size_t one, std::size_t other) {
    const auto& [claims, capacity, given] = round;
    if (given[one] >= claims[one].low || given[other] <= claims[other].low) {
        return false;
    }
    const model::HeatBytes mine = held(claims[one], given[one]);
    const model::HeatBytes theirs = held(claims[other], given[other]);
    for (std::size_t lacks = 0; lacks < 3; ++lacks) {
        for (std::size_t holds = lacks + 1; holds < 3; ++holds) {
            if (mine.of.at(lacks) < claims[one].heat.of.at(lacks) &&
                theirs.of.at(holds).count > 0) {
                return true;
            }
        }
    }
    return false;
}

TEST(FastSharesProperty, HoldsWhatItPromises) {
    for (unsigned seed = 0; seed < 500; ++seed) {
        const FastRound round(seed);
        ASSERT_NO_FATAL_FAILURE(expect_promises(round)) << seed;
        for (std::size_t i = 0; i < round.claims.size(); ++i) {
            for (std::size_t j = 0; j < round.claims.size(); ++j) {
                ASSERT_FALSE(is_wronged(round, i, j)) << seed << ' ' << i << ' ' << j;
            }
        }
    }
}

TEST(FastSharesProperty, TwinsGetTheSameToAByteAClaim) {
    int twins = 0;
    for (unsigned seed = 0; seed < 500; ++seed) {
        const auto [claims, capacity, given] = FastRound(seed);
        for (std::size_t i = 0; i + 1 < claims.size(); ++i) {
            const FastClaim& a = claims[i];
            const FastClaim& b = claims[i + 1];
            if (a.heat == b.heat && a.low == b.low && a.high == b.high && a.weight == b.weight) {
                ++twins;
                const auto [less, more] = std::minmax(given[i], given[i + 1]);
                EXPECT_LE((more - less).count, 6 * claims.size()) << seed;
            }
        }
    }
    EXPECT_GT(twins, 100); // else it shows nothing
}

} // namespace
} // namespace cgtide::apps
