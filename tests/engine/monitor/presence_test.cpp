#include "engine/monitor/presence.hpp"
#include "tests/support/times.hpp"

#include <gmock/gmock.h>

namespace cgtide::monitor {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Step = Presence::Step;

using test::at;

TEST(Presence, KnowsOfNothingAtFirst) {
    Presence presence;
    EXPECT_THAT(presence.steps(), IsEmpty());
    presence.add(0, at(1));
    EXPECT_THAT(presence.steps(), IsEmpty());
}

TEST(Presence, WhatCameLaterHasNotBeenThereForLonger) {
    Presence presence;
    presence.add(10, at(1));
    presence.add(10, at(2));
    presence.add(30, at(3));
    presence.add(25, at(4));
    EXPECT_THAT(presence.steps(), ElementsAre(Step{10, at(1)}, Step{25, at(3)}));
}

TEST(Presence, WhatLeftDoesNotComeBackAsOldAsItWas) {
    Presence presence;
    presence.add(30, at(1));
    presence.add(10, at(2));
    presence.add(30, at(3));
    EXPECT_THAT(presence.steps(), ElementsAre(Step{10, at(1)}, Step{30, at(3)}));
    presence.add(0, at(4));
    presence.add(30, at(5));
    EXPECT_THAT(presence.steps(), ElementsAre(Step{30, at(5)}));
}

TEST(Presence, FewStepsAreKeptAndNoneIsMadeOlder) {
    Presence presence;
    for (int i = 1; i <= 1000; ++i) {
        presence.add(static_cast<std::uint64_t>(i) * 7, at(i));
    }
    ASSERT_THAT(presence.steps(), SizeIs(Presence::kMostSteps));
    EXPECT_EQ(presence.steps().back(), (Step{7000, at(1000)}));
    std::uint64_t last = 0;
    for (const Step& step : presence.steps()) {
        EXPECT_GT(step.bytes, last);
        // At the second i there were 7 i bytes.
        EXPECT_GE(step.since, at(static_cast<int>(step.bytes / 7)));
        last = step.bytes;
    }
}

} // namespace
} // namespace cgtide::monitor
