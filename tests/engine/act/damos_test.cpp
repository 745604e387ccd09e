#include "cgroup/membership.hpp"
#include "engine/act/damos.hpp"
#include "tests/support/fake_tree.hpp"
#include "tests/support/sizes.hpp"

#include <gmock/gmock.h>
#include <sys/mman.h>
#include <unistd.h>

namespace cgtide::act {
namespace {

using model::ColdRange;
using model::Pages;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using test::kMiB;
using test::kPage;
constexpr std::uint64_t kAreaSize = 128 * kMiB;
constexpr Microseconds kMinute{60'000'000};

/// This process, with anonymous memory of which tests touch parts.
class PortionTest : public testing::Test {
protected:
    PortionTest() {
        tree_.add_group("/web");
        group_ = tree_.dir().dir("sys/fs/cgroup/web");
        memory_ = ::mmap(nullptr, kAreaSize, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        ::madvise(memory_, kAreaSize, MADV_NOHUGEPAGE);
        start_ = reinterpret_cast<std::uint64_t>(memory_);
    }
    ~PortionTest() override { ::munmap(memory_, kAreaSize); }

    void touch(std::uint64_t from, std::uint64_t to) {
        for (std::uint64_t at = from; at < to; at += kPage) {
            static_cast<volatile char*>(memory_)[at] = 1;
        }
    }

    ColdRange range(std::uint64_t from, std::uint64_t to, Microseconds idle = kMinute) const {
        return {start_ + from, start_ + to, idle};
    }

    std::vector<model::ColdSpace> cold(std::vector<ColdRange> ranges) const {
        return {{::getpid(), *cgroup::pid_start_time(proc_, ::getpid()), std::move(ranges)}};
    }

    Portion choose(const std::vector<model::ColdSpace>& spaces, Bytes ask,
                   Pages pages = Pages::all) const {
        model::Decision decision;
        decision.ask = ask;
        decision.pages = pages;
        return choose_portion({group_, proc_, path_}, decision, spaces).value();
    }

    test::FakeTree tree_;
    Dir group_;
    Dir proc_ = *Dir::open("/proc");
    std::string path_ = *cgroup::pid_cgroup(proc_, ::getpid());
    void* memory_ = nullptr;
    std::uint64_t start_ = 0;
};

TEST_F(PortionTest, TakesThoseIdleLongestUpToWhatWasAsked) {
    touch(0, 12 * kMiB);
    const auto spaces = cold({range(0, 4 * kMiB, kMinute), range(4 * kMiB, 8 * kMiB, 10 * kMinute),
                              range(8 * kMiB, 12 * kMiB, 4 * kMinute)});
    const Portion portion = choose(spaces, mebibytes(6));
    ASSERT_THAT(portion.spaces, SizeIs(1));
    EXPECT_THAT(portion.spaces[0].ranges, ElementsAre(range(4 * kMiB, 8 * kMiB, 10 * kMinute),
                                                      range(8 * kMiB, 10 * kMiB, 4 * kMinute)));
    EXPECT_EQ(portion.bytes, mebibytes(6));
    EXPECT_EQ(portion.found, mebibytes(6));
}

TEST_F(PortionTest, RangesFollowThePagesThatArePresent) {
    touch(kMiB, 2 * kMiB);
    touch(2 * kMiB + 2 * kPage, 3 * kMiB); // a gap that is joined over
    touch(40 * kMiB, 41 * kMiB);
    const auto spaces = cold({range(0, 64 * kMiB)});
    const Portion portion = choose(spaces, mebibytes(50));
    ASSERT_THAT(portion.spaces, SizeIs(1));
    EXPECT_THAT(portion.spaces[0].ranges,
                ElementsAre(range(kMiB, 3 * kMiB), range(40 * kMiB, 41 * kMiB)));
    EXPECT_EQ(portion.bytes, Bytes{3 * kMiB - 2 * kPage});
}

TEST_F(PortionTest, WhatLiesBetweenTwoColdRangesIsNotTaken) {
    touch(0, kMiB);
    const auto spaces = cold({range(0, 64 * kPage), range(65 * kPage, 128 * kPage)});
    EXPECT_THAT(choose(spaces, mebibytes(1)).spaces.at(0).ranges,
                ElementsAre(range(0, 64 * kPage), range(65 * kPage, 128 * kPage)));
}

TEST_F(PortionTest, ColdRangesThatTouchAreOneUnlessOneIsMuchOlder) {
    touch(0, 16 * kMiB);
    std::vector<ColdRange> pieces; // pages that came back later between old ones
    for (std::uint64_t i = 0; i < 4 * kMiB / kPage; ++i) {
        pieces.push_back(range(i * kPage, (i + 1) * kPage, (i % 2 + 1) * kMinute));
    }
    pieces.push_back(range(4 * kMiB, 8 * kMiB, 10 * kMinute));
    const Portion portion = choose(cold(pieces), mebibytes(6));
    EXPECT_THAT(portion.spaces.at(0).ranges,
                ElementsAre(range(0, 2 * kMiB, kMinute), range(4 * kMiB, 8 * kMiB, 10 * kMinute)));
    EXPECT_EQ(portion.bytes, mebibytes(6));
}

TEST_F(PortionTest, ScatteredPagesComeLastHoweverOldTheyAre) {
    std::vector<ColdRange> pieces;
    for (std::uint64_t i = 0; i < 2 * kMostRanges; ++i) {
        touch(i * kMiB, i * kMiB + kPage);
        pieces.push_back(range(i * kMiB, i * kMiB + kPage, 10 * kMinute));
    }
    touch(100 * kMiB, 104 * kMiB);
    pieces.push_back(range(100 * kMiB, 104 * kMiB));
    const Portion portion = choose(cold(pieces), mebibytes(8));
    ASSERT_THAT(portion.spaces.at(0).ranges, SizeIs(kMostRanges));
    EXPECT_EQ(portion.spaces[0].ranges.back(), range(100 * kMiB, 104 * kMiB));
    EXPECT_EQ(portion.bytes, Bytes{4 * kMiB + (kMostRanges - 1) * kPage});
    EXPECT_EQ(portion.found, Bytes{4 * kMiB + 2 * kMostRanges * kPage});
}

TEST_F(PortionTest, AsManyRangesAreTakenAsTheKernelBears) {
    for (std::uint64_t i = 0; i < 2 * kMostRanges; ++i) {
        touch(i * kMiB, i * kMiB + 4 * kPage);
    }
    const Portion portion = choose(cold({range(0, kAreaSize)}), mebibytes(1));
    EXPECT_THAT(portion.spaces.at(0).ranges, SizeIs(kMostRanges));
    EXPECT_EQ(portion.bytes, Bytes{4 * kMostRanges * kPage});
    EXPECT_EQ(portion.found, Bytes{8 * kMostRanges * kPage});
}

TEST_F(PortionTest, OtherKindsAndOtherProcessesAreLeftOut) {
    touch(0, kMiB);
    auto spaces = cold({range(0, kMiB)});
    EXPECT_THAT(choose(spaces, mebibytes(1), Pages::file).spaces, IsEmpty());
    ++spaces[0].pid_start;
    EXPECT_THAT(choose(spaces, mebibytes(1)).spaces, IsEmpty());
    path_ = "/elsewhere";
    EXPECT_THAT(choose(cold({range(0, kMiB)}), mebibytes(1)).spaces, IsEmpty());
}

TEST_F(PortionTest, WhatHasLeftIsNotPresent) {
    touch(0, 2 * kMiB);
    const auto spaces = cold({range(0, 2 * kMiB)});
    const PageoutSite site{group_, proc_, path_};
    EXPECT_EQ(present_in(site, spaces, Pages::all), mebibytes(2));
    EXPECT_EQ(present_in(site, spaces, Pages::file), Bytes{});
    ::madvise(memory_, kMiB, MADV_DONTNEED);
    EXPECT_EQ(present_in(site, spaces, Pages::all), mebibytes(1));
}

} // namespace
} // namespace cgtide::act
