#include "engine/damon/decoder.hpp"

#include <algorithm>
#include <map>
#include <random>
#include <string>

#include <gmock/gmock.h>

namespace cgtide::damon {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TimePoint at(std::int64_t ns) {
    return TimePoint(Nanoseconds(ns));
}

/// A kdamond as the kernel has it: tells target after target, one tick an event.
struct Teller {
    int pid = 7;
    std::uint32_t sequence = 0;
    std::int64_t now = 100;

    Event event(std::uint32_t index, std::uint32_t nr, std::uint32_t ordinal) {
        const std::uint64_t start = 0x1000 + 0x2000ULL * ordinal;
        return {.at = at(now++),
                .kdamond = pid,
                .sequence = sequence++,
                .index = index,
                .nr_regions = nr,
                .region = {.range = {.start = start, .end = start + 0x1000}, .accesses = ordinal}};
    }

    /// One aggregation of targets with so many regions each.
    std::vector<Event> aggregation(const std::vector<std::uint32_t>& targets) {
        std::vector<Event> events;
        for (std::uint32_t index = 0; index < targets.size(); ++index) {
            for (std::uint32_t i = 0; i < targets[index]; ++i) {
                events.push_back(event(index, targets[index], i));
            }
        }
        return events;
    }
};

std::vector<TargetKey> keys_of(const std::vector<Round>& rounds) {
    std::vector<TargetKey> keys;
    for (const Round& round : rounds) {
        keys.push_back(round.key);
    }
    return keys;
}

/// All that was fed is accounted for.
void expect_balanced(const Decoder& decoder) {
    const DecoderCounters& c = decoder.counters();
    EXPECT_EQ(c.events,
              c.told + c.in_commit + c.unknown + c.incomplete + c.sentinel + decoder.waiting());
}

class DecoderTest : public ::testing::Test {
protected:
    ~DecoderTest() override { expect_balanced(decoder); }

    void epoch(std::int64_t begin, std::int64_t end, std::vector<TargetKey> keys, int pid = 7) {
        decoder.end({.kdamond = pid, .begin = at(begin), .end = at(end), .keys = std::move(keys)});
    }

    void epoch_of_looks(std::int64_t begin, std::int64_t end, std::uint32_t looks) {
        decoder.end(
            {.kdamond = 7, .begin = at(begin), .end = at(end), .keys = {5}, .looks = looks});
    }

    std::vector<Round> feed(const std::vector<Event>& events) {
        std::vector<Round> rounds;
        decoder.feed(events, rounds);
        return rounds;
    }

