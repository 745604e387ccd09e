#include "engine/model/reason.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cgtide::model {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr std::size_t kCodes = static_cast<std::size_t>(ReasonCode::trial) + 1;
constexpr std::size_t kKeys = static_cast<std::size_t>(InputKey::returned_bytes) + 1;

/// The inputs that an app gives with each code, all of which the sentence must show.
const std::map<ReasonCode, std::vector<InputKey>>& shown_inputs() {
    using enum InputKey;
    static const std::map<ReasonCode, std::vector<InputKey>> inputs{
        {ReasonCode::reclaimed, {usage, ask, memory_pressure, io_pressure, target, refault_bytes}},
        {ReasonCode::cold,
         {ask, InputKey::cold, idle, step, memory_pressure, io_pressure, target, refault_bytes}},
        {ReasonCode::saving, {usage, carried, limit}},
        {ReasonCode::warming, {usage}},
        {ReasonCode::young, {usage, age, idle}},
        {ReasonCode::pressure, {usage, memory_pressure, target}},
        {ReasonCode::io_pressure, {usage, InputKey::io_pressure, target}},
        {ReasonCode::refaults, {usage, refault_bytes, taken_bytes, limit, hold}},
        {ReasonCode::protected_floor, {usage, InputKey::floor}},
        {ReasonCode::no_swap, {usage, swap_free, limit, anon}},
        {ReasonCode::after_oom, {usage, hold}},
        {ReasonCode::frozen, {usage}},
        {ReasonCode::pages_unsupported, {usage}},
        {ReasonCode::nested, {usage}},
        {ReasonCode::busy, {usage}},
        {ReasonCode::cpu, {usage, cpu_used, cpu_share}},
        {ReasonCode::exhausted, {usage}},
        {ReasonCode::sensor, {usage}},
        {ReasonCode::in_use, {usage, idle, unproven}},
        {ReasonCode::growing, {usage, growth, limit}},
        {ReasonCode::shared_files, {usage, foreign, limit}},
        {ReasonCode::paused, {usage}},
        {ReasonCode::budget, {usage, ask, room, cpu_used}},
        {ReasonCode::promoting, {ask, fast, share, hot_slow}},
        {ReasonCode::demoting, {ask, fast, share, hot_slow, cold_fast}},
        {ReasonCode::placed, {usage, fast, share, hot_slow, cold_fast}},
        {ReasonCode::tier_full, {usage, fast, share, hot_slow, cold_fast, room}},
        {ReasonCode::returned, {usage, returned_bytes, moved_bytes, limit, hold}},
        {ReasonCode::unmovable, {usage}},
        {ReasonCode::no_tiers, {usage}},
        {ReasonCode::unplaced, {usage}},
        {ReasonCode::lower_tier, {usage}},
        {ReasonCode::homing, {ask, home, away}},
        {ReasonCode::at_home, {usage}},
        {ReasonCode::unbound, {usage}},
        {ReasonCode::home_full, {usage}},
        {ReasonCode::stuck, {usage, InputKey::cold, idle, hold}},
        {ReasonCode::trial, {usage, InputKey::cold, idle, age, hold}}};
    return inputs;
}

/// A value that no other key has, in whatever unit it is printed.
double distinct_value(InputKey key) {
    constexpr double kStep = 1'048'576.0;
    return kStep * (static_cast<double>(key) + 3.0);
}

TEST(ReasonTable, HasEveryCodeInItsOrder) {
    ASSERT_EQ(reason_table().size(), kCodes);
    for (std::size_t i = 0; i < kCodes; ++i) {
        EXPECT_EQ(reason_table()[i].code, static_cast<ReasonCode>(i)) << i;
        EXPECT_EQ(to_string(static_cast<ReasonCode>(i)), reason_table()[i].name);
    }
}

TEST(ReasonTable, NamesAreUniqueAndFitForMetrics) {
    std::set<std::string_view> names;
    for (const ReasonText& row : reason_table()) {
        EXPECT_TRUE(names.insert(row.name).second) << row.name;
        EXPECT_EQ(row.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz-"), std::string::npos)
            << row.name;
    }
}

TEST(ReasonTable, MeaningsAreSentences) {
    for (const ReasonText& row : reason_table()) {
        ASSERT_GT(row.meaning.size(), 10U) << row.name;
        EXPECT_TRUE(row.meaning.front() >= 'A' && row.meaning.front() <= 'Z') << row.meaning;
        EXPECT_EQ(row.meaning.back(), '.') << row.meaning;
    }
}

TEST(InputTable, NamesAreUniqueAndEndInTheirUnit) {
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < kKeys; ++i) {
        const std::string_view name = to_string(static_cast<InputKey>(i));
        EXPECT_TRUE(names.insert(name).second) << name;
        EXPECT_TRUE(name.ends_with("_bytes") || name.ends_with("_bp") || name.ends_with("_us"))
            << name;
    }
}

