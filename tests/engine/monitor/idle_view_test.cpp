#include "engine/monitor/idle_view.hpp"
#include "engine/monitor/slices.hpp"
#include "tests/engine/monitor/memory.hpp"

#include <random>

#include <gmock/gmock.h>

namespace cgtide::monitor {
namespace {

using cgroup::Mapping;
using cgroup::PageKind;
using cgroup::Present;
using model::IdleSlice;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

using test::kMiB;
using test::piece;
using test::run;
using test::seconds;
using test::slice;
using test::unsure_piece;
constexpr Charged kPlenty{mebibytes(1U << 20U), mebibytes(1U << 20U)};
constexpr std::uint64_t kPlentyBytes = 2 * (kMiB << 20U);

Mapping file(std::uint64_t start, std::uint64_t end, std::uint64_t offset, std::uint64_t inode) {
    Mapping mapping;
    mapping.start = start * kMiB;
    mapping.end = end * kMiB;
    mapping.offset = offset * kMiB;
    mapping.inode = inode;
    mapping.device = 1;
    return mapping;
}

/// An address space that owns what SeenSpace points to.
struct Owned {
    std::vector<IdleRange> idle;
    std::vector<Present> present;
    std::vector<Mapping> mappings;
    std::uint32_t looks = 20;
};

model::IdleView view_of(const std::vector<Owned>& spaces, const Charged& charged = kPlenty,
                        const std::vector<FileId>& common = {}, std::uint32_t unwatched = 3) {
    std::vector<SeenSpace> seen;
    for (const Owned& space : spaces) {
        seen.push_back({space.idle, space.present, space.mappings, space.looks});
    }
    ViewFrame frame;
    frame.at = TimePoint(std::chrono::seconds(100));
    frame.resolution = seconds(1);
    frame.watched = seconds(60);
    frame.processes = static_cast<std::uint32_t>(spaces.size());
    frame.unwatched = unwatched;
    frame.common = common;
    return idle_view(seen, charged, frame);
}

TEST(IdleViewOfRegions, CountsPresentPagesAlone) {
    const auto view =
        view_of({{{piece(0, 48, -60), piece(48, 128, 60)}, {run(0, 100), run(120, 200)}, {}}});
    EXPECT_THAT(view.slices, ElementsAre(slice(-60, 48, 0), slice(60, 60, 0)));
    EXPECT_EQ(view.unseen, Bytes{kPlentyBytes} - mebibytes(108));
    EXPECT_EQ(view.source, model::IdleSource::regions);
    EXPECT_EQ(view.at, TimePoint(std::chrono::seconds(100)));
    EXPECT_EQ(view.resolution, seconds(1));
    EXPECT_EQ(view.watched, seconds(60));
    EXPECT_EQ(view.processes, 1U);
    EXPECT_EQ(view.unwatched, 3U);
}

TEST(IdleViewOfRegions, NothingSeenIsAllUnseen) {
    const auto view = view_of({}, {mebibytes(5), mebibytes(7)});
    EXPECT_THAT(view.slices, IsEmpty());
    EXPECT_EQ(view.unseen, mebibytes(12));
}

TEST(IdleViewOfRegions, WhatIsPresentButNotWatchedIsUnseen) {
    const auto view =
        view_of({{{piece(10, 20, 5)}, {run(0, 30)}, {}}}, {mebibytes(30), mebibytes(0)});
    EXPECT_THAT(view.slices, ElementsAre(slice(5, 10, 0)));
    EXPECT_EQ(view.unseen, mebibytes(20));
}

TEST(IdleViewOfRegions, AFileOfTwoProcessesCountsOnceByTheYoungestUse) {
    const Owned one{{piece(0, 8, 30)}, {run(0, 8, PageKind::file)}, {file(0, 8, 0, 7)}};
    const Owned two{{piece(100, 102, -5), piece(102, 108, 50)},
                    {run(100, 108, PageKind::file)},
                    {file(100, 108, 4, 7)}};
    // The first has bytes 0 to 8 MiB of the file, the other 4 to 12.
    const auto view = view_of({one, two});
    EXPECT_THAT(view.slices, ElementsAre(slice(-5, 0, 2), slice(30, 0, 6), slice(50, 0, 4)));
    EXPECT_THAT(view_of({two, one}).slices,
                ElementsAre(slice(-5, 0, 2), slice(30, 0, 6), slice(50, 0, 4)));
}

TEST(IdleViewOfRegions, WhereTheBoundsLieApartTheIdleTimeIsUnsure) {
    const auto view =
        view_of({{{unsure_piece(0, 1, -3, 30), unsure_piece(1, 3, -3, 2), unsure_piece(3, 7, 3, 6),
                   unsure_piece(7, 15, 320, 332), unsure_piece(15, 16, 320, 330)},
                  {run(0, 16)},
                  {}}});
    EXPECT_THAT(view.slices, ElementsAre(slice(-3, 3, 0, 1), slice(3, 4, 0, 4), slice(320, 8, 0, 8),
                                         slice(325, 1, 0)));
    EXPECT_EQ(model::unsure(view), mebibytes(13));
}

TEST(IdleViewOfRegions, WhatIsSureIsToldByTheMiddleOfItsBounds) {
    const auto view =
        view_of({{{unsure_piece(0, 1, 0, 2), unsure_piece(1, 3, 1, 3), unsure_piece(3, 7, 5, 6)},
                  {run(0, 7)},
                  {}}});
    ASSERT_EQ(view.slices.size(), 3U);
    EXPECT_EQ(view.slices[0], slice(0, 1, 0));
    EXPECT_EQ(view.slices[1], slice(2, 2, 0));
    EXPECT_EQ(view.slices[2].idle, Microseconds(5'500'000));
    EXPECT_EQ(model::unsure(view), Bytes{});
}

TEST(IdleViewOfRegions, AUseByOneProcessMakesTheOthersBoundsSure) {
    const Owned one{{unsure_piece(0, 8, 1, 30)}, {run(0, 8, PageKind::file)}, {file(0, 8, 0, 7)}};
    const Owned two{{piece(100, 104, 1)}, {run(100, 104, PageKind::file)}, {file(100, 104, 0, 7)}};
    EXPECT_THAT(view_of({one, two}).slices, ElementsAre(slice(1, 0, 8, 4)));
}

TEST(IdleViewOfRegions, AFileOfOthersTooIsUnsureAndTheFirstToBeChargedToThem) {
    const Owned own{
        {piece(0, 24, 30)}, {run(0, 24, PageKind::file)}, {file(0, 8, 0, 7), file(8, 24, 0, 8)}};
    const std::vector<FileId> common{{1, 8}, {2, 7}};
    Charged charged{{}, mebibytes(40), {}, mebibytes(24)};
    EXPECT_THAT(view_of({own}, charged, common).slices, ElementsAre(slice(30, 0, 24, 16)));
    charged.file_mapped = mebibytes(10);
    EXPECT_THAT(view_of({own}, charged, common).slices, ElementsAre(slice(30, 0, 10, 2)));
    charged.file_mapped = mebibytes(8);
    const auto view = view_of({own}, charged, common);
    EXPECT_THAT(view.slices, ElementsAre(slice(30, 0, 8)));
    EXPECT_EQ(view.unseen, mebibytes(32));
}

TEST(IdleViewOfRegions, ScalingOneKindLeavesTheOthersDoubts) {
    const Owned space{{unsure_piece(0, 10, 5, 30), piece(10, 100, 5)},
                      {run(0, 10), run(10, 100, PageKind::file)},
                      {file(10, 100, 0, 7)}};
    EXPECT_THAT(view_of({space}, {mebibytes(10), mebibytes(87)}).slices,
                ElementsAre(slice(5, 10, 87, 10)));
    // Far more is mapped than charged: no file is surely this container's.
    EXPECT_THAT(view_of({space}, {mebibytes(10), mebibytes(9)}).slices,
                ElementsAre(slice(5, 10, 9, 19)));
}

TEST(IdleViewOfRegions, OtherFilesAndDevicesAreOthers) {
    const Owned one{{piece(0, 8, 30)}, {run(0, 8, PageKind::file)}, {file(0, 8, 0, 7)}};
    Owned two = one;
    two.mappings[0].inode = 8;
    Owned three = one;
    three.mappings[0].device = 2;
    EXPECT_THAT(view_of({one, two, three, one}).slices, ElementsAre(slice(30, 0, 24)));
}

TEST(IdleViewOfRegions, OneFileMappedTwiceByOneProcessCountsOnce) {
    const auto view = view_of({{{piece(0, 8, 30), piece(8, 16, 2)},
                                {run(0, 16, PageKind::file)},
                                {file(0, 8, 0, 7), file(8, 16, 0, 7)}}});
    EXPECT_THAT(view.slices, ElementsAre(slice(2, 0, 8)));
}

TEST(IdleViewOfRegions, WhatAForkLeftSharedCountsOnce) {
    const Owned parent{{piece(0, 64, -10)}, {run(0, 64, PageKind::anon_shared)}, {}};
    const Owned child{
        {piece(0, 64, 60), piece(64, 72, 3)}, {run(0, 64, PageKind::anon_shared), run(64, 72)}, {}};
    EXPECT_THAT(view_of({parent, child}).slices, ElementsAre(slice(-10, 64, 0), slice(3, 8, 0)));
    // Memory that each has for itself is told apart, at whatever address.
    const Owned own{{piece(0, 64, 60)}, {run(0, 64)}, {}};
    EXPECT_THAT(view_of({own, own}).slices, ElementsAre(slice(60, 128, 0)));
}

TEST(IdleViewOfRegions, MoreThanChargedIsScaledDown) {
    const Owned space{{piece(0, 40, -1), piece(40, 80, 20)},
                      {run(0, 60), run(60, 80, PageKind::file)},
                      {file(60, 80, 0, 7)}};
    const auto view = view_of({space}, {mebibytes(30), mebibytes(40)});
    EXPECT_THAT(view.slices, ElementsAre(slice(-1, 20, 0), slice(20, 10, 20)));
    EXPECT_EQ(view.unseen, mebibytes(20));
    const auto none = view_of({space}, {mebibytes(0), mebibytes(0)});
    EXPECT_THAT(none.slices, IsEmpty());
    EXPECT_EQ(none.unseen, Bytes{});
}

TEST(IdleViewOfRegions, ThinlySpreadMemoryIsUnseenUnlessItIsInUse) {
    std::vector<Present> thin;
    for (std::uint64_t at = 0; at < 1024; at += 16) {
        thin.push_back(run(at, at + 1));
    }
    EXPECT_THAT(view_of({{{piece(0, 1024, 60)}, thin, {}}}).slices, IsEmpty());
    EXPECT_THAT(view_of({{{piece(0, 1024, -60)}, thin, {}}}).slices,
                ElementsAre(slice(-60, 64, 0)));
    // Dense parts of the same range are seen, and small ranges are dense.
    thin[4] = run(64, 80);
    EXPECT_THAT(view_of({{{piece(0, 1024, 60)}, thin, {}}}).slices, ElementsAre(slice(60, 16, 0)));
    EXPECT_THAT(view_of({{{piece(16, 17, 60)}, thin, {}}}).slices, ElementsAre(slice(60, 1, 0)));
}

TEST(IdleViewOfRegions, FewerLooksTellLessOfMemoryThatIsSpread) {
    const auto seen = [](std::uint64_t present, std::uint32_t looks) {
        const Owned space{{piece(0, 16, 60)}, {run(0, present)}, {}, looks};
        return !view_of({space}).slices.empty();
    };
    for (const auto& [looks, least] : {std::pair{20U, 2U}, {10U, 4U}, {5U, 8U}}) {
        EXPECT_TRUE(seen(least, looks)) << looks;
        EXPECT_FALSE(seen(least - 1, looks)) << looks;
    }
}

TEST(IdleViewOfRegions, EachByteCountsAtMostOnceWhateverIsShared) {
    std::mt19937_64 random(5);
    for (int trial = 0; trial < 100; ++trial) {
        std::vector<Owned> spaces(1 + random() % 5);
        std::uint64_t private_bytes = 0;
        for (Owned& space : spaces) {
            std::uint64_t at = random() % 8;
            for (int i = 0; i < 20; ++i) {
                const std::uint64_t end = at + 1 + random() % 6;
                const auto kind = static_cast<PageKind>(random() % 3);
                space.idle.push_back(piece(at, end, static_cast<std::int64_t>(random() % 90) - 30));
                space.present.push_back(run(at, end, kind));
                space.mappings.push_back(file(at, end, random() % 32, 1 + random() % 2));
                private_bytes += kind == PageKind::anon ? (end - at) * kMiB : 0;
                at = end + random() % 2;
            }
        }
        const auto view = view_of(spaces);
        Bytes sum;
        Microseconds before = seconds(-1000);
        for (const IdleSlice& found : view.slices) {
            EXPECT_GT(found.idle, before);
            before = found.idle;
            sum = sum + found.anon + found.file;
        }
        EXPECT_EQ(sum + view.unseen, Bytes{kPlentyBytes});
        EXPECT_GE(sum.count, private_bytes);
        // Two files of at most 40 MiB each, and addresses below 200 MiB.
        EXPECT_LE(sum.count, private_bytes + (2 * 40 + 200) * kMiB);
    }
}

TEST(IdleSlices, AreRoundedToTheYoungerStep) {
    Slices slices(seconds(4)); // steps of 2 s
    slices.add(seconds(5), {mebibytes(1), {}});
    slices.add(seconds(-1), {mebibytes(2), {}});
    slices.add(seconds(4), {{}, mebibytes(3)});
    slices.add(seconds(90), {});
    EXPECT_THAT(slices.at_most(256), ElementsAre(slice(-2, 2, 0), slice(4, 1, 3)));
}

TEST(IdleSlices, LongerTimesAreJoinedFirst) {
    Slices slices(seconds(1));
    for (std::int64_t i = -500; i < 4000; ++i) {
        slices.add(seconds(i), {mebibytes(1), mebibytes(2)});
    }
    const auto found = slices.at_most(256);
    EXPECT_LE(found.size(), 256U);
    EXPECT_GE(found.size(), 100U);
    Bytes anon;
    Bytes file;
    for (std::size_t i = 0; i < found.size(); ++i) {
        anon = anon + found[i].anon;
        file = file + found[i].file;
        const auto wide = static_cast<std::int64_t>(found[i].anon.count / kMiB);
        EXPECT_LE(wide * 16,
                  std::max<std::int64_t>(std::abs(found[i].idle.count()) / 1000000 + wide, 16));
    }
    EXPECT_EQ(anon, mebibytes(4500));
    EXPECT_EQ(file, mebibytes(9000));
}

TEST(IdleSlices, ExtremesStayWithinTheBound) {
    Slices slices(Microseconds(1));
    std::mt19937_64 random(9);
    for (int i = 0; i < 20000; ++i) {
        const auto idle = static_cast<std::int64_t>(random() >> (random() % 63));
        slices.add(Microseconds(i % 2 == 0 ? idle : -(idle >> 1)), {Bytes{1}, {}});
    }
    slices.add(Microseconds::max(), {Bytes{1}, {}});
    slices.add(Microseconds::min(), {Bytes{1}, {}});
    const auto found = slices.at_most(256);
    EXPECT_LE(found.size(), 256U);
    EXPECT_EQ(slices.sum().anon, Bytes{20002});
    EXPECT_EQ(found.front().idle, Microseconds::min());
}

TEST(IdleView, TellsWhichFileBytesItsOwnProcessesMap) {
    const std::vector<Mapping> mappings{file(0, 64, 0, 5)};
    // The same 8 MiB twice, and 1 MiB so thinly spread that it counts as unseen.
    const Owned one{{piece(0, 64, 20)}, {run(0, 8, PageKind::file)}, mappings};
    const Owned two{
        {piece(0, 64, 20)}, {run(0, 8, PageKind::file), run(40, 41, PageKind::file)}, mappings};
    const model::IdleView view = view_of({one, two}, kPlenty, {}, 0);
    EXPECT_EQ(view.mapped_file, mebibytes(9));
    EXPECT_THAT(view.slices, ElementsAre(slice(20, 0, 8)));
    EXPECT_EQ(view_of({one, two}).mapped_file,
              std::nullopt); // others of its processes may map more
}

std::vector<model::ColdRange> cold_of(const Owned& space, std::int64_t idle) {
    return cold_ranges({space.idle, space.present, space.mappings, space.looks}, seconds(1),
                       seconds(idle));
}

model::ColdRange cold(std::uint64_t start, std::uint64_t end, std::int64_t idle) {
    return {start * kMiB, end * kMiB, seconds(idle)};
}

TEST(ColdRanges, AreThoseIdleForAtLeastTheAge) {
    const Owned space{{piece(0, 10, 5), piece(10, 20, 30), piece(20, 30, 60)}, {run(0, 30)}, {}};
    EXPECT_THAT(cold_of(space, 30), ElementsAre(cold(10, 20, 30), cold(20, 30, 60)));
    EXPECT_THAT(cold_of(space, 61), IsEmpty());
}

TEST(ColdRanges, CountUndecidedMemoryAtTheLeast) {
    const Owned space{{unsure_piece(0, 10, 5, 60), unsure_piece(10, 20, 40, 90)}, {run(0, 20)}, {}};
    EXPECT_THAT(cold_of(space, 30), ElementsAre(cold(10, 20, 40)));
}

TEST(ColdRanges, LeaveOutWhatIsTooThinlySpreadToBeSeen) {
    const Owned space{{piece(0, 64, 30)}, {run(0, 20), run(40, 41)}, {}};
    EXPECT_THAT(cold_of(space, 10), ElementsAre(cold(0, 32, 30)));
}

} // namespace
} // namespace cgtide::monitor
