#include "cgroup/membership.hpp"
#include "engine/damon/pool.hpp"
#include "tests/support/temp_dir.hpp"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <unistd.h>

namespace cgtide::damon {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::size_t kSize = 32U << 20U;
constexpr std::uint64_t kFourGiB = 1ULL << 32U;

/// A cgroup of this process alone, for as long as the test takes.
class OwnCgroup {
public:
    OwnCgroup() : before_(cgroup::pid_cgroup(Dir::open("/proc").value(), ::getpid()).value()) {
        std::filesystem::create_directory(folder());
        enter(path());
    }
    ~OwnCgroup() {
        enter(before_);
        std::filesystem::remove(folder());
    }
    OwnCgroup(const OwnCgroup&) = delete;
    OwnCgroup& operator=(const OwnCgroup&) = delete;

    static std::string path() { return "/physical-kernel-test"; }
    static CgroupId id() { return Dir::open(folder()).value().id().value(); }

private:
    static std::string folder() { return "/sys/fs/cgroup" + path(); }
    static void enter(const std::string& path) {
        std::ofstream("/sys/fs/cgroup" + path + "/cgroup.procs") << ::getpid() << std::endl;
    }

    std::string before_;
};

class PhysicalKernel : public ::testing::Test {
protected:
    void SetUp() override {
        ownership_.emplace(
            Ownership::acquire(realm_, {.slots = 2, .take_modules = true, .engine = ::getpid()})
                .value());
        PoolOptions options;
        options.memory = {{0, kFourGiB}}; // holes are no error
        pool_.emplace(Pool::open(*ownership_, options).value());
        if (!pool_->watches_memory()) {
            GTEST_SKIP() << "this kernel has no sz_filter_passed";
        }
    }

    void TearDown() override {
        pool_.reset();
        if (!ownership_) { // SetUp() has said why
            return;
        }
        EXPECT_TRUE(ownership_->release());
        EXPECT_EQ(tree_.number("nr_kdamonds").value(), 0U);
    }

    PageCount count(PageClass pages) const {
        return {OwnCgroup::id(), pages, {{OwnCgroup::id(), OwnCgroup::path()}}};
    }

    /// The next count; the kernel has us wait for it.
    PhysicalReading read() {
        auto reading = pool_->read_memory(pool_->memory_due().value());
        EXPECT_TRUE(reading) << reading.error().message();
        return std::move(reading.value().value());
    }

    static std::uint64_t sum(const Counted& counted) {
        std::uint64_t bytes = 0;
        for (const CountedRegion& region : counted.regions) {
            bytes += region.bytes;
        }
        return bytes;
    }

    test::TempDir run_;
    Dir run_dir_ = run_.dir();
    KernelFiles tree_files_{Dir::open("/sys/kernel/mm/damon/admin/kdamonds").value()};
    KernelFiles modules_{Dir::open("/sys/module").value()};
    KernelHost host_{Dir::open("/proc").value()};
    Tree tree_{tree_files_};
    Realm realm_{&run_dir_, &tree_, &modules_, &host_};
    OwnCgroup cgroup_;
    std::optional<Ownership> ownership_;
    std::optional<Pool> pool_;
};

TEST_F(PhysicalKernel, CountsTheBytesOfACgroup) {
    const std::vector<char> memory(kSize, 1);
    EXPECT_THAT(pool_->watch_memory({{count(PageClass::anon)}}).value().failed, IsEmpty());
    const auto reading = read();
    ASSERT_THAT(reading.counts, SizeIs(1));
    const std::uint64_t bytes = sum(reading.counts[0]);
    std::printf("%zu regions, %.1f of %zu MiB\n", reading.round.regions.size(),
                static_cast<double>(bytes) / (1U << 20U), kSize >> 20U);
    EXPECT_GE(bytes, kSize - kSize / 16);
    EXPECT_LE(bytes, 2 * kSize);
}

TEST_F(PhysicalKernel, ACommitKeepsRegionsAndPutsAllCountsInStep) {
    const std::vector<char> memory(kSize, 1);
    EXPECT_THAT(pool_->watch_memory({{count(PageClass::anon)}}).value().failed, IsEmpty());
    std::uint32_t oldest = 0;
    for (const Region& region : read().round.regions) {
        oldest = std::max(oldest, region.age);
    }
    EXPECT_THAT(
        pool_->watch_memory({{count(PageClass::anon), count(PageClass::file)}}).value().failed,
        IsEmpty());
    const auto reading = read();
    std::uint32_t older = 0;
    for (const Region& region : reading.round.regions) {
        older = std::max(older, region.age);
    }
    EXPECT_GT(older, oldest + oldest / 2) << "a commit has made regions anew";
    ASSERT_THAT(reading.counts, SizeIs(2));
    std::vector<Range> first;
    std::vector<Range> second;
    for (const CountedRegion& region : reading.counts[0].regions) {
        first.push_back(region.range);
    }
    for (const CountedRegion& region : reading.counts[1].regions) {
        second.push_back(region.range);
    }
    EXPECT_EQ(first, second) << "counted in different aggregations";
    EXPECT_GE(sum(reading.counts[0]), kSize - kSize / 16);
}

TEST_F(PhysicalKernel, ACommitThatNamesARemovedCgroupFailsAndTheWorkerGoesOn) {
    EXPECT_THAT(pool_->watch_memory({{count(PageClass::anon)}}).value().failed, IsEmpty());
    EXPECT_THAT(read().counts, SizeIs(1)); // a change waits for that
    const int worker = pool_->kdamonds().at(0);
    const PhysicalWatch gone{{{OwnCgroup::id(), PageClass::anon, {{CgroupId{1}, "/not-there"}}}}};
    EXPECT_THAT(pool_->watch_memory(gone).value().failed, SizeIs(1));
    EXPECT_EQ(pool_->kdamonds(), std::vector<int>{worker});
    EXPECT_THAT(read().counts, SizeIs(1));
    EXPECT_THAT(
        pool_->watch_memory({{count(PageClass::anon), count(PageClass::file)}}).value().failed,
        IsEmpty());
    EXPECT_EQ(pool_->kdamonds(), std::vector<int>{worker});
}

} // namespace
} // namespace cgtide::damon
