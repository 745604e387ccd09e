#include "cgroup/pagemap.hpp"
#include "engine/damon/pool.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/vm/kernel/worker.hpp"

#include <chrono>
#include <cstdio>
#include <functional>
#include <optional>
#include <thread>

#include <gmock/gmock.h>
#include <unistd.h>

namespace cgtide::damon {
namespace {

using test::Worker;
using ::testing::IsEmpty;

constexpr std::uintptr_t kPlace = 0x100000000000;
constexpr std::uint64_t kSize = 8U << 20U;
constexpr std::uint64_t kHalf = kSize / 2;
constexpr Intervals kIntervals{Microseconds(20'000), Microseconds(400'000)};
constexpr CgroupId kContainer{7};

class PageOutKernel : public ::testing::Test {
protected:
    void SetUp() override {
        ownership_.emplace(
            Ownership::acquire(realm_, {.slots = 1, .take_modules = true, .engine = ::getpid()})
                .value());
        PoolOptions options;
        options.intervals = kIntervals;
        pool_.emplace(Pool::open(*ownership_, options).value());
        if (!pool_->pages_out()) {
            GTEST_SKIP() << "this kernel has no max_nr_snapshots";
        }
        EXPECT_THAT(pool_->apply({first_.target(1), second_.target(2)}).value().failed, IsEmpty());
    }

    void TearDown() override {
        pool_.reset();
        if (ownership_) { // else SetUp() has said why
            EXPECT_TRUE(ownership_->release());
        }
    }

    static PageOut half_of(const Worker& worker) {
        return {.container = kContainer,
                .pid = worker.pid(),
                .pid_start = worker.target(1).pid_start,
                .ranges = {{kPlace, kPlace + kHalf}},
                .least_age = 3,
                .bytes = kHalf / 2,
                .rounds = 10,
                .stall = {.measured = 0, .target = 1000}};
    }

    void begin(const PageOut& out) {
        const Applied applied = pool_->page_out({out}).value();
        for (const Applied::Failure& failure : applied.failed) {
            ADD_FAILURE() << failure.error.message();
        }
        ASSERT_EQ(pool_->paging_out(kContainer), 1U);
    }

    std::uint64_t present(const Worker& worker, std::uint64_t from, std::uint64_t to) const {
        std::vector<cgroup::Present> runs;
        auto pages = cgroup::Pagemap::open(proc_, worker.pid());
        EXPECT_TRUE(pages->scan(kPlace + from, kPlace + to, {}, runs));
        std::uint64_t bytes = 0;
        for (const cgroup::Present& run : runs) {
            bytes += run.end - run.start;
        }
        return bytes;
    }

    static bool until(const std::function<bool()>& condition) {
        const TimePoint end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
        while (!condition()) {
            if (std::chrono::steady_clock::now() > end) {
                return false;
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
        return true;
    }

    /// What the worker has counted for its scheme.
    std::uint64_t stat(const std::string& name) {
        EXPECT_TRUE(tree_.write("0/state", "update_schemes_stats"));
        return tree_.number("0/contexts/0/schemes/0/stats/" + name).value();
    }

    test::TempDir run_;
    Dir run_dir_ = run_.dir();
    Dir proc_ = Dir::open("/proc").value();
    KernelFiles tree_files_{Dir::open("/sys/kernel/mm/damon/admin/kdamonds").value()};
    KernelFiles modules_{Dir::open("/sys/module").value()};
    KernelHost host_{Dir::open("/proc").value()};
    Tree tree_{tree_files_};
    Realm realm_{&run_dir_, &tree_, &modules_, &host_};
    Worker first_{kPlace, kSize, Worker::Does::nothing};
    Worker second_{kPlace, kSize, Worker::Does::nothing};
    std::optional<Ownership> ownership_;
    std::optional<Pool> pool_;
};

TEST_F(PageOutKernel, TheRangesOfOneAddressSpaceLeaveAndNoOthers) {
    begin(half_of(second_));
    EXPECT_TRUE(until([&] { return present(second_, 0, kHalf) == 0; }));
    EXPECT_EQ(present(second_, kHalf, kSize), kSize - kHalf);
    EXPECT_EQ(present(first_, 0, kSize), kSize);
    EXPECT_GE(stat("sz_applied"), kHalf);
    EXPECT_THAT(pool_->end_page_out(kContainer).value().failed, IsEmpty());
    EXPECT_EQ(pool_->kdamonds().size(), 1U);
}

TEST_F(PageOutKernel, NothingLeavesWhileTheGoalIsReached) {
    PageOut out = half_of(first_);
    out.stall.measured = 1000;
    begin(out);
    // Old enough for long, and a scheme without quota counts nothing.
    const TimePoint end = std::chrono::steady_clock::now() + 8 * kIntervals.aggregation;
    EXPECT_TRUE(until([&] { return std::chrono::steady_clock::now() > end; }));
    EXPECT_EQ(present(first_, 0, kSize), kSize);
    EXPECT_EQ(stat("nr_snapshots"), 0U);
    ASSERT_TRUE(pool_->tell_stall(kContainer, 999));
    EXPECT_TRUE(until([&] { return present(first_, 0, kHalf) == 0; }));
    EXPECT_EQ(present(first_, kHalf, kSize), kSize - kHalf);
}

TEST_F(PageOutKernel, ASchemeEndsByItself) {
    PageOut out = half_of(first_);
    out.least_age = 1'000'000; // nothing is so old
    begin(out);
    const std::uint64_t last =
        tree_.number("0/contexts/0/schemes/0/stats/max_nr_snapshots").value();
    EXPECT_EQ(last, 40U); // two targets, and twice ten rounds
    EXPECT_TRUE(until([&] { return stat("nr_snapshots") >= last; }));
    // With our own seat, three are counted in each round.
    const std::uint64_t counted = stat("nr_snapshots");
    std::printf("%llu snapshots of at most %llu\n", static_cast<unsigned long long>(counted),
                static_cast<unsigned long long>(last));
    EXPECT_EQ(counted, last);
    out.container = CgroupId{8};
    out.least_age = 3;
    EXPECT_THAT(pool_->end_page_out(kContainer).value().failed, IsEmpty());
    // Another one begins anew.
    EXPECT_THAT(pool_->page_out({out}).value().failed, IsEmpty());
    EXPECT_TRUE(until([&] { return present(first_, 0, kHalf) == 0; }));
}

} // namespace
} // namespace cgtide::damon
