#include "cgroup/membership.hpp"
#include "engine/act/migrate.hpp"
#include "tests/support/fake_tree.hpp"
#include "tests/support/sizes.hpp"
#include "tests/support/times.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <functional>
#include <set>

#include <gmock/gmock.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

namespace cgtide::act {
namespace {

using model::Move;
using model::OutcomeEnd;

using test::kMiB;
using test::kNever;
using test::kPage;
constexpr std::uint64_t kHeldSize = 8 * kMiB;

/// A process of which 8 MiB of anonymous memory are present, until it is told to end. `shared`:
/// this one has them too, since before the fork.
class Holder {
public:
    explicit Holder(bool shared = false) {
        memory_ =
            ::mmap(nullptr, kHeldSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        ::madvise(memory_, kHeldSize, MADV_NOHUGEPAGE);
        std::array<int, 2> ready{};
        EXPECT_EQ(::pipe(ready.data()), 0);
        if (shared) {
            touch();
        }
        pid_ = ::fork();
        if (pid_ == 0) {
            if (!shared) {
                touch();
            }
            static_cast<void>(::write(ready[1], "x", 1));
            for (;;) {
                ::pause();
            }
        }
        char byte = 0;
        EXPECT_EQ(::read(ready[0], &byte, 1), 1);
        ::close(ready[0]);
        ::close(ready[1]);
    }
    Holder(const Holder&) = delete;
    Holder& operator=(const Holder&) = delete;
    ~Holder() {
        end();
        ::munmap(memory_, kHeldSize);
    }

    void end() {
        if (pid_ > 0) {
            ::kill(pid_, SIGKILL);
            ::waitpid(pid_, nullptr, 0);
        }
        pid_ = 0;
    }
    int pid() const { return pid_; }
    std::uint64_t start() const { return reinterpret_cast<std::uint64_t>(memory_); }

private:
    void touch() const {
        for (std::uint64_t i = 0; i < kHeldSize; i += kPage) {
            static_cast<volatile char*>(memory_)[i] = 1;
        }
    }

    void* memory_ = nullptr;
    int pid_ = 0;
};

/// A kernel of nodes: all pages are on node 0 until they are moved.
class FakeMover final : public PageMover {
public:
    Result<void> where(int, std::span<const std::uint64_t> addresses,
                       std::span<int> nodes) override {
        for (std::size_t i = 0; i < addresses.size(); ++i) {
            const auto found = pages.find(addresses[i]);
            nodes[i] = found == pages.end() ? 0 : found->second;
        }
        return {};
    }

    Result<void> move(int pid, std::span<const std::uint64_t> addresses, unsigned node) override {
        ++calls;
        const int refusal = refuse(node);
        if (refusal > 0) {
            return fail_errno(refusal, "move_pages", std::to_string(pid));
        }
        // Below 0: half of them find room.
        const auto some = refusal < 0 ? addresses.first(addresses.size() / 2) : addresses;
        for (const std::uint64_t address : some) {
            if (!stuck.contains(address)) {
                pages[address] = static_cast<int>(node);
                moved.push_back(address);
            }
        }
        if (refusal < 0) {
            return fail_errno(-refusal, "move_pages", std::to_string(pid));
        }
        return {};
    }

    std::map<std::uint64_t, int> pages;
    std::set<std::uint64_t> stuck;
    std::vector<std::uint64_t> moved; ///< in this order
    std::function<int(unsigned)> refuse = [](unsigned) {
        return 0;
    };
    int calls = 0;
};

class MigrateTest : public testing::Test {
protected:
    void SetUp() override {
        install_interrupt_handler();
        tree_.add_group("/web");
        group_ = tree_.dir().dir("sys/fs/cgroup/web");
        proc_ = *Dir::open("/proc");
        path_ = *cgroup::pid_cgroup(proc_, ::getpid());
        space_ = {holder_.pid(), *cgroup::pid_start_time(proc_, holder_.pid()), {}};
    }

    void add(std::uint64_t from_mib, std::uint64_t mib, int idle) {
        const std::uint64_t start = holder_.start() + from_mib * kMiB;
        space_.ranges.push_back({start, start + mib * kMiB, Microseconds(idle)});
    }