TEST(InputTable, ValuesArePrintedInTheirUnit) {
    EXPECT_EQ(format_input({InputKey::usage, 12.0 * 1048576.0}), "12.0 MiB");
    EXPECT_EQ(format_input({InputKey::io_pressure, 34.0}), "0.34 %");
    EXPECT_EQ(format_input({InputKey::hold, 10'000'000.0}), "10 s");
}

TEST(InputTable, BytesBelowZeroPrintAsNone) {
    EXPECT_EQ(format_input({InputKey::carried, -5.0}), "0 B");
}

TEST(Explain, EveryCodeNamesItsInputs) {
    ASSERT_EQ(shown_inputs().size(), kCodes);
    for (const auto& [code, keys] : shown_inputs()) {
        for (const InputKey key : keys) {
            const Reason reason(code, {{key, distinct_value(key)}});
            EXPECT_THAT(explain(reason), HasSubstr(format_input({key, distinct_value(key)})))
                << to_string(code) << " without " << to_string(key);
        }
    }
}

TEST(Explain, WhatWasNotTakenBeginsWithWhatWasKept) {
    for (const ReasonText& row : reason_table()) {
        if (row.code != ReasonCode::reclaimed && row.code != ReasonCode::cold &&
            row.code != ReasonCode::promoting && row.code != ReasonCode::demoting &&
            row.code != ReasonCode::homing) {
            const Reason reason(row.code, {{InputKey::usage, 12.0 * 1048576.0}});
            EXPECT_THAT(explain(reason), StartsWith("kept 12.0 MiB: ")) << row.name;
        }
    }
}

TEST(Explain, AReasonWithoutInputsHasASentenceAllTheSame) {
    for (const ReasonText& row : reason_table()) {
        EXPECT_GT(explain(Reason(row.code, {})).size(), 15U) << row.name;
    }
}

TEST(Explain, IsOneLineThatReadsWell) {
    const Reason pressure(ReasonCode::io_pressure, {{InputKey::usage, 12.1 * 1048576.0},
                                                    {InputKey::io_pressure, 34.0},
                                                    {InputKey::target, 10.0}});
    EXPECT_EQ(explain(pressure), "kept 12.1 MiB: io pressure 0.34 % over 0.10 %");
    EXPECT_EQ(explain(Reason(ReasonCode::frozen, {{InputKey::usage, 4096.0}})),
              "kept 4.0 KiB: the cgroup is frozen");
    EXPECT_EQ(explain(Reason(ReasonCode::exhausted, {{InputKey::usage, 4096.0}})),
              "kept 4.0 KiB: no pages of the wanted kind are left");
}

TEST(Reason, KeepsInputsInTheirOrder) {
    const Reason reason(ReasonCode::young, {{InputKey::age, 5.0}, {InputKey::idle, 10.0}});
    const auto inputs = reason.inputs();
    ASSERT_EQ(inputs.size(), 2U);
    EXPECT_EQ(inputs[0].key, InputKey::age);
    EXPECT_DOUBLE_EQ(inputs[0].value, 5.0);
    EXPECT_EQ(inputs[1].key, InputKey::idle);
    EXPECT_DOUBLE_EQ(reason.input(InputKey::idle), 10.0);
    EXPECT_DOUBLE_EQ(reason.input(InputKey::usage), 0.0);
    EXPECT_EQ(reason.code(), ReasonCode::young);
}

TEST(Reason, CutsInputsBeyondTheMost) {
    using enum InputKey;
    const Reason reason(ReasonCode::reclaimed, {{usage, 1.0},
                                                {InputKey::floor, 2.0},
                                                {ask, 3.0},
                                                {carried, 4.0},
                                                {target, 5.0},
                                                {hold, 6.0},
                                                {age, 7.0},
                                                {growth, 7.5},
                                                {home, 7.75},
                                                {idle, 8.0}});
    ASSERT_EQ(reason.inputs().size(), Reason::kMaxInputs);
    EXPECT_DOUBLE_EQ(reason.input(age), 7.0);
    EXPECT_DOUBLE_EQ(reason.input(idle), 0.0);
}

TEST(Reason, IsEmptyByDefault) {
    EXPECT_EQ(Reason().code(), ReasonCode::warming);
    EXPECT_TRUE(Reason().inputs().empty());
}

} // namespace
} // namespace cgtide::model