    Decoder decoder;
    Teller teller;
};

TEST_F(DecoderTest, RoundsHaveTheLooksOfTheirEpoch) {
    epoch_of_looks(0, 50, 20);
    auto events = teller.aggregation({1});
    const auto half = teller.event(0, 2, 0);
    events.push_back(half);
    epoch_of_looks(teller.now - 1, teller.now, 5); // a round that lies across it is dropped
    teller.now += 10;
    events.push_back(teller.event(0, 2, 1));
    for (const Event& event : teller.aggregation({1})) {
        events.push_back(event);
    }
    const auto rounds = feed(events);
    ASSERT_EQ(rounds.size(), 2U);
    EXPECT_EQ(rounds[0].looks, 20U);
    EXPECT_EQ(rounds[1].looks, 5U);
}

TEST_F(DecoderTest, TellsEachTargetOfAnAggregation) {
    epoch(0, 1, {kSentinel, 11, 12});
    const auto rounds = feed(teller.aggregation({3, 2, 4}));

    ASSERT_THAT(keys_of(rounds), ElementsAre(11, 12));
    EXPECT_EQ(rounds[0].at, at(104));
    ASSERT_EQ(rounds[1].regions.size(), 4U);
    EXPECT_EQ(rounds[1].regions[3].range, (Range{0x7000, 0x8000}));
    EXPECT_EQ(rounds[1].regions[3].accesses, 3U);
    EXPECT_EQ(decoder.counters().sentinel, 3U);
    EXPECT_EQ(decoder.counters().told, 6U);
    EXPECT_EQ(decoder.counters().incomplete, 0U);
}

TEST_F(DecoderTest, CompletesARoundThatIsFedInPieces) {
    epoch(0, 1, {kSentinel, 11});
    const auto events = teller.aggregation({1, 3});

    EXPECT_THAT(feed({events[0], events[1]}), IsEmpty());
    EXPECT_EQ(decoder.waiting(), 1U);
    EXPECT_THAT(feed({events[2]}), IsEmpty());
    EXPECT_THAT(keys_of(feed({events[3]})), ElementsAre(11));
}

TEST_F(DecoderTest, KeepsTwoKdamondsApartThatTellAtOnce) {
    Teller other{.pid = 8};
    epoch(0, 1, {kSentinel, 11}, 7);
    epoch(0, 1, {kSentinel, 21}, 8);
    const auto a = teller.aggregation({1, 2});
    const auto b = other.aggregation({1, 2});

    const auto rounds = feed({a[0], b[0], b[1], a[1], b[2], a[2]});
    EXPECT_THAT(keys_of(rounds), ElementsAre(21, 11));
}

TEST_F(DecoderTest, DropsARoundOfWhichAnEventWasLost) {
    epoch(0, 1, {kSentinel, 11, 12, 13});
    auto events = teller.aggregation({1, 3, 3, 3});
    events.erase(events.begin() + 2);

    EXPECT_THAT(keys_of(feed(events)), ElementsAre(12, 13));
    EXPECT_EQ(decoder.counters().lost, 1U);
    EXPECT_EQ(decoder.counters().incomplete, 2U);
}

TEST_F(DecoderTest, MakesNoRoundOfTheEndsOfTwo) {
    // Lost: the upper half of the first aggregation and the lower one of the second. What is left
    // has the right count and rises.
    epoch(0, 1, {11});
    const auto before = teller.aggregation({4});
    const auto first = teller.aggregation({4});
    const auto second = teller.aggregation({4});
    const auto third = teller.aggregation({4});

    EXPECT_THAT(feed(before), IsEmpty()); // nobody knows yet whether these are all
    EXPECT_THAT(feed({first[0], first[1], second[2], second[3]}), IsEmpty());
    EXPECT_EQ(decoder.counters().lost, 4U);
    EXPECT_THAT(keys_of(feed(third)), ElementsAre(11));
    EXPECT_EQ(decoder.counters().incomplete, 8U);
}

TEST_F(DecoderTest, FollowsALossOfSeveralTargets) {
    epoch(0, 1, {kSentinel, 11, 12, 13});
    auto events = teller.aggregation({1, 3, 3, 3});
    events.erase(events.begin() + 3, events.begin() + 9);

    EXPECT_THAT(feed(events), IsEmpty());
    EXPECT_EQ(decoder.counters().lost, 6U);
    EXPECT_THAT(keys_of(feed(teller.aggregation({1, 3, 3, 3}))), ElementsAre(11, 12, 13));
}

TEST_F(DecoderTest, TellsATargetWhoseRegionsMovedUp) {
    epoch(0, 1, {11});
    feed(teller.aggregation({2}));
    EXPECT_THAT(keys_of(feed(teller.aggregation({2}))), ElementsAre(11));
    std::vector<Event> moved = teller.aggregation({2});
    for (Event& event : moved) {
        event.region.range.start += 0x100000;
        event.region.range.end += 0x100000;
    }
    EXPECT_THAT(keys_of(feed(moved)), ElementsAre(11));
}

TEST_F(DecoderTest, FollowsASequenceThatWraps) {
    teller.sequence = UINT32_MAX - 2;
    epoch(0, 1, {kSentinel, 11});
    EXPECT_THAT(keys_of(feed(teller.aggregation({1, 6}))), ElementsAre(11));
    EXPECT_EQ(decoder.counters().lost, 0U);
}

TEST_F(DecoderTest, BeginsAnewWhereTheSequenceDoes) {
    epoch(0, 1, {kSentinel, 11});
    EXPECT_THAT(keys_of(feed(teller.aggregation({1, 3}))), ElementsAre(11));
    teller.sequence = 0;
    EXPECT_THAT(keys_of(feed(teller.aggregation({1, 3}))), ElementsAre(11));
    EXPECT_EQ(decoder.counters().lost, 0U);
}

TEST_F(DecoderTest, DropsWhatWasToldDuringACommit) {
    epoch(0, 1, {kSentinel, 11, 12});
    epoch(103, 104, {kSentinel, 12});
    // Told at 100, 101 and 102; 103 and 104; 105.
    auto events = teller.aggregation({1, 2, 2});
    events.push_back(teller.event(0, 1, 0));

    EXPECT_THAT(keys_of(feed(events)), ElementsAre(11));
    EXPECT_EQ(decoder.counters().in_commit, 2U);
    EXPECT_EQ(decoder.counters().sentinel, 2U);
    EXPECT_THAT(keys_of(feed(teller.aggregation({1, 2}))), ElementsAre(12));
}

TEST_F(DecoderTest, DropsARoundThatACommitCutsInTwo) {
    epoch(0, 1, {kSentinel, 11});
    const auto events = teller.aggregation({1, 3});
    teller.now = 201;
    epoch(102, 102, {kSentinel, 12});

    EXPECT_THAT(feed(events), IsEmpty());
    EXPECT_EQ(decoder.counters().in_commit, 1U);
    EXPECT_EQ(decoder.counters().incomplete, 2U);
}

TEST_F(DecoderTest, DropsARoundWhoseEventsStandOnBothSidesOfACommit) {
    epoch(0, 1, {kSentinel, 11});
    auto events = teller.aggregation({1, 2});
    epoch(150, 160, {kSentinel, 12});
    events.back().at = at(170);

    EXPECT_THAT(feed(events), IsEmpty());
    EXPECT_EQ(decoder.counters().incomplete, 2U);
}

TEST_F(DecoderTest, HoldsYoungerEventsUntilTheCommitEnds) {
    epoch(0, 1, {kSentinel, 11});
    decoder.begin(7, at(104));
    // 100 to 103 before it, 104 to 107 during it, 108 to 111 after it.
    std::vector<Event> events;
    for (int i = 0; i < 3; ++i) {
        const auto more = teller.aggregation({1, 3});
        events.insert(events.end(), more.begin(), more.end());
    }
    EXPECT_THAT(keys_of(feed(events)), ElementsAre(11));
    EXPECT_EQ(decoder.waiting(), 8U);

    epoch(104, 107, {kSentinel, 12});
    EXPECT_THAT(keys_of(feed({})), ElementsAre(12));
    EXPECT_EQ(decoder.counters().in_commit, 4U);
    EXPECT_EQ(decoder.waiting(), 0U);
}

TEST_F(DecoderTest, KeepsTheOrderWhereACommitFollowsAnother) {
    epoch(0, 1, {kSentinel, 11});
    decoder.begin(7, at(100));
    EXPECT_THAT(feed(teller.aggregation({1, 3})), IsEmpty());
    epoch(100, 102, {kSentinel, 12});
    const auto between = teller.aggregation({1, 3});
    decoder.begin(7, at(teller.now));
    EXPECT_THAT(keys_of(feed(between)), ElementsAre(12));
    EXPECT_EQ(decoder.counters().lost, 0U);
    EXPECT_EQ(decoder.counters().in_commit, 3U);
    EXPECT_EQ(decoder.counters().incomplete, 1U);
}

TEST_F(DecoderTest, HoldsEventsOfTheCommittingKdamondAlone) {
    Teller other{.pid = 8};
    epoch(0, 1, {kSentinel, 11}, 7);
    epoch(0, 1, {kSentinel, 21}, 8);
    decoder.begin(7, at(50));
    feed(teller.aggregation({1, 2}));
    EXPECT_THAT(keys_of(feed(other.aggregation({1, 2}))), ElementsAre(21));
}

TEST_F(DecoderTest, BoundsWhatACommitHolds) {
    epoch(0, 1, {kSentinel, 11});
    decoder.begin(7, at(50));
    for (std::size_t i = 0; i < 3 * Decoder::kMaxHeld / 1000; ++i) {
        feed(teller.aggregation({1, 999}));
        ASSERT_LE(decoder.waiting(), Decoder::kMaxHeld);
    }
    EXPECT_EQ(decoder.counters().in_commit, 2 * Decoder::kMaxHeld);
    EXPECT_EQ(decoder.counters().lost, 0U);
    epoch(50, teller.now - 1, {kSentinel, 12});
    EXPECT_THAT(feed({}), IsEmpty());
    EXPECT_THAT(keys_of(feed(teller.aggregation({1, 999}))), ElementsAre(12));
}

TEST_F(DecoderTest, CountsWhatItDoesNotKnow) {
    epoch(110, 111, {kSentinel, 11});
    Teller stranger{.pid = 99};
    EXPECT_THAT(feed(stranger.aggregation({2})), IsEmpty());
    // Before the first epoch, and beyond its table.
    EXPECT_THAT(feed(teller.aggregation({1, 2})), IsEmpty());
    EXPECT_EQ(decoder.counters().unknown, 5U);
    teller.now = 120;
    EXPECT_THAT(keys_of(feed(teller.aggregation({1, 2, 3}))), ElementsAre(11));
    EXPECT_EQ(decoder.counters().unknown, 8U);
}

TEST_F(DecoderTest, ForgetsAKdamond) {
    epoch(0, 1, {kSentinel, 11});
    decoder.begin(7, at(103));
    feed(teller.aggregation({1, 4}));
    decoder.forget(7);
    EXPECT_EQ(decoder.waiting(), 0U);
    EXPECT_EQ(decoder.counters().incomplete, 2U);
    EXPECT_EQ(decoder.counters().unknown, 2U);
    feed(teller.aggregation({1, 4}));
    EXPECT_EQ(decoder.counters().unknown, 7U);
}

TEST_F(DecoderTest, KeepsTheNewestEpochs) {
    for (std::int64_t i = 0; i < 100; ++i) {
        epoch(10 * i, 10 * i + 1, {kSentinel, static_cast<TargetKey>(100 + i)});
    }
    teller.now = 985;
    EXPECT_THAT(keys_of(feed(teller.aggregation({1, 3}))), ElementsAre(198));
    teller.sequence = 0;
    teller.now = 100;
    EXPECT_THAT(feed(teller.aggregation({1, 3})), IsEmpty());
    EXPECT_EQ(decoder.counters().unknown, 4U);
}

/// Kdamonds that tell, commit and lose at random, and what they truly told of whom.
class Storm {
public:
    explicit Storm(unsigned seed) : random_(seed) {}