    model::Outcome ask(Bytes bytes, Move way = Move::demote,
                       const MoveTargets& targets = {{{0, {1}}}}) {
        model::Decision decision;
        decision.app = model::AppName::tier;
        decision.ask = bytes;
        decision.move = way;
        decision.actuator = model::Actuator::move_pages;
        const PageoutSite site{group_, proc_, path_};
        return migrate(site, decision, {&space_, 1}, targets, kernel_, memory_, kNever, interrupt_);
    }

    /// Whether a page of the process is on a node.
    bool is_on(std::uint64_t mib, int node) const {
        const auto found = kernel_.pages.find(holder_.start() + mib * kMiB);
        return (found == kernel_.pages.end() ? 0 : found->second) == node;
    }

    Holder holder_;
    test::FakeTree tree_;
    Dir group_;
    Dir proc_;
    std::string path_;
    model::ColdSpace space_;
    FakeMover kernel_;
    MoveMemory memory_;
    Interrupt interrupt_;
};

TEST_F(MigrateTest, MovesWhatWasAskedForAndNoMore) {
    add(0, 8, 100);
    const auto outcome = ask(mebibytes(3));
    EXPECT_EQ(outcome.taken, mebibytes(3));
    EXPECT_EQ(outcome.found, mebibytes(3));
    EXPECT_EQ(outcome.end, OutcomeEnd::done);
    EXPECT_EQ(outcome.move, Move::demote);
    EXPECT_EQ(kernel_.moved.size() * kPage, 3 * kMiB);
}

TEST_F(MigrateTest, ADemotionBeginsWithTheColdest) {
    add(0, 2, 100);
    add(2, 2, 300);
    add(4, 2, 200);
    ask(mebibytes(4));
    EXPECT_TRUE(is_on(0, 0));
    EXPECT_TRUE(is_on(2, 1));
    EXPECT_TRUE(is_on(4, 1));
}

TEST_F(MigrateTest, APromotionBeginsWithWhatIsInUseForLongest) {
    add(0, 2, -100);
    add(2, 2, -300);
    ask(mebibytes(2), Move::promote);
    EXPECT_TRUE(is_on(0, 0));
    EXPECT_TRUE(is_on(2, 1));
}

TEST_F(MigrateTest, PagesOfOtherNodesStay) {
    add(0, 8, 100);
    for (std::uint64_t at = 0; at < 4 * kMiB; at += kPage) {
        kernel_.pages[holder_.start() + at] = 1;
    }
    const auto outcome = ask(mebibytes(8));
    EXPECT_EQ(outcome.taken, mebibytes(4));
    EXPECT_EQ(outcome.end, OutcomeEnd::partial);
}

TEST_F(MigrateTest, PagesThatAForkLeftSharedStay) {
    const Holder sharing(true);
    space_ = {sharing.pid(),
              *cgroup::pid_start_time(proc_, sharing.pid()),
              {{sharing.start(), sharing.start() + 8 * kMiB, Microseconds(100)}}};
    const auto outcome = ask(mebibytes(8));
    EXPECT_EQ(outcome.taken, Bytes{});
    EXPECT_EQ(outcome.found, Bytes{});
    EXPECT_EQ(kernel_.calls, 0);
}

TEST_F(MigrateTest, WhatMovedIsLeftAloneForAWhile) {
    add(0, 8, 100);
    ask(mebibytes(8));
    const auto back = ask(mebibytes(8), Move::promote, {{{1, {0}}}});
    EXPECT_EQ(back.taken, Bytes{});
    EXPECT_EQ(back.found, Bytes{});
    EXPECT_EQ(back.end, OutcomeEnd::partial);
}

TEST_F(MigrateTest, WhatTheProcessPlacesItselfStays) {
    add(0, 8, 100);
    auto& look = memory_.own.looks[{space_.pid, space_.pid_start}];
    look.at = std::chrono::steady_clock::now();
    look.ranges = {{holder_.start() + 2 * kMiB, holder_.start() + 5 * kMiB}};
    const auto outcome = ask(mebibytes(8));
    EXPECT_EQ(outcome.taken, mebibytes(5));
    EXPECT_TRUE(is_on(1, 1));
    EXPECT_TRUE(is_on(3, 0));
    EXPECT_TRUE(is_on(6, 1));
}

TEST_F(MigrateTest, APolicyIsReadFromTheProcess) {
    add(0, 8, 100);
    ask(mebibytes(1));
    const auto& look = memory_.own.looks.at({space_.pid, space_.pid_start});
    EXPECT_NE(look.at, TimePoint{});
    EXPECT_THAT(look.ranges, testing::IsEmpty()); // it has none of its own
}

TEST_F(MigrateTest, APolicyThatKeptAllInPlaceIsLookedUpAnew) {
    add(0, 8, 100);
    auto& look = memory_.own.looks[{space_.pid, space_.pid_start}];
    look.at = std::chrono::steady_clock::now();
    look.ranges = {{0, UINT64_MAX}};
    EXPECT_EQ(ask(mebibytes(8)).taken, Bytes{});
    EXPECT_EQ(ask(mebibytes(8)).taken, mebibytes(8)); // by now the process has none
}

TEST_F(MigrateTest, WhatGoesBackIsCounted) {
    add(0, 8, 100);
    const TimePoint earlier = std::chrono::steady_clock::now() - MoveLog::kSettle;
    memory_.log.moved({space_.pid, space_.pid_start}, {holder_.start(), holder_.start() + 3 * kMiB},
                      Move::promote, earlier);
    const auto outcome = ask(mebibytes(8));
    EXPECT_EQ(outcome.taken, mebibytes(8));
    EXPECT_EQ(outcome.returned, mebibytes(3));
}

TEST_F(MigrateTest, PagesThatStayAreCountedAndNotTriedAgainAtOnce) {
    add(0, 8, 100);
    kernel_.stuck = {holder_.start(), holder_.start() + kPage};
    const auto outcome = ask(mebibytes(8));
    EXPECT_EQ(outcome.taken.count, 8 * kMiB - 2 * kPage);
    EXPECT_EQ(outcome.stuck.count, 2 * kPage);
    const int calls = kernel_.calls;
    ask(mebibytes(8));
    EXPECT_EQ(kernel_.calls, calls);
}

TEST_F(MigrateTest, ANodeThatIsFullOrAwayIsPassedOver) {
    add(0, 8, 100);
    for (const int refusal : {ENOMEM, ENODEV}) {
        kernel_ = {};
        memory_ = {};
        kernel_.refuse = [&](unsigned node) {
            return node == 1 ? refusal : 0;
        };
        const auto outcome = ask(mebibytes(8), Move::demote, {{{0, {1, 2}}}});
        EXPECT_EQ(outcome.taken, mebibytes(8)) << refusal;
        EXPECT_TRUE(is_on(3, 2));
        EXPECT_EQ(kernel_.calls, 5) << "the first chunk found it out";
        EXPECT_EQ(outcome.stuck, Bytes{});
    }
}

TEST_F(MigrateTest, WhatOneNodeTookIsNotSentToTheNext) {
    add(0, 8, 100);
    int taken = 0;
    kernel_.refuse = [&](unsigned node) {
        return node == 1 && ++taken == 1 ? -ENOMEM : 0;
    };
    const auto outcome = ask(mebibytes(8), Move::demote, {{{0, {1, 2}}}});
    EXPECT_EQ(outcome.taken, mebibytes(8));
    EXPECT_EQ(kernel_.moved.size() * kPage, 8 * kMiB) << "each page once";
    EXPECT_TRUE(is_on(0, 1));
    EXPECT_TRUE(is_on(7, 2));
}

TEST_F(MigrateTest, ATargetTakesNoMoreThanItsRoom) {
    add(0, 8, 100);
    const MoveTargets targets{{{0, {1, 2}}}, {{1, mebibytes(3)}, {2, mebibytes(1)}}};
    const auto outcome = ask(mebibytes(8), Move::demote, targets);
    EXPECT_EQ(outcome.taken, mebibytes(4));
    EXPECT_EQ(outcome.end, OutcomeEnd::partial);
    EXPECT_EQ(outcome.stuck, Bytes{}) << "there was no room to try";
    EXPECT_EQ(kernel_.moved.size() * kPage, 4 * kMiB);
}

TEST_F(MigrateTest, WhereAllTargetsAreFullItEnds) {
    add(0, 8, 100);
    kernel_.refuse = [](unsigned) {
        return ENOMEM;
    };
    const auto outcome = ask(mebibytes(8));
    EXPECT_EQ(outcome.end, OutcomeEnd::partial);
    EXPECT_EQ(kernel_.calls, 1);
}

/// To nearer nodes each node has targets of its own.
TEST_F(MigrateTest, WhereOneNodesTargetsAreFullTheOthersGoOn) {
    add(0, 8, 100);
    for (std::uint64_t at = 4 * kMiB; at < 8 * kMiB; at += kPage) {
        kernel_.pages[holder_.start() + at] = 1;
    }
    const auto outcome =
        ask(mebibytes(8), Move::home, {{{0, {2}}, {1, {3}}}, {{2, Bytes{}}, {3, mebibytes(8)}}});
    EXPECT_EQ(outcome.taken, mebibytes(4));
    EXPECT_EQ(outcome.end, OutcomeEnd::partial);
    EXPECT_TRUE(is_on(7, 3));
}

TEST_F(MigrateTest, SinglePagesAmongOthersAreFoundInTheEnd) {
    add(0, 8, 100);
    for (std::uint64_t at = 0; at < 8 * kMiB; at += kPage) {
        kernel_.pages[holder_.start() + at] = at / kPage % 128 == 77 ? 0 : 1;
    }
    Bytes taken;
    for (int tries = 0; taken < Bytes{16 * kPage} && tries < 100'000; ++tries) {
        taken = taken + ask(mebibytes(1)).taken;
    }
    EXPECT_EQ(taken, Bytes{16 * kPage});
}

TEST_F(MigrateTest, AProcessThatWasNotWaitedForIsLeftOut) {
    add(0, 8, 100);
    kernel_.refuse = [](unsigned) {
        return EINVAL;
    };
    EXPECT_EQ(ask(mebibytes(8)).end, OutcomeEnd::partial);
}

TEST_F(MigrateTest, WhatACpusetForbidsStays) {
    add(0, 8, 100);
    kernel_.refuse = [](unsigned) {
        return EACCES;
    };
    const auto outcome = ask(mebibytes(8));
    EXPECT_EQ(outcome.taken, Bytes{});
    EXPECT_EQ(outcome.stuck, mebibytes(8));
    EXPECT_EQ(outcome.end, OutcomeEnd::partial);
}

TEST_F(MigrateTest, WithoutTheRightItFails) {
    add(0, 8, 100);
    kernel_.refuse = [](unsigned) {
        return EPERM;
    };
    const auto outcome = ask(mebibytes(8));
    EXPECT_EQ(outcome.end, OutcomeEnd::failed);
    EXPECT_EQ(outcome.error, EPERM);
    EXPECT_EQ(kernel_.calls, 1);
}

TEST_F(MigrateTest, AProcessThatEndsMeanwhileIsLeftOut) {
    add(0, 8, 100);
    kernel_.refuse = [&](unsigned) {
        holder_.end();
        return ESRCH;
    };
    const auto outcome = ask(mebibytes(8));
    EXPECT_EQ(outcome.taken, Bytes{});
    EXPECT_EQ(outcome.end, OutcomeEnd::partial);
    EXPECT_EQ(kernel_.calls, 1) << "its number is not used once it has ended";
}

TEST_F(MigrateTest, ANumberThatWasGivenAwayIsNotUsed) {
    add(0, 8, 100);
    space_.pid_start += 1;
    const auto outcome = ask(mebibytes(8));
    EXPECT_EQ(outcome.end, OutcomeEnd::partial);
    EXPECT_EQ(kernel_.calls, 0);
}

TEST_F(MigrateTest, AnInterruptEndsIt) {
    add(0, 8, 100);
    kernel_.refuse = [&](unsigned) {
        interrupt_.stop();
        return 0;
    };
    const auto outcome = ask(mebibytes(8));
    EXPECT_EQ(outcome.end, OutcomeEnd::interrupted);
    EXPECT_EQ(outcome.taken, kMoveChunk);
}

} // namespace
} // namespace cgtide::act
