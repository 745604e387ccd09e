#include "engine/act/evict.hpp"
#include "tests/support/fake_mglru.hpp"
#include "tests/support/fake_tree.hpp"
#include "tests/support/times.hpp"

#include <cerrno>
#include <numeric>

#include <gmock/gmock.h>

namespace cgtide::act {
namespace {

using model::OutcomeEnd;
using testing::Each;
using testing::Field;
using testing::IsEmpty;
using testing::SizeIs;

using test::kNever;
constexpr std::uint64_t kPages = 256; ///< of a MiB
constexpr std::uint64_t kChunk = 4 * kPages;

/// A kernel in which 20 MiB of /web are in the generation 3, which is proven, and 12 MiB in the two
/// youngest.
class EvictTest : public testing::Test {
protected:
    EvictTest() : id_(tree_.add_group("/web")) {
        install_interrupt_handler();
        dir_ = tree_.dir().dir("sys/fs/cgroup/web");
        cold_ = {id_, "/web", 0, 3, 20 * kPages};
        const TimePoint then = state_.now - std::chrono::seconds(10);
        state_.born = {then, then, then, then};
        state_.generations = {{3, {}, 20 * kPages, 50},
                              {4, {}, 8 * kPages, 0},
                              {5, {}, 4 * kPages, 0},
                              {6, {}, 0, 0}};
        state_.left = [this](std::uint64_t pages) {
            usage_ = usage_ - Bytes{pages * 4096};
            tell_usage();
        };
        tell_usage();
    }

    void tell_usage() { tree_.set("/web", "memory.current", std::to_string(usage_.count) + "\n"); }

    model::Outcome ask(Bytes bytes) {
        model::Decision decision;
        decision.app = model::AppName::reclaim;
        decision.id = id_;
        decision.ask = bytes;
        decision.actuator = model::Actuator::generations;
        decision.proven = Microseconds(10'000'000);
        const EvictionSite site{dir_, "/web", kernel_, anon_only_};
        return evict(site, decision, {&cold_, 1}, deadline_, interrupt_);
    }

    std::uint64_t asked_pages() const {
        return std::accumulate(
            state_.evictions.begin(), state_.evictions.end(), std::uint64_t{0},
            [](std::uint64_t sum, const damon::Eviction& one) { return sum + one.pages; });
    }