    void run() {
        for (int pid = 1; pid <= 3; ++pid) {
            tellers_.push_back({.pid = pid});
            commit(tellers_.back(), false);
        }
        for (int step = 0; step < 300; ++step) {
            Teller& teller = tellers_[below(tellers_.size())];
            if (below(5) == 0) {
                commit(teller, below(2) == 0);
            }
            tell(teller);
            if (below(3) == 0) {
                flush();
            }
        }
        for (Teller& teller : tellers_) {
            commit(teller, false);
        }
        flush();
        expect_balanced(decoder_);
        EXPECT_EQ(decoder_.counters().told, told_);
        EXPECT_GT(rounds_, 100U);
        EXPECT_LE(decoder_.counters().lost, lost_);
        EXPECT_GT(decoder_.counters().lost, 0U);
    }

private:
    std::size_t below(std::size_t end) { return random_() % end; }

    /// A commit takes some time, within which its index table may be either.
    void commit(Teller& teller, bool tells) {
        const TimePoint begin = at(teller.now++);
        decoder_.begin(teller.pid, begin);
        if (tells) {
            in_commit_ = true;
            tell(teller);
            in_commit_ = false;
            flush();
        }
        auto& keys = keys_[teller.pid];
        keys.assign(1, kSentinel);
        while (keys.size() < 2 + below(5)) {
            keys.push_back(++last_key_);
        }
        decoder_.end(
            {.kdamond = teller.pid, .begin = begin, .end = at(teller.now++), .keys = keys});
    }

