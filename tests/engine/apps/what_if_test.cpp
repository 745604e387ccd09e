#include "engine/apps/what_if.hpp"
#include "tests/engine/apps/scene.hpp"

#include <gtest/gtest.h>

namespace cgtide::apps {
namespace {

using test::Scene;

constexpr Microseconds kMinute{60'000'000};

struct WhatIfScene : Scene {
    WhatIfScene() {
        see({{Microseconds(0), mebibytes(32), mebibytes(8)},
             {kMinute, mebibytes(40), mebibytes(10)},
             {5 * kMinute, mebibytes(24), mebibytes(10)}});
    }
    model::WhatIf ask(Microseconds idle) const { return what_if(policy, now, node, idle); }
};

TEST(WhatIf, TellsWhatWouldLeaveByKind) {
    const WhatIfScene scene;
    const model::WhatIf minute = scene.ask(kMinute);
    EXPECT_TRUE(minute.known);
    EXPECT_EQ(minute.anon, mebibytes(64));
    EXPECT_EQ(minute.file, mebibytes(20));
    EXPECT_EQ(minute.kept_by_floor, Bytes{});
    EXPECT_EQ(minute.kept_by_kind, Bytes{});
    EXPECT_EQ(minute.unproven, mebibytes(4)); // of 32 MiB of files 28 were seen
    const model::WhatIf five = scene.ask(5 * kMinute);
    EXPECT_EQ(five.anon, mebibytes(24));
    EXPECT_EQ(five.file, mebibytes(10));
}

TEST(WhatIf, KnowsNothingBeyondWhatWasWatched) {
    const WhatIfScene scene;
    EXPECT_FALSE(scene.ask(11 * kMinute).known);
}

TEST(WhatIf, SaysWhatTheFloorKeeps) {
    WhatIfScene scene;
    scene.now.protection.min = mebibytes(86); // of 128
    const model::WhatIf answer = scene.ask(kMinute);
    EXPECT_EQ(answer.floor, mebibytes(86));
    EXPECT_EQ(answer.anon, mebibytes(32)); // half of each kind
    EXPECT_EQ(answer.file, mebibytes(10));
    EXPECT_EQ(answer.kept_by_floor, mebibytes(42));
}

TEST(WhatIf, SaysWhatKindsAndSwapKeep) {
    WhatIfScene scene;
    scene.now.swap_limit = mebibytes(4);
    EXPECT_EQ(scene.ask(kMinute).anon, mebibytes(4));
    EXPECT_EQ(scene.ask(kMinute).kept_by_kind, mebibytes(60));
    scene.policy.reclaim.pages = model::Pages::file;
    EXPECT_EQ(scene.ask(kMinute).anon, Bytes{});
    EXPECT_EQ(scene.ask(kMinute).file, mebibytes(20));
    EXPECT_EQ(scene.ask(kMinute).kept_by_kind, mebibytes(64));
}

} // namespace
} // namespace cgtide::apps
