#include "engine/monitor/ranges.hpp"
#include "tests/engine/monitor/memory.hpp"

#include <random>

#include <gmock/gmock.h>

namespace cgtide::monitor {
namespace {

using cgroup::PageKind;
using cgroup::Present;
using damon::Range;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

using test::kMiB;
using test::run;

Range range(std::uint64_t start, std::uint64_t end) {
    return {start * kMiB, end * kMiB};
}

bool is_watched(std::string_view name) {
    cgroup::Mapping mapping;
    mapping.name = name;
    return holds_charged_memory(mapping);
}

TEST(Ranges, TakeMemoryThatIsCharged) {
    for (const char* name :
         {"", "[heap]", "[stack]", "[anon:jemalloc]", "/usr/lib/libc.so.6", "/dev/zero (deleted)",
          "/dev/shm/queue", "/memfd:pool (deleted)", "/SYSV00000000 (deleted)", "/device/a"}) {
        EXPECT_TRUE(is_watched(name)) << name;
    }
}

TEST(Ranges, LeaveOutDevicesAndTheKernelsOwn) {
    for (const char* name :
         {"[vdso]", "[vvar]", "[vvar_vclock]", "[vsyscall]", "[uprobes]", "/dev/dri/card0",
          "/dev/hugepages/pool", "/anon_hugepage (deleted)", "anon_inode:[io_uring]",
          "anon_inode:[perf_event]", "/dmabuf:x", "socket:[1]", "/sys/bus/pci/x/resource0"}) {
        EXPECT_FALSE(is_watched(name)) << name;
    }
}

TEST(Ranges, FollowPresentPagesAndJoinOverSmallGaps) {
    EXPECT_THAT(ranges_of({}), IsEmpty());
    const std::vector<Present> present{run(16, 20), run(20, 24), run(512, 513)};
    EXPECT_THAT(ranges_of(present), ElementsAre(range(16, 24), range(512, 513)));
    const std::vector<Present> near{{0, 4096, PageKind::anon}, {8192, 12288, PageKind::file}};
    EXPECT_THAT(ranges_of(near), ElementsAre(Range{0, 12288}));
}

TEST(Ranges, AreJoinedOverLargerGapsWhereTheyAreSmall) {
    const auto with = [](std::uint64_t size) {
        return std::vector<Present>{{0, size * kMiB, PageKind::anon},
                                    {size * kMiB + kMiB / 2, (size + 1) * kMiB, PageKind::file},
                                    run(size + 2, size + 3)};
    };
    EXPECT_THAT(ranges_of(with(2)), ElementsAre(range(0, 3), range(4, 5)));
    EXPECT_THAT(ranges_of(with(14)), ElementsAre(range(0, 15), range(16, 17)));
    EXPECT_THAT(ranges_of(with(15)),
                ElementsAre(range(0, 15), Range{15 * kMiB + kMiB / 2, 16 * kMiB}, range(17, 18)));
}

TEST(Ranges, AreBoundedByJoiningOverTheSmallestGaps) {
    const std::vector<Present> present{run(0, 1), run(3, 4), run(14, 15), run(19, 20)};
    RangeOptions options;
    options.max_ranges = 2;
    EXPECT_THAT(ranges_of(present, options), ElementsAre(range(0, 4), range(14, 20)));
    options.max_ranges = 1;
    EXPECT_THAT(ranges_of(present, options), ElementsAre(range(0, 20)));
    const std::vector<Present> even{run(0, 1), run(2, 3), run(4, 5), run(6, 7)};
    options.max_ranges = 3;
    EXPECT_THAT(ranges_of(even, options), ElementsAre(range(0, 7))); // gaps that are equal
}

TEST(Ranges, CoverAllThatIsPresentWhateverIsMapped) {
    std::mt19937_64 random(1);
    for (int trial = 0; trial < 200; ++trial) {
        std::vector<Present> present;
        std::uint64_t at = 0;
        for (int i = 0; i < 200; ++i) {
            at += (random() % 4096 + 1) * 4096;
            const std::uint64_t end = at + (random() % 64 + 1) * 4096;
            present.push_back({at, end, PageKind::anon});
            at = end;
        }
        const auto ranges = ranges_of(present);
        ASSERT_LE(ranges.size(), RangeOptions{}.max_ranges);
        std::uint64_t before = 0;
        for (const Range& found : ranges) {
            EXPECT_LT(found.start, found.end);
            EXPECT_TRUE(before == 0 || found.start >= before + RangeOptions{}.least_gap);
            before = found.end;
        }
        EXPECT_TRUE(still_fit(ranges, ranges, present));
        std::vector<Present> watched;
        for (const Range& found : ranges) {
            watched.push_back({found.start, found.end, PageKind::anon});
        }
        EXPECT_THAT(newly_present(watched, present), IsEmpty());
    }
}

TEST(Ranges, StayWhereLittleChanges) {
    const std::vector<Range> current{range(0, 64)};
    const std::vector<Present> little{run(0, 64), {100 * kMiB, 100 * kMiB + 65536, PageKind::anon}};
    EXPECT_TRUE(still_fit(current, ranges_of(little), little));
    const std::vector<Present> half{run(0, 33)};
    EXPECT_TRUE(still_fit(current, ranges_of(half), half));
}

TEST(Ranges, ChangeWhereMemoryLiesOutsideOrMuchOfThemIsEmpty) {
    const std::vector<Range> current{range(0, 64)};
    const std::vector<Present> grown{run(0, 66)};
    EXPECT_FALSE(still_fit(current, ranges_of(grown), grown));
    const std::vector<Present> shrunk{run(0, 20)};
    EXPECT_FALSE(still_fit(current, ranges_of(shrunk), shrunk));
}

TEST(Ranges, NewlyPresentIsWhatWasNotThereBefore) {
    const std::vector<Present> before{run(10, 20), run(30, 40), run(50, 51)};
    EXPECT_THAT(newly_present(before, before), IsEmpty());
    EXPECT_THAT(newly_present({}, before),
                ElementsAre(range(10, 20), range(30, 40), range(50, 51)));
    const std::vector<Present> now{run(5, 12), run(18, 45), run(60, 61)};
    EXPECT_THAT(newly_present(before, now),
                ElementsAre(range(5, 10), range(20, 30), range(40, 45), range(60, 61)));
    const std::vector<Present> other_kind{{10 * kMiB, 20 * kMiB, PageKind::file}};
    EXPECT_THAT(newly_present(before, other_kind), IsEmpty());
}

} // namespace
} // namespace cgtide::monitor