    test::FakeTree tree_;
    CgroupId id_;
    Dir dir_;
    Bytes usage_ = mebibytes(64);
    test::FakeMglru::State state_;
    test::FakeMglru kernel_{state_};
    model::ColdGenerations cold_;
    bool anon_only_ = true;
    Microseconds deadline_ = kNever;
    Interrupt interrupt_;
};

TEST_F(EvictTest, EvictsTheProvenGenerationInChunksUntilTheAskHasLeft) {
    const model::Outcome outcome = ask(mebibytes(10));
    EXPECT_EQ(outcome.end, OutcomeEnd::done);
    EXPECT_EQ(outcome.taken, mebibytes(10));
    EXPECT_EQ(outcome.found, mebibytes(20));
    EXPECT_EQ(outcome.actuator, model::Actuator::generations);
    EXPECT_TRUE(outcome.proven);
    ASSERT_THAT(state_.evictions, SizeIs(3));
    EXPECT_THAT(state_.evictions, Each(Field(&damon::Eviction::last, 3U)));
    EXPECT_THAT(state_.evictions, Each(Field(&damon::Eviction::id, 7U)));
    EXPECT_THAT(state_.evictions, Each(Field(&damon::Eviction::anon_only, true)));
    EXPECT_EQ(state_.evictions[0].pages, kChunk);
    EXPECT_EQ(state_.evictions[2].pages, 2 * kPages);
}

TEST_F(EvictTest, TakesNoMoreThanWasProven) {
    const model::Outcome outcome = ask(mebibytes(30));
    EXPECT_EQ(outcome.end, OutcomeEnd::partial);
    EXPECT_EQ(outcome.taken, mebibytes(20));
    EXPECT_EQ(state_.generations[0].number, 3U) << "its page cache stays";
    EXPECT_EQ(state_.generations[0].file_pages, 50U);
    cold_.pages = 0;
    state_.generations[0].anon_pages = kPages;
    EXPECT_EQ(ask(mebibytes(30)).taken, Bytes{});
}

TEST_F(EvictTest, OfAGenerationThatHasGrownOnlyAsManyLeaveAsWereProven) {
    cold_.pages = 6 * kPages; // 14 MiB were read ahead from swap since
    const model::Outcome outcome = ask(mebibytes(30));
    EXPECT_EQ(outcome.found, mebibytes(6));
    EXPECT_EQ(outcome.taken, mebibytes(6));
    EXPECT_EQ(outcome.end, OutcomeEnd::partial);
}

TEST_F(EvictTest, ReadsAgainBeforeEachCommand) {
    ask(mebibytes(10));
    EXPECT_EQ(state_.readings, 4); // three commands, and what came of the last
}

TEST_F(EvictTest, AGenerationThatWasMergedMeanwhileIsLeftAlone) {
    state_.before_eviction = [&] {
        if (state_.evictions.size() == 1) {
            kernel_.merge(); // another one's reclaim: what is left is among younger pages now
        }
    };
    const model::Outcome outcome = ask(mebibytes(16));
    EXPECT_EQ(outcome.end, OutcomeEnd::partial);
    EXPECT_THAT(state_.evictions, SizeIs(2)) << "that second command finds nothing so old";
    EXPECT_EQ(outcome.taken, mebibytes(4));
    EXPECT_EQ(state_.generations[0].number, 4U);
    EXPECT_EQ(state_.generations[0].anon_pages, 24 * kPages);
}

TEST_F(EvictTest, NothingIsAskedOfTheTwoYoungest) {
    cold_.last = 6;
    state_.generations = {{5, {}, 4 * kPages, 0}, {6, {}, 0, 0}};
    state_.born.resize(2);
    EXPECT_EQ(ask(mebibytes(4)).end, OutcomeEnd::partial);
    EXPECT_THAT(state_.evictions, IsEmpty());
}

TEST_F(EvictTest, PagesThatDoNotLeaveAreTriedOnce) {
    state_.stuck = 20 * kPages;
    const model::Outcome outcome = ask(mebibytes(10));
    EXPECT_EQ(outcome.end, OutcomeEnd::partial);
    EXPECT_EQ(outcome.found, mebibytes(20));
    EXPECT_EQ(outcome.taken, Bytes{});
    EXPECT_THAT(state_.evictions, SizeIs(1));
}

TEST_F(EvictTest, OfACgroupThatGrowsNoMoreLeavesThanWasAskedFor) {
    state_.left = [](std::uint64_t) {
    }; // as much came as left
    const model::Outcome outcome = ask(mebibytes(10));
    EXPECT_EQ(outcome.end, OutcomeEnd::done);
    EXPECT_EQ(outcome.taken, Bytes{});
    EXPECT_EQ(asked_pages(), 10 * kPages);
}

TEST_F(EvictTest, ACgroupThatShrinksByItselfLosesNoMore) {
    state_.before_eviction = [&] {
        usage_ = usage_ - mebibytes(12);
    };
    EXPECT_EQ(ask(mebibytes(16)).end, OutcomeEnd::done);
    EXPECT_THAT(state_.evictions, SizeIs(1));
}

TEST_F(EvictTest, WithoutMaxTheOldestGenerationAloneIsAskedForItsAnonymousPages) {
    state_.takes_max = false;
    anon_only_ = false;
    cold_.last = 4;
    cold_.pages = 28 * kPages;
    const model::Outcome outcome = ask(mebibytes(28));
    EXPECT_EQ(outcome.end, OutcomeEnd::partial);
    EXPECT_EQ(outcome.taken, mebibytes(20));
    EXPECT_THAT(state_.evictions, Each(Field(&damon::Eviction::last, 3U)));
    EXPECT_EQ(state_.generations[0].file_pages, 50U) << "nothing is proven of page cache";
}

TEST_F(EvictTest, StoppedBeforehandItWritesNothing) {
    interrupt_.stop();
    EXPECT_EQ(ask(mebibytes(4)).end, OutcomeEnd::interrupted);
    EXPECT_THAT(state_.evictions, IsEmpty());
}

TEST_F(EvictTest, AfterTheDeadlineItWritesNothing) {
    deadline_ = Microseconds(0);
    EXPECT_EQ(ask(mebibytes(4)).end, OutcomeEnd::interrupted);
    EXPECT_THAT(state_.evictions, IsEmpty());
}

TEST_F(EvictTest, AnInterruptEndsItBetweenTwoCommands) {
    state_.before_eviction = [&] {
        interrupt_.stop();
    };
    const model::Outcome outcome = ask(mebibytes(10));
    EXPECT_EQ(outcome.end, OutcomeEnd::interrupted);
    EXPECT_EQ(outcome.taken, mebibytes(4));
    EXPECT_THAT(state_.evictions, SizeIs(1));
}

TEST_F(EvictTest, ACommandThatASignalEndedIsNoFailure) {
    state_.refusals = {EINTR};
    state_.before_eviction = [&] {
        interrupt_.stop();
    };
    EXPECT_EQ(ask(mebibytes(10)).end, OutcomeEnd::interrupted);
}

TEST_F(EvictTest, AnErrnoOfTheKernelIsToldWithWhatHadLeft) {
    state_.refusals = {0, ENOMEM};
    const model::Outcome outcome = ask(mebibytes(10));
    EXPECT_EQ(outcome.end, OutcomeEnd::failed);
    EXPECT_EQ(outcome.error, ENOMEM);
    EXPECT_EQ(outcome.taken, mebibytes(4));
}

TEST_F(EvictTest, ACgroupOfTheSameNameIsNotTheOneThatWasProven) {
    tree_.remove_group("/web");
    tree_.add_group("/web");
    dir_ = tree_.dir().dir("sys/fs/cgroup/web");
    EXPECT_EQ(ask(mebibytes(4)).end, OutcomeEnd::partial);
    EXPECT_THAT(state_.evictions, IsEmpty());
}

TEST_F(EvictTest, AnInnerCgroupIsKnownByItsId) {
    const CgroupId inner = tree_.add_group("/web/inner");
    cold_.path = "/web/inner";
    cold_.group = inner;
    damon::LruGenerations reading = *kernel_.read();
    EXPECT_EQ(next_eviction(reading, cold_, kPages, true), std::nullopt) << "it is not listed";
    reading["/web/inner"] = reading["/web"];
    const auto next = next_eviction(reading, cold_, kPages, true);
    ASSERT_TRUE(next);
    EXPECT_EQ(next->pages, kPages);
}

TEST_F(EvictTest, ACgroupThatIsGoneIsAnEvent) {
    tree_.remove_group("/web");
    EXPECT_EQ(ask(mebibytes(4)).end, OutcomeEnd::gone);
    EXPECT_THAT(state_.evictions, IsEmpty());
}

TEST_F(EvictTest, ACgroupThatEndsWhileACommandIsWrittenIsNoFailure) {
    state_.refusals = {EINVAL};
    state_.before_eviction = [&] {
        tree_.remove_group("/web");
    };
    const model::Outcome outcome = ask(mebibytes(4));
    EXPECT_EQ(outcome.end, OutcomeEnd::gone);
    EXPECT_EQ(outcome.error, 0);
}

TEST_F(EvictTest, ACommandThatTheKernelDoesNotTakeIsAFailure) {
    state_.refusals = {EINVAL};
    const model::Outcome outcome = ask(mebibytes(4));
    EXPECT_EQ(outcome.end, OutcomeEnd::failed);
    EXPECT_EQ(outcome.error, EINVAL);
}

TEST_F(EvictTest, AContainerThatTheFileDoesNotNameIsLeftAlone) {
    state_.named = false;
    const model::Outcome outcome = ask(mebibytes(4));
    EXPECT_EQ(outcome.end, OutcomeEnd::partial);
    EXPECT_EQ(outcome.found, Bytes{});
}

} // namespace
} // namespace cgtide::act
