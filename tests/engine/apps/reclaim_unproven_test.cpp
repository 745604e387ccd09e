// The pace of unknown age.
#include "engine/apps/reclaim.hpp"
#include "tests/engine/apps/scene.hpp"

#include <gmock/gmock.h>

namespace cgtide::apps {
namespace {

using model::Actuator;
using model::InputKey;
using model::Pages;
using model::ReasonCode;
using test::ColdScene;
using test::Scene;

TEST(ReclaimUnproven, TakesOnlyTheUnseenAtTheProfilesPace) {
    ColdScene scene(Bytes{});
    scene.now.stat->file = scene.now.stat->inactive_file = mebibytes(100);
    scene.now.usage = mebibytes(132);
    const model::Decision decision = scene.step();
    EXPECT_EQ(decision.reason.code(), ReasonCode::reclaimed);
    EXPECT_EQ(decision.actuator, Actuator::memory_reclaim);
    EXPECT_EQ(decision.pages, Pages::file);
    EXPECT_FALSE(decision.proven.has_value());
    EXPECT_NEAR(static_cast<double>(decision.ask.count), 0.02 * 132 * 0x1p20, 1.0);
    EXPECT_DOUBLE_EQ(decision.reason.input(InputKey::unproven), 100 * 0x1p20);
}

TEST(ReclaimUnproven, GoesSlowerWhereLittleIsUnproven) {
    ColdScene scene(Bytes{});
    scene.now.stat->file = scene.now.stat->inactive_file = mebibytes(30);
    scene.now.usage = mebibytes(162);
    EXPECT_NEAR(static_cast<double>(scene.step().ask.count), 0.02 * 2 * 30 * 0x1p20, 1.0);
}

TEST(ReclaimUnproven, ATmpfsIsNoPageCache) {
    ColdScene scene(Bytes{});
    scene.now.stat->file = mebibytes(100);
    scene.now.stat->shmem = mebibytes(100);
    scene.now.stat->inactive_file = mebibytes(100);
    scene.now.usage = mebibytes(132);
    EXPECT_EQ(scene.step().reason.code(), ReasonCode::in_use);
}

TEST(ReclaimUnproven, WaitsWhileAnonymousMemoryGrows) {
    Scene scene;
    scene.step();
    scene.now.stat->anon = scene.now.stat->anon + mebibytes(4);
    const model::Reason reason = scene.step().reason;
    EXPECT_EQ(reason.code(), ReasonCode::growing);
    EXPECT_THAT(explain(reason),
                testing::HasSubstr("grew by 4.0 MiB in this period, over 1.3 MiB"));
    EXPECT_EQ(scene.step().reason.code(), ReasonCode::reclaimed);
}

TEST(ReclaimUnproven, GoesSlowerWhereScansFindLittle) {
    Scene scene;
    scene.step();
    scene.now.stat->pgscan += 10'000;
    scene.now.stat->pgsteal += 3'000; // half of kEfficiency
    EXPECT_NEAR(static_cast<double>(scene.step().ask.count), 0.01 * 0x1p27, 1.0);
}

TEST(ReclaimUnproven, GoesFasterWhereTheNodeRunsOutOfMemory) {
    Scene scene;
    scene.policy.profile = model::Profile{.ratio = 0.01, .period = Microseconds(2'000'000)};
    scene.policy.profile.max = BasisPoints{500.0};
    scene.node.memory_total = mebibytes(1000);
    scene.node.memory_available = mebibytes(100);
    scene.step();
    EXPECT_NEAR(static_cast<double>(scene.step().ask.count), 0.01 * 0x1p27, 1.0);
    scene.node.memory_available = mebibytes(65);
    EXPECT_NEAR(static_cast<double>(scene.step().ask.count), 0.03 * 0x1p27, 1.0);
    scene.node.memory_available = mebibytes(5);
    EXPECT_NEAR(static_cast<double>(scene.step().ask.count), 0.05 * 0x1p27, 1.0);
    scene.node.memory_available = Bytes{}; // the kernel says 0 at the worst moment
    EXPECT_NEAR(static_cast<double>(scene.step().ask.count), 0.05 * 0x1p27, 1.0);
    scene.node.memory_total = Bytes{}; // not known
    EXPECT_NEAR(static_cast<double>(scene.step().ask.count), 0.01 * 0x1p27, 1.0);
}

TEST(ReclaimUnproven, LeavesFilesThatProcessesOfOthersMap) {
    ColdScene scene(Bytes{});
    scene.now.stat->file = scene.now.stat->inactive_file = mebibytes(100);
    scene.now.stat->file_mapped = mebibytes(10);
    scene.now.usage = mebibytes(132);
    scene.view->mapped_file = mebibytes(8);
    const model::Decision decision = scene.step();
    EXPECT_EQ(decision.reason.code(), ReasonCode::shared_files);
    EXPECT_DOUBLE_EQ(decision.reason.input(InputKey::foreign), 2.0 * 0x1p20);
}

TEST(ReclaimUnproven, IsInUseWhereNothingOfItIsUnprovenWhoeverMapsItsFiles) {
    ColdScene scene(Bytes{});
    scene.now.stat->file_mapped = mebibytes(10);
    scene.view->mapped_file = mebibytes(8);
    EXPECT_EQ(scene.step().reason.code(), ReasonCode::in_use);
}

TEST(ReclaimUnproven, SaysSoAlsoBesideALittleAnonymousMemoryOfUnknownAge) {
    ColdScene scene(Bytes{});
    scene.now.stat->anon = scene.now.stat->anon + kibibytes(512);
    scene.now.stat->inactive_anon = scene.now.stat->anon;
    scene.now.stat->file = scene.now.stat->inactive_file = mebibytes(100);
    scene.now.stat->file_mapped = mebibytes(10);
    scene.view->mapped_file = mebibytes(8);
    EXPECT_EQ(scene.step().reason.code(), ReasonCode::shared_files);
}

} // namespace
} // namespace cgtide::apps
