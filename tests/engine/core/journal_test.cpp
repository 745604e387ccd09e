#include "engine/core/journal.hpp"

#include <gtest/gtest.h>

namespace cgtide::core {
namespace {

using model::AppName;
using model::Input;
using model::InputKey;
using model::Reason;
using model::ReasonCode;

model::Decision decision(ReasonCode code, double usage = 1.0, Bytes ask = {}) {
    return {AppName::reclaim, CgroupId{7}, ask, model::Pages::all,
            Reason(code, {Input{InputKey::usage, usage}})};
}

/// Requests, which are never one entry with another.
std::uint64_t add_request(Journal& journal, std::int64_t at) {
    return journal.add(decision(ReasonCode::reclaimed, 1.0, mebibytes(1)), true, at);
}

model::Outcome outcome(Bytes taken) {
    model::Outcome result;
    result.taken = taken;
    return result;
}

TEST(Journal, IsEmptyAtFirst) {
    const Journal journal;
    EXPECT_TRUE(journal.last(0).empty());
    EXPECT_EQ(journal.newest(), std::nullopt);
    EXPECT_EQ(journal.dropped(), 0U);
    EXPECT_EQ(journal.taken(), Bytes{});
}

TEST(Journal, EqualDecisionsThatAskForNothingAreOneEntry) {
    Journal journal;
    const auto first = journal.add(decision(ReasonCode::pressure, 10.0), false, 1000);
    EXPECT_EQ(journal.add(decision(ReasonCode::pressure, 20.0), false, 2000), first);
    EXPECT_EQ(journal.add(decision(ReasonCode::pressure, 30.0), false, 3000), first);
    const auto entries = journal.last(0);
    ASSERT_EQ(entries.size(), 1U);
    EXPECT_EQ(entries[0].repeats, 3U);
    EXPECT_EQ(entries[0].wall_ms, 1000);
    EXPECT_EQ(entries[0].last_ms, 3000);
    EXPECT_DOUBLE_EQ(entries[0].reason.input(InputKey::usage), 30.0);
}

TEST(Journal, AnotherReasonBeginsAnEntry) {
    Journal journal;
    journal.add(decision(ReasonCode::pressure), false, 1);
    journal.add(decision(ReasonCode::frozen), false, 2);
    journal.add(decision(ReasonCode::pressure), false, 3);
    const auto entries = journal.last(0);
    ASSERT_EQ(entries.size(), 3U);
    EXPECT_EQ(entries[0].sequence, 1U);
    EXPECT_EQ(entries[2].sequence, 3U);
    EXPECT_EQ(entries[2].repeats, 1U);
}

TEST(Journal, AnotherAppBeginsAnEntry) {
    Journal journal;
    journal.add(decision(ReasonCode::sensor), false, 1);
    model::Decision other = decision(ReasonCode::sensor);
    other.app = AppName::stat;
    journal.add(other, false, 2);
    EXPECT_EQ(journal.last(0).size(), 2U);
}

TEST(Journal, AppsThatDecideByTurnsFillNoRing) {
    Journal journal;
    model::Decision other = decision(ReasonCode::placed);
    other.app = AppName::tier;
    for (int i = 0; i < 200; ++i) {
        journal.add(decision(ReasonCode::in_use), false, i);
        journal.add(other, false, i);
    }
    ASSERT_EQ(journal.last(0).size(), 2U);
    EXPECT_EQ(journal.last(0)[0].repeats, 200U);
    EXPECT_EQ(journal.last(0)[1].last_ms, 199);
}

TEST(Journal, WhatMovesBetweenTiersIsNotTaken) {
    Journal journal;
    const auto first = add_request(journal, 1);
    model::Outcome moved = outcome(mebibytes(3));
    moved.move = model::Move::demote;
    journal.settle(first, moved);
    EXPECT_EQ(journal.taken(), Bytes{});
    EXPECT_EQ(journal.last(0)[0].outcome->taken, mebibytes(3));
}

TEST(Journal, AnEntryNamesTheActuatorThatStoodIn) {
    Journal journal;
    const std::uint64_t sequence = add_request(journal, 1);
    model::Outcome by_address = outcome({});
    by_address.actuator = model::Actuator::move_pages;
    journal.settle(sequence, by_address);
    EXPECT_EQ(journal.last(0).back().actuator, model::Actuator::move_pages);
}

TEST(Journal, RequestsAreNeverMerged) {
    Journal journal;
    EXPECT_NE(add_request(journal, 1), add_request(journal, 2));
    EXPECT_EQ(journal.last(0).size(), 2U);
}

TEST(Journal, ADryRunsRequestDoesNotSwallowARealOne) {
    Journal journal;
    journal.add(decision(ReasonCode::reclaimed), false, 1);
    add_request(journal, 2);
    journal.add(decision(ReasonCode::reclaimed), false, 3);
    EXPECT_EQ(journal.last(0).size(), 3U);
}

TEST(Journal, LastGivesTheNewestOldestFirst) {
    Journal journal;
    for (int i = 1; i <= 5; ++i) {
        add_request(journal, i);
    }
    const auto entries = journal.last(2);
    ASSERT_EQ(entries.size(), 2U);
    EXPECT_EQ(entries[0].wall_ms, 4);
    EXPECT_EQ(entries[1].wall_ms, 5);
    EXPECT_EQ(journal.last(99).size(), 5U);
    EXPECT_EQ(journal.newest()->wall_ms, 5);
}

TEST(Journal, LetsTheOldestGoWhenFull) {
    constexpr auto kMore = static_cast<std::int64_t>(Journal::kCapacity) + 10;
    Journal journal;
    for (std::int64_t i = 1; i <= kMore; ++i) {
        add_request(journal, i);
        ASSERT_EQ(journal.newest()->wall_ms, i);
    }
    const auto entries = journal.last(0);
    ASSERT_EQ(entries.size(), Journal::kCapacity);
    EXPECT_EQ(journal.dropped(), 10U);
    for (std::size_t i = 0; i < entries.size(); ++i) {
        EXPECT_EQ(entries[i].sequence, i + 11);
    }
}

TEST(Journal, CoalescesAcrossTheRingsSeam) {
    Journal journal;
    for (std::size_t i = 1; i < Journal::kCapacity; ++i) {
        add_request(journal, 1);
    }
    for (std::int64_t i = 0; i < 200; ++i) {
        journal.add(decision(ReasonCode::frozen), false, i);
    }
    EXPECT_EQ(journal.dropped(), 0U);
    EXPECT_EQ(journal.newest()->repeats, 200U);
    journal.add(decision(ReasonCode::young), false, 1);
    journal.add(decision(ReasonCode::young), false, 2);
    EXPECT_EQ(journal.dropped(), 1U);
    EXPECT_EQ(journal.newest()->repeats, 2U);
}

TEST(Journal, SettleAddsTheOutcomeToItsEntry) {
    Journal journal;
    const auto first = add_request(journal, 1);
    const auto second = add_request(journal, 2);
    journal.settle(first, outcome(mebibytes(3)));
    journal.settle(second, outcome(mebibytes(4)));
    const auto entries = journal.last(0);
    EXPECT_EQ(entries[0].outcome->taken, mebibytes(3));
    EXPECT_EQ(entries[1].outcome->taken, mebibytes(4));
    EXPECT_EQ(journal.taken(), mebibytes(7));
}

TEST(Journal, SettleAfterTheRingLetGoCountsBytesAlone) {
    Journal journal;
    const auto first = add_request(journal, 1);
    for (std::size_t i = 0; i < Journal::kCapacity; ++i) {
        add_request(journal, 2);
    }
    journal.settle(first, outcome(mebibytes(5)));
    EXPECT_EQ(journal.taken(), mebibytes(5));
    for (const model::JournalEntry& entry : journal.last(0)) {
        EXPECT_EQ(entry.outcome, std::nullopt);
    }
}

} // namespace
} // namespace cgtide::core
