#include "engine/monitor/generations.hpp"
#include "tests/support/temp_dir.hpp"

#include <gmock/gmock.h>

namespace cgtide::monitor {
namespace {

using model::IdleSlice;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint64_t kPages = 256; ///< of a MiB

Bytes mib(std::uint64_t count) {
    return Bytes{count << 20U};
}

TimePoint at(int seconds) {
    return TimePoint(std::chrono::seconds(seconds));
}

IdleSlice slice(int seconds, std::uint64_t anon) {
    return {Microseconds(seconds * 1'000'000LL), mib(anon), Bytes{}};
}

/// 80 MiB that were used until the 100th second, 16 until the 110th, 32 until the walk at the
/// 120th.
GenerationFigures figures() {
    return {.at = at(120),
            .watched = Microseconds(30'000'000),
            .resolution = Microseconds(5'000'000),
            .cost = {},
            .anon = {{at(120), 32 * kPages}, {at(100), 80 * kPages}, {at(110), 16 * kPages}}};
}

TEST(GenerationView, TellsAnonymousMemoryByTheTimeSinceItWasUsed) {
    const auto view = generation_view(figures(), {mib(128), mib(10)});
    EXPECT_EQ(view.source, model::IdleSource::generations);
    EXPECT_EQ(view.at, at(120));
    EXPECT_EQ(view.watched, Microseconds(30'000'000));
    EXPECT_EQ(view.resolution, Microseconds(5'000'000));
    EXPECT_THAT(view.slices, ElementsAre(slice(0, 32), slice(10, 16), slice(20, 80)));
    EXPECT_EQ(view.unseen, mib(10)); // page cache
}

TEST(GenerationView, TakesTheLongestIdleForSharedMemory) {
    const auto view = generation_view(figures(), {mib(38), mib(90), mib(90)});
    EXPECT_THAT(view.slices, ElementsAre(slice(0, 32), slice(10, 6)));
    EXPECT_EQ(view.unseen, mib(90));
}

TEST(GenerationView, TellsNoMoreThanIsCharged) {
    const auto view = generation_view(figures(), {mib(64), mib(0)});
    EXPECT_THAT(view.slices, ElementsAre(slice(0, 16), slice(10, 8), slice(20, 40)));
    EXPECT_EQ(view.unseen, Bytes{});
    EXPECT_THAT(generation_view({}, {mib(64), mib(0)}).slices, IsEmpty());
}

TEST(Generations, AContainerThatTheFileDoesNotNameHasNoFigures) {
    const test::TempDir dir;
    dir.write("kernel/mm/lru_gen/enabled", "0x0007\n");
    dir.write("kernel/debug/lru_gen", "memcg 1 /\n node 0\n 0 1 2 3\n");
    dir.make("group");
    auto file = damon::LruGen::open(*Dir::open(dir.path()));
    ASSERT_TRUE(file) << file.error().message();
    Generations generations(std::move(*file));
    auto group = cgroup::Group::open(dir.dir("group"));
    ASSERT_TRUE(group) << group.error().message();
    const CgroupId id = group->id();
    const Wish wish{id, std::make_shared<cgroup::Group>(std::move(*group)), "/web", {}};
    EXPECT_TRUE(generations.walk({}));
    EXPECT_TRUE(generations.walk({wish}));
    EXPECT_EQ(generations.figures(wish.id), nullptr);
    EXPECT_EQ(dir.read("kernel/debug/lru_gen"), "memcg 1 /\n node 0\n 0 1 2 3\n");
}

} // namespace
} // namespace cgtide::monitor
