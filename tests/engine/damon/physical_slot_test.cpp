#include "engine/damon/pool.hpp"
#include "tests/engine/damon/fixtures.hpp"

#include <cerrno>

#include <gmock/gmock.h>

namespace cgtide::damon {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using test::kEngine;

/// The slot for physical memory.
constexpr std::size_t kLast = 2;
const std::vector<Range> kMemory{{0x100000, 0x40000000}, {0x100000000, 0x140000000}};

/// A pool with physical memory on the last of three slots.
class PhysicalMemory : public test::PoolTest {
protected:
    PhysicalMemory() {
        kernel_.add_process(101);
        kernel_.add_process(102);
    }

    Result<Pool> try_open() {
        own(kLast + 1);
        PoolOptions options;
        options.targets_per_slot = 1;
        options.memory = kMemory;
        options.before_commit = [this](int kdamond, TimePoint) {
            begun_.push_back(kdamond);
        };
        return Pool::open(*ownership_, options);
    }

    void open() { pool_.emplace(try_open().value()); }

    static PhysicalWatch watch(std::initializer_list<PageClass> classes) {
        PhysicalWatch watch;
        for (const PageClass pages : classes) {
            watch.counts.push_back({CgroupId{7}, pages, {{CgroupId{8}, "/web"}}});
        }
        return watch;
    }

    /// The next count, as if its time had come.
    std::optional<PhysicalReading> read() {
        return pool_->read_memory(pool_->memory_due().value()).value();
    }

    Applied apply(const PhysicalWatch& watch) { return pool_->watch_memory(watch).value(); }

