#include "engine/monitor/choice.hpp"

#include <gtest/gtest.h>

namespace cgtide::monitor {
namespace {

using model::IdleChoice;
using model::IdleSensor;
using model::IdleSource;

constexpr Microseconds kLong{60'000'000};

std::shared_ptr<const model::IdleView> view(IdleSource source, std::uint64_t bytes) {
    model::IdleView made;
    made.source = source;
    made.slices = {{Microseconds(0), Bytes{bytes}, Bytes{}}};
    return std::make_shared<const model::IdleView>(made);
}

std::shared_ptr<const model::IdleView> watched(IdleSource source, std::uint64_t bytes,
                                               Microseconds time) {
    model::IdleView made = *view(source, bytes);
    made.watched = time;
    return std::make_shared<const model::IdleView>(made);
}

IdleViews both(std::uint64_t regions, std::uint64_t generations) {
    return {view(IdleSource::regions, regions), view(IdleSource::generations, generations)};
}

void expect(const std::shared_ptr<const model::IdleView>& chosen, IdleSource source,
            IdleChoice choice) {
    ASSERT_NE(chosen, nullptr);
    EXPECT_EQ(chosen->source, source);
    EXPECT_EQ(chosen->choice, choice);
}

TEST(Choice, PrefersRegionsUnlessTheySeeLess) {
    expect(choose(both(100, 100), IdleSensor::automatic), IdleSource::regions,
           IdleChoice::preferred);
    expect(choose(both(99, 100), IdleSensor::automatic), IdleSource::generations,
           IdleChoice::sees_more);
}

TEST(Choice, TakesWhatThereIs) {
    expect(choose({view(IdleSource::regions, 1), nullptr}, IdleSensor::automatic),
           IdleSource::regions, IdleChoice::preferred);
    expect(choose({nullptr, view(IdleSource::generations, 1)}, IdleSensor::automatic),
           IdleSource::generations, IdleChoice::only);
    EXPECT_EQ(choose({}, IdleSensor::automatic), nullptr);
}

TEST(Choice, ObeysTheConfiguration) {
    expect(choose(both(1, 100), IdleSensor::regions), IdleSource::regions, IdleChoice::configured);
    expect(choose(both(100, 1), IdleSensor::generations), IdleSource::generations,
           IdleChoice::configured);
    EXPECT_EQ(choose({nullptr, view(IdleSource::generations, 1)}, IdleSensor::regions), nullptr);
}

TEST(Choice, ASensorThatHasJustBegunDoesNotTakeOver) {
    constexpr Microseconds kShort{10'000'000};
    constexpr Microseconds kHour{3'600'000'000};
    const auto chosen = [](Microseconds regions, std::uint64_t seen, Microseconds generations) {
        return choose({watched(IdleSource::regions, seen, regions),
                       watched(IdleSource::generations, 90, generations)},
                      IdleSensor::automatic);
    };
    expect(chosen(kHour, 50, kShort), IdleSource::regions, IdleChoice::watches_longer);
    expect(chosen(kHour, 50, kLong), IdleSource::generations, IdleChoice::sees_more);
    expect(chosen(kShort, 50, kShort), IdleSource::generations, IdleChoice::sees_more);
    expect(chosen(kShort, 100, kHour), IdleSource::generations, IdleChoice::watches_longer);
    expect(chosen(kLong, 100, kHour), IdleSource::regions, IdleChoice::preferred);
}

TEST(Choice, GenerationsAreWalkedOnlyWhereTheyAreNeeded) {
    const Charged charged{Bytes{100}, Bytes{1000}};
    const auto wants = [&](std::uint64_t seen) {
        return wants_generations(IdleSensor::automatic, true,
                                 {view(IdleSource::regions, seen), nullptr}, charged, kLong);
    };
    EXPECT_FALSE(wants(100));
    EXPECT_FALSE(wants(80));
    EXPECT_TRUE(wants(79));
    EXPECT_TRUE(wants_generations(IdleSensor::automatic, false, {}, charged, {}));
    EXPECT_FALSE(wants_generations(IdleSensor::automatic, true, {}, charged, {}));
    EXPECT_TRUE(wants_generations(IdleSensor::automatic, true, {}, charged, kLong));
    EXPECT_FALSE(wants_generations(IdleSensor::regions, false, {}, charged, kLong));
    EXPECT_TRUE(wants_generations(IdleSensor::generations, true,
                                  {view(IdleSource::regions, 100), nullptr}, charged, kLong));
}

TEST(Choice, WalksGoOnUntilRegionsCouldTakeOver) {
    const Charged charged{Bytes{100}, Bytes{}};
    const auto wants = [&](std::uint64_t seen, Microseconds regions) {
        return wants_generations(IdleSensor::automatic, true,
                                 {watched(IdleSource::regions, seen, regions),
                                  watched(IdleSource::generations, 100, 2 * kLong)},
                                 charged, kLong);
    };
    EXPECT_TRUE(wants(89, kLong));
    EXPECT_FALSE(wants(90, kLong));
    EXPECT_TRUE(wants(100, kLong / 2));
}

TEST(Choice, PhysicalRegionsAreLeftWhereThereIsNothingElse) {
    IdleViews views{nullptr, nullptr, view(IdleSource::physical, 50)};
    expect(choose(views, IdleSensor::automatic), IdleSource::physical, IdleChoice::only);
    expect(choose(views, IdleSensor::physical), IdleSource::physical, IdleChoice::configured);
    EXPECT_EQ(choose(views, IdleSensor::regions), nullptr);
    views.generations = view(IdleSource::generations, 1);
    expect(choose(views, IdleSensor::automatic), IdleSource::generations, IdleChoice::only);
    expect(choose(views, IdleSensor::physical), IdleSource::physical, IdleChoice::configured);
    views.regions = view(IdleSource::regions, 1);
    EXPECT_NE(choose(views, IdleSensor::automatic)->source, IdleSource::physical);
    EXPECT_EQ(choose({}, IdleSensor::physical), nullptr);
}

TEST(Choice, PhysicalRegionsCompleteRegionsOrReplaceWhatDoesNotWork) {
    EXPECT_EQ(physical_use(IdleSensor::automatic, true, true), PhysicalUse::page_cache);
    EXPECT_EQ(physical_use(IdleSensor::automatic, true, false), PhysicalUse::page_cache);
    EXPECT_EQ(physical_use(IdleSensor::automatic, false, true), PhysicalUse::nothing);
    EXPECT_EQ(physical_use(IdleSensor::automatic, false, false), PhysicalUse::everything);
    EXPECT_EQ(physical_use(IdleSensor::physical, true, true), PhysicalUse::everything);
    EXPECT_EQ(physical_use(IdleSensor::regions, true, true), PhysicalUse::nothing);
    EXPECT_EQ(physical_use(IdleSensor::generations, false, true), PhysicalUse::nothing);
}

} // namespace
} // namespace cgtide::monitor
