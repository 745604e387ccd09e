#include "engine/apps/actuator_choice.hpp"

#include <gtest/gtest.h>

namespace cgtide::apps {
namespace {

using model::Actuator;
using model::Actuators;
using model::IdleSource;
using model::Pages;

constexpr Actuators kAll{
    .pageout = true, .damos = true, .generations = true, .generations_anon = true};

Actuators wanting(Actuator actuator, Actuators actuators = kAll) {
    actuators.wanted = actuator;
    return actuators;
}

TEST(ActuatorChoice, RangesLeaveByAddressByDefault) {
    for (const auto source : {IdleSource::regions, IdleSource::regions_and_physical}) {
        EXPECT_EQ(choose_actuator(source, Pages::all, kAll), Actuator::pageout);
        EXPECT_EQ(choose_actuator(source, Pages::anon, kAll), Actuator::pageout);
    }
}

TEST(ActuatorChoice, GenerationsAreEvictedByDefaultWhereTheKernelCan) {
    EXPECT_EQ(choose_actuator(IdleSource::generations, Pages::all, kAll), Actuator::generations);
    EXPECT_EQ(choose_actuator(IdleSource::generations, Pages::all, {.pageout = true}),
              Actuator::memory_reclaim);
}

TEST(ActuatorChoice, GenerationsThatHoldPageCacheTooAreEvictedIfAskedAlone) {
    Actuators actuators = kAll;
    actuators.generations_anon = false;
    EXPECT_EQ(choose_actuator(IdleSource::generations, Pages::all, actuators),
              Actuator::memory_reclaim);
    EXPECT_EQ(choose_actuator(IdleSource::generations, Pages::all,
                              wanting(Actuator::generations, actuators)),
              Actuator::generations);
}

TEST(ActuatorChoice, WithoutTheRightToPageOutDamonDoes) {
    const Actuators actuators{.damos = true};
    EXPECT_EQ(choose_actuator(IdleSource::regions, Pages::all, actuators), Actuator::damos);
    // A scheme cannot tell kinds of pages apart.
    EXPECT_EQ(choose_actuator(IdleSource::regions, Pages::file, actuators),
              Actuator::memory_reclaim);
}

TEST(ActuatorChoice, WhatIsWantedIsTakenWhereItWorks) {
    EXPECT_EQ(choose_actuator(IdleSource::regions, Pages::all, wanting(Actuator::damos)),
              Actuator::damos);
    EXPECT_EQ(choose_actuator(IdleSource::regions, Pages::all, wanting(Actuator::memory_reclaim)),
              Actuator::memory_reclaim);
    EXPECT_EQ(choose_actuator(IdleSource::generations, Pages::all, wanting(Actuator::generations)),
              Actuator::generations);
}

TEST(ActuatorChoice, WhatIsWantedAndDoesNotWorkIsPassedOver) {
    EXPECT_EQ(choose_actuator(IdleSource::regions, Pages::all,
                              wanting(Actuator::damos, {.pageout = true})),
              Actuator::pageout);
    EXPECT_EQ(choose_actuator(IdleSource::regions, Pages::all, wanting(Actuator::generations)),
              Actuator::pageout);
    EXPECT_EQ(choose_actuator(IdleSource::generations, Pages::all, wanting(Actuator::pageout)),
              Actuator::generations);
}

TEST(ActuatorChoice, PhysicalRegionsHaveNoAddressesToAdvise) {
    for (const auto actuator : {Actuator::pageout, Actuator::damos, Actuator::generations}) {
        EXPECT_EQ(choose_actuator(IdleSource::physical, Pages::all, wanting(actuator)),
                  Actuator::memory_reclaim);
    }
}

} // namespace
} // namespace cgtide::apps
