#include "engine/monitor/physical_view.hpp"
#include "tests/engine/monitor/memory.hpp"

#include <algorithm>
#include <random>

#include <gmock/gmock.h>

namespace cgtide::monitor {
namespace {

using damon::CountedRegion;
using damon::PageClass;
using damon::Range;
using model::IdleSlice;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

using test::kMiB;
using test::kSecond;
using test::piece;
using test::second;
using test::unsure_piece;
const Charged kCharged{mebibytes(1000), mebibytes(1000)};

CountedRegion counted_region(std::uint64_t start, std::uint64_t end, std::uint64_t mib) {
    return {{start * kMiB, end * kMiB}, mib * kMiB};
}
IdleSlice file_slice(std::int64_t seconds, std::uint64_t mib, std::uint64_t unsure = 0) {
    return {kSecond * seconds, {}, mebibytes(mib), mebibytes(unsure)};
}

/// The slices of file pages that were there from the beginning, at second 100.
std::vector<IdleSlice> slices(const std::vector<CountedRegion>& regions,
                              const std::vector<IdleRange>& ages,
                              std::vector<Presence::Step> presence = {{UINT64_MAX, second(0)}}) {
    const PlacedPages pages{PageClass::file, regions, presence};
    return physical_view({&pages, 1}, kCharged, {second(100), kSecond, 100 * kSecond, ages}).slices;
}

TEST(PhysicalView, AFullRegionHasTheAgesOfItsParts) {
    EXPECT_THAT(slices({counted_region(0, 100, 100)}, {piece(0, 60, 50), piece(60, 100, 5)}),
                ElementsAre(file_slice(5, 40), file_slice(50, 60)));
}

TEST(PhysicalView, WhichPartsOfARegionAreWhoseIsUnsure) {
    // 50 of 100: the 40 youngest are in use by others, or not.
    EXPECT_THAT(slices({counted_region(0, 100, 50)}, {piece(0, 60, 50), piece(60, 100, 5)}),
                ElementsAre(file_slice(5, 40, 40), file_slice(50, 10)));
    // 80 of 100: at least 20 of the young are the container's.
    EXPECT_THAT(slices({counted_region(0, 100, 80)}, {piece(0, 60, 50), piece(60, 100, 5)}),
                ElementsAre(file_slice(5, 40, 20), file_slice(50, 40)));
}

TEST(PhysicalView, WhatIsUnsureByItselfStaysSo) {
    EXPECT_THAT(slices({counted_region(0, 100, 100)}, {unsure_piece(0, 100, 0, 80)}),
                ElementsAre(file_slice(0, 100, 100)));
}

TEST(PhysicalView, MemoryThatIsNotWatchedMayBeOfAnyAge) {
    EXPECT_THAT(slices({counted_region(0, 100, 10)}, {}), ElementsAre(file_slice(0, 10, 10)));
    EXPECT_THAT(slices({counted_region(0, 100, 10)}, {piece(0, 50, 50)}),
                ElementsAre(file_slice(0, 10, 10)));
}

TEST(PhysicalView, AHugePageAtTheEndOfARegionCountsAsFarAsItLiesInIt) {
    EXPECT_THAT(slices({counted_region(0, 2, 4)}, {piece(0, 2, 50)}),
                ElementsAre(file_slice(50, 2)));
}

TEST(PhysicalView, NothingIsIdleForLongerThanItIsThere) {
    // All of the region was idle for 90 s; 10 MiB came at second 20, the rest at second 95.
    EXPECT_THAT(slices({counted_region(0, 100, 100)}, {piece(0, 100, 90)},
                       {{10 * kMiB, second(20)}, {100 * kMiB, second(95)}}),
                ElementsAre(file_slice(5, 90), file_slice(80, 10)));
    EXPECT_THAT(slices({counted_region(0, 100, 100)}, {piece(0, 100, 90)}, {}),
                ElementsAre(file_slice(0, 100)));
    // What came may lie where it was idle for longest, or where it was in use.
    EXPECT_THAT(slices({counted_region(0, 100, 100)}, {piece(0, 60, 90), piece(60, 100, 0)},
                       {{70 * kMiB, second(0)}, {100 * kMiB, second(95)}}),
                ElementsAre(file_slice(0, 40), file_slice(5, 30, 30), file_slice(90, 30)));
}

TEST(PhysicalView, TellsBothKindsAndLeavesTheRestUnseen) {
    const std::vector<CountedRegion> anon{counted_region(0, 100, 30)};
    const std::vector<CountedRegion> files{counted_region(0, 100, 20)};
    const std::vector<Presence::Step> presence{{100 * kMiB, second(0)}};
    const std::vector<IdleRange> ages{piece(0, 100, 40)};
    const std::vector<PlacedPages> pages{{PageClass::anon, anon, presence},
                                         {PageClass::mapped_file, files, presence}};
    const auto view = physical_view(pages, {mebibytes(32), mebibytes(15)},
                                    {second(100), kSecond, 60 * kSecond, ages});
    EXPECT_EQ(view.source, model::IdleSource::physical);
    EXPECT_EQ(view.watched, 60 * kSecond);
    EXPECT_THAT(view.slices,
                ElementsAre(IdleSlice{40 * kSecond, mebibytes(30), mebibytes(15), {}}));
    EXPECT_EQ(view.unseen, mebibytes(2));
}

TEST(PageCacheOfRegions, IsTakenFromWhatIsUnseen) {
    model::IdleView regions;
    regions.resolution = kSecond;
    regions.watched = 100 * kSecond;
    regions.slices = {{5 * kSecond, mebibytes(10), mebibytes(4), mebibytes(1)}};
    regions.unseen = mebibytes(30);
    regions.processes = 3;
    const std::vector<CountedRegion> counted{counted_region(0, 100, 20)};
    const std::vector<Presence::Step> presence{{20 * kMiB, second(0)}};
    const std::vector<IdleRange> ages{piece(0, 100, 40)};
    const PlacedPages pages{PageClass::unmapped_file, counted, presence};
    const PhysicalFrame frame{second(100), kSecond, 100 * kSecond, ages};
    const auto view = with_page_cache(regions, pages, {mebibytes(10), mebibytes(34)}, frame);
    EXPECT_EQ(view.source, model::IdleSource::regions_and_physical);
    EXPECT_EQ(view.page_cache, model::PageCache::seen);
    EXPECT_THAT(view.slices, ElementsAre(regions.slices[0], file_slice(40, 20)));
    EXPECT_EQ(view.unseen, mebibytes(10));
    EXPECT_EQ(view.processes, 3U);
    // No more than is charged, and not told by regions.
    EXPECT_THAT(with_page_cache(regions, pages, {mebibytes(10), mebibytes(16)}, frame).slices,
                ElementsAre(regions.slices[0], file_slice(40, 12)));
}

/// Frames of a node, of which a container has some; each holds a page that is used now and then.
struct Frame {
    bool is_ours = false;
    TimePoint came{}; ///< or used
};

/// Rounds of random regions over `frames`, in which every look hits what it could.
std::vector<damon::Region> look(const std::vector<Frame>& frames, TimePoint begin,
                                std::mt19937& random) {
    std::vector<damon::Region> regions;
    for (std::uint64_t start = 0; start < frames.size();) {
        const std::uint64_t end = std::min<std::uint64_t>(frames.size(), start + 1 + random() % 12);
        std::uint32_t used = 0;
        for (std::uint64_t i = start; i < end; ++i) {
            used += frames[i].came > begin ? 1 : 0;
        }
        const auto looks = static_cast<std::uint32_t>(20 * used / (end - start));
        regions.push_back({{start, end}, used > 0 ? std::max(looks, 1U) : 0, 0});
        start = end;
    }
    return regions;
}

TEST(PhysicalView, NeverTellsMoreAsIdleSinceAnySecondThanThereIs) {
    for (unsigned seed = 1; seed <= 20; ++seed) {
        std::mt19937 random(seed);
        std::vector<Frame> frames(200);
        Ages ages(AgesOptions{.interleaved = true});
        Presence presence;
        for (int now = 1; now <= 120; ++now) {
            for (std::size_t i = 0; i < frames.size(); ++i) {
                const bool is_hot = i % 7 == 0 || i / 50 == 1;
                if (is_hot && random() % 4 == 0) {
                    frames[i].came = second(now);
                }
            }
            // The container grows, and nobody sees the pages being filled; or it shrinks.
            const bool grows = (now / 30) % 2 == 0;
            Frame& frame = frames[random() % frames.size()];
            const auto seen = look(frames, second(now - 1), random);
            if (frame.is_ours != grows) {
                frame = {grows, grows ? second(now) : frame.came};
            }
            ages.add({damon::kPhysical, second(now), seen}, kSecond);
            std::vector<CountedRegion> counted;
            std::uint64_t sum = 0;
            for (const damon::Region& region : seen) {
                const auto first = frames.begin() + static_cast<std::ptrdiff_t>(region.range.start);
                const auto bytes = static_cast<std::uint64_t>(std::count_if(
                    first,
                    first + static_cast<std::ptrdiff_t>(region.range.end - region.range.start),
                    [](const Frame& one) { return one.is_ours; }));
                counted.push_back({region.range, bytes});
                sum += bytes;
            }
            presence.add(sum, second(now));
            const auto told = ages.idle();
            const PlacedPages pages{PageClass::file, counted, presence.steps()};
            const auto view =
                physical_view({&pages, 1}, kCharged, {second(now), kSecond, kSecond * now, told});
            for (int age = 1; age < now; ++age) {
                std::uint64_t cold = 0;
                for (const IdleSlice& slice : view.slices) {
                    cold += slice.idle >= kSecond * age ? slice.file.count : 0;
                }
                const auto truth =
                    std::count_if(frames.begin(), frames.end(), [&](const Frame& one) {
                        return one.is_ours && second(now) - one.came >= kSecond * age;
                    });
                ASSERT_LE(cold, static_cast<std::uint64_t>(truth))
                    << "seed " << seed << ", second " << now << ", idle for " << age;
            }
        }
    }
}

} // namespace
} // namespace cgtide::monitor