    void tell(Teller& teller) {
        const auto& keys = keys_[teller.pid];
        std::vector<std::uint32_t> targets(keys.size());
        for (auto& count : targets) {
            count = static_cast<std::uint32_t>(1 + below(6));
        }
        for (const Event& event : teller.aggregation(targets)) {
            if (!in_commit_ && keys[event.index] != kSentinel) {
                truth_[keys[event.index]][event.at] = event;
            }
            losing_ = losing_ ? below(4) != 0 : below(60) == 0;
            lost_ += losing_ ? 1U : 0U;
            if (!losing_) {
                ring_.push_back(event);
            }
        }
    }

    void flush() {
        std::vector<Round> rounds;
        decoder_.feed(ring_, rounds);
        ring_.clear();
        for (const Round& round : rounds) {
            check(round);
        }
    }

    /// The round is one that was told, whole, and is told but once.
    void check(const Round& round) {
        ++rounds_;
        auto& events = truth_[round.key];
        auto last = events.find(round.at);
        ASSERT_NE(last, events.end()) << "told twice, or to another";
        ASSERT_EQ(last->second.nr_regions, round.regions.size());
        ++last;
        for (auto region = round.regions.rbegin(); region != round.regions.rend(); ++region) {
            --last;
            EXPECT_EQ(last->second.region.range, region->range);
            last = events.erase(last);
        }
        told_ += round.regions.size();
    }

    std::mt19937 random_;
    Decoder decoder_;
    std::vector<Teller> tellers_;
    std::map<int, std::vector<TargetKey>> keys_;
    std::map<TargetKey, std::map<TimePoint, Event>> truth_;
    std::vector<Event> ring_;
    TargetKey last_key_ = 0;
    bool losing_ = false;
    bool in_commit_ = false;
    std::uint64_t lost_ = 0;
    std::uint64_t told_ = 0;
    std::uint64_t rounds_ = 0;
};

TEST(DecoderProperty, EachRoundIsOneThatWasToldAndIsToldOnce) {
    for (unsigned seed = 1; seed <= 50; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Storm(seed).run();
    }
}

} // namespace
} // namespace cgtide::damon