    std::vector<int> begun_;
};

TEST_F(PhysicalMemory, HasTheLastSlotForItselfWhileThereIsSomethingToCount) {
    open();
    EXPECT_EQ(pool_->target_slots(), kLast);
    EXPECT_THAT(pool_->apply({target(1), target(2)}).value().failed, IsEmpty());
    EXPECT_FALSE(kernel_.running(kLast));
    const Applied applied = apply(watch({PageClass::file}));
    ASSERT_THAT(applied.epochs, SizeIs(1));
    EXPECT_THAT(applied.epochs[0].keys, ElementsAre(kPhysical));
    EXPECT_EQ(applied.epochs[0].kdamond, kernel_.worker(kLast));
    EXPECT_THAT(pool_->kdamonds(),
                ElementsAre(kernel_.worker(0), kernel_.worker(1), kernel_.worker(kLast)));
    EXPECT_THAT(apply({}).epochs, SizeIs(1));
    EXPECT_EQ(kernel_.worker(kLast), 0);
    EXPECT_NE(kernel_.worker(0), 0);
    EXPECT_THAT(apply({}).epochs, IsEmpty());
}

TEST_F(PhysicalMemory, AChangeIsACommitThatKeepsItsRegions) {
    open();
    apply(watch({PageClass::file}));
    const auto regions = kernel_.running(kLast)->at(0).regions;
    EXPECT_THAT(apply(watch({PageClass::file})).epochs, IsEmpty()) << "nothing changed";
    EXPECT_TRUE(read());
    EXPECT_THAT(apply(watch({PageClass::anon, PageClass::file})).failed, IsEmpty());
    EXPECT_THAT(begun_, ElementsAre(kernel_.worker(kLast)));
    EXPECT_EQ(kernel_.running(kLast)->at(0).regions, regions);
}

TEST_F(PhysicalMemory, AChangeWaitsForACountSoThatManyStarveNone) {
    open();
    apply(watch({PageClass::file}));
    const TimePoint due = pool_->memory_due().value();
    EXPECT_THAT(apply(watch({PageClass::anon})).epochs, IsEmpty());
    EXPECT_EQ(pool_->memory_due(), due);
    EXPECT_EQ(read().value().counts.at(0).pages, PageClass::file);
    EXPECT_THAT(apply(watch({PageClass::anon})).epochs, SizeIs(1));
    EXPECT_EQ(read().value().counts.at(0).pages, PageClass::anon);
}

TEST_F(PhysicalMemory, AnotherSamplingIntervalReachesItToo) {
    open();
    apply(watch({PageClass::file}));
    EXPECT_TRUE(read());
    pool_->set_sample(Microseconds(100'000));
    EXPECT_THAT(apply(watch({PageClass::file})).epochs, SizeIs(1));
    EXPECT_EQ(read().value().round.looks, 10U);
    EXPECT_THAT(apply(watch({PageClass::file})).epochs, IsEmpty());
}

TEST_F(PhysicalMemory, ReadsWhatEachCountHasPassed) {
    open();
    apply(watch({PageClass::file, PageClass::unmapped_file}));
    const auto reading = read();
    ASSERT_TRUE(reading);
    EXPECT_EQ(reading->round.key, kPhysical);
    EXPECT_THAT(reading->round.regions, SizeIs(2));
    ASSERT_THAT(reading->counts, SizeIs(2));
    // The fake lets pass as many bytes as there are filters.
    EXPECT_THAT(reading->counts[0].regions,
                ElementsAre(CountedRegion{kMemory[0], 2}, CountedRegion{kMemory[1], 2}));
    EXPECT_EQ(reading->counts[1].pages, PageClass::unmapped_file);
    EXPECT_THAT(reading->counts[1].regions,
                ElementsAre(CountedRegion{kMemory[0], 3}, CountedRegion{kMemory[1], 3}));
    EXPECT_EQ(reading->counts[1].container, CgroupId{7});
    const Tree& tree = tree_;
    EXPECT_FALSE(tree.has("2/contexts/0/schemes/0/tried_regions/0/start")) << "folders are left";
}

TEST_F(PhysicalMemory, IsReadJustBeforeTheNextCount) {
    open();
    EXPECT_EQ(pool_->memory_due(), std::nullopt);
    apply(watch({PageClass::file}));
    const TimePoint due = pool_->memory_due().value();
    const int writes = kernel_.writes();
    EXPECT_EQ(pool_->read_memory(due - Microseconds(1)).value(), std::nullopt);
    EXPECT_EQ(kernel_.writes(), writes);
    EXPECT_TRUE(pool_->read_memory(due).value());
    EXPECT_GE(pool_->memory_due().value(), due);
    EXPECT_EQ(pool_->read_memory(due).value(), std::nullopt) << "twice";
}

TEST_F(PhysicalMemory, ACountThatHasGoneByIsNotWaitedForAndTheNextIsEarlier) {
    open();
    apply(watch({PageClass::file}));
    const Microseconds period = PhysicalWatch{}.period;
    const TimePoint due = pool_->memory_due().value();
    const int writes = kernel_.writes();
    EXPECT_EQ(pool_->read_memory(due + period / 5).value(), std::nullopt);
    EXPECT_EQ(kernel_.writes(), writes);
    const TimePoint next = pool_->memory_due().value();
    EXPECT_GT(next, due + period / 5);
    EXPECT_LT(next, due + period);
    EXPECT_TRUE(pool_->read_memory(next).value());
}

TEST_F(PhysicalMemory, ARemovedCgroupFailsOneCommitAndTheOldCountsGoOn) {
    open();
    apply(watch({PageClass::file}));
    EXPECT_TRUE(read());
    kernel_.remove_cgroup("/web");
    const Applied applied = apply(watch({PageClass::file, PageClass::anon}));
    ASSERT_THAT(applied.failed, SizeIs(1));
    EXPECT_EQ(applied.failed[0].slot, kLast);
    EXPECT_THAT(applied.failed[0].error.message(), HasSubstr("memcg path"));
    EXPECT_NE(kernel_.worker(kLast), 0);
    EXPECT_EQ(read().value().counts.at(0).pages, PageClass::file);
    PhysicalWatch other;
    other.counts.push_back({CgroupId{7}, PageClass::file, {{CgroupId{9}, "/web/inner"}}});
    EXPECT_THAT(apply(other).failed, IsEmpty());
    EXPECT_THAT(read().value().counts, SizeIs(1));
}

TEST_F(PhysicalMemory, AWorkerThatSomebodyTurnedOffIsStartedAgain) {
    open();
    apply(watch({PageClass::file}));
    kernel_.poke("2/state", "off");
    EXPECT_FALSE(pool_->read_memory(pool_->memory_due().value()));
    EXPECT_TRUE(pool_->check());
    EXPECT_EQ(pool_->memory_due(), std::nullopt);
    apply(watch({PageClass::file}));
    EXPECT_NE(kernel_.worker(kLast), 0);
}

TEST_F(PhysicalMemory, AStrangersWorkerEndsOurs) {
    open();
    apply(watch({PageClass::file}));
    kernel_.poke("0/contexts/nr_contexts", "1");
    kernel_.poke("0/contexts/0/monitoring_attrs/nr_regions/min", "10");
    kernel_.poke("0/state", "on");
    EXPECT_FALSE(pool_->check());
    EXPECT_EQ(kernel_.worker(kLast), 0);
    EXPECT_FALSE(pool_->watch_memory(watch({PageClass::file})));
}

TEST_F(PhysicalMemory, IsLeftOutWhereTheKernelDoesNotTellWhoseBytesAre) {
    kernel_.remove_file("sz_ops_filter_passed");
    open();
    EXPECT_FALSE(pool_->watches_memory());
    EXPECT_EQ(pool_->target_slots(), kLast + 1);
    EXPECT_THAT(apply(watch({PageClass::file})).epochs, IsEmpty());
}

TEST_F(PhysicalMemory, AloneWatchesAKernelWithoutFvaddr) {
    kernel_.set_operations("paddr\n");
    open();
    EXPECT_TRUE(pool_->watches_memory());
    EXPECT_FALSE(pool_->support().fvaddr);
    EXPECT_THAT(pool_->apply({target(1)}).value().no_room, ElementsAre(1U));
    apply(watch({PageClass::anon}));
    EXPECT_NE(kernel_.worker(kLast), 0);
    EXPECT_TRUE(pool_->stop());
    pool_.reset();
    EXPECT_TRUE(ownership_->release());
    EXPECT_EQ(kernel_.get("nr_kdamonds"), "0");
    kernel_.remove_file("sz_ops_filter_passed");
    EXPECT_FALSE(try_open());
}

TEST_F(PhysicalMemory, KnowsWhetherPagesThatNobodyMapsCanBeTold) {
    open();
    EXPECT_TRUE(pool_->support().unmapped);
    pool_.reset();
    EXPECT_TRUE(ownership_->release());
    kernel_.set_unmapped(false);
    open();
    EXPECT_FALSE(pool_->support().unmapped);
    EXPECT_TRUE(pool_->support().passed_bytes);
}

TEST_F(PhysicalMemory, AKilledEngineIsCleanedUp) {
    open();
    apply(watch({PageClass::file}));
    kernel_.end_process(kEngine);
    EXPECT_EQ(recover(realm_).value().what, Recovered::What::cleaned);
    EXPECT_EQ(kernel_.get("nr_kdamonds"), "0");
}

} // namespace
} // namespace cgtide::damon
