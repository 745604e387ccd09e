#include "cgroup/membership.hpp"
#include "cgroup/pagemap.hpp"
#include "engine/act/pageout.hpp"
#include "tests/support/fake_tree.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/times.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

namespace cgtide::act {
namespace {

using model::OutcomeEnd;
using model::Pages;

using test::kNever;
constexpr std::size_t kFileSize = 8U << 20U;

/// A process that maps a file of 8 MiB, of which all is present, until it is told to end.
class Mapper {
public:
    explicit Mapper(const std::string& path) {
        std::ofstream(path, std::ios::binary) << std::string(kFileSize, 'x');
        const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC); // NOLINT: variadic
        ::fsync(fd);                                             // a dirty page does not leave
        memory_ = ::mmap(nullptr, kFileSize, PROT_READ, MAP_SHARED, fd, 0);
        ::close(fd);
        std::array<int, 2> ready{};
        EXPECT_EQ(::pipe(ready.data()), 0);
        pid_ = ::fork();
        if (pid_ == 0) {
            const auto* bytes = static_cast<const volatile char*>(memory_);
            for (std::size_t i = 0; i < kFileSize; i += 4096) {
                static_cast<void>(bytes[i]);
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
    Mapper(const Mapper&) = delete;
    Mapper& operator=(const Mapper&) = delete;
    ~Mapper() {
        end();
        ::munmap(memory_, kFileSize);
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
    void* memory_ = nullptr;
    int pid_ = 0;
};

class PageoutTest : public testing::Test {
protected:
    void SetUp() override {
        if (!probe_pageout().present) {
            GTEST_SKIP() << "process_madvise: " << probe_pageout().detail;
        }
        install_interrupt_handler();
        tree_.add_group("/web");
        tree_.set("/web", "memory.current", "10485760\n");
        group_ = tree_.dir().dir("sys/fs/cgroup/web");
        proc_ = *Dir::open("/proc");
        path_ = *cgroup::pid_cgroup(proc_, ::getpid());
    }

    model::ColdSpace space(const Mapper& mapper) const {
        return {mapper.pid(),
                *cgroup::pid_start_time(proc_, mapper.pid()),
                {{mapper.start(), mapper.start() + kFileSize, Microseconds(1)}}};
    }

    model::Outcome ask(const model::ColdSpace& space, Bytes bytes, Pages pages = Pages::all) {
        model::Decision decision;
        decision.ask = bytes;
        decision.pages = pages;
        decision.actuator = model::Actuator::pageout;
        decision.proven = Microseconds(1);
        const PageoutSite site{group_, proc_, path_};
        return page_out(site, decision, {&space, 1}, kNever, interrupt_);
    }

    Bytes present(const Mapper& mapper) const {
        std::vector<cgroup::Present> runs;
        auto pages = cgroup::Pagemap::open(proc_, mapper.pid());
        EXPECT_TRUE(pages->scan(mapper.start(), mapper.start() + kFileSize, {}, runs));
        Bytes sum;
        for (const cgroup::Present& run : runs) {
            sum = sum + Bytes{run.end - run.start};
        }
        return sum;
    }

    test::TempDir folder_;
    test::FakeTree tree_;
    Dir group_;
    Dir proc_;
    std::string path_;
    Interrupt interrupt_;
};

TEST_F(PageoutTest, WhatIsAskedForLeavesItsPageTables) {
    const Mapper mapper(folder_.path() + "/file");
    ASSERT_EQ(present(mapper), Bytes{kFileSize});
    const model::Outcome outcome = ask(space(mapper), mebibytes(5));
    EXPECT_EQ(outcome.end, OutcomeEnd::done);
    EXPECT_GE(outcome.found, mebibytes(5));
    EXPECT_GE(outcome.found - outcome.stuck, mebibytes(5));
    EXPECT_LE(present(mapper), mebibytes(3));
    EXPECT_TRUE(outcome.proven);
    EXPECT_EQ(outcome.actuator, model::Actuator::pageout);
}

TEST_F(PageoutTest, APartOfAPageIsNotAskedFor) {
    const Mapper mapper(folder_.path() + "/file");
    const model::Outcome outcome = ask(space(mapper), mebibytes(5) + Bytes{100});
    EXPECT_EQ(outcome.end, OutcomeEnd::done);
    EXPECT_EQ(outcome.found.count % 4096, 0U);
    EXPECT_GE(outcome.found, mebibytes(5));
}

TEST_F(PageoutTest, MoreThanThereIsIsPartial) {
    const Mapper mapper(folder_.path() + "/file");
    const model::Outcome outcome = ask(space(mapper), mebibytes(50));
    EXPECT_EQ(outcome.end, OutcomeEnd::partial);
    EXPECT_EQ(outcome.found, Bytes{kFileSize});
    EXPECT_EQ(present(mapper) + (outcome.found - outcome.stuck), Bytes{kFileSize});
}

TEST_F(PageoutTest, TheOtherKindOfPagesStays) {
    const Mapper mapper(folder_.path() + "/file");
    const model::Outcome outcome = ask(space(mapper), mebibytes(5), Pages::anon);
    EXPECT_EQ(outcome.found, Bytes{});
    EXPECT_EQ(present(mapper), Bytes{kFileSize});
}

TEST_F(PageoutTest, WhatTwoProcessesMapIsStuck) {
    const Mapper mapper(folder_.path() + "/file");
    const int fd = ::open((folder_.path() + "/file").c_str(), O_RDONLY | O_CLOEXEC); // NOLINT
    void* const second = ::mmap(nullptr, kFileSize, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
    ::close(fd);
    const model::Outcome outcome = ask(space(mapper), mebibytes(50));
    EXPECT_EQ(outcome.stuck, Bytes{kFileSize});
    EXPECT_EQ(present(mapper), Bytes{kFileSize});
    ::munmap(second, kFileSize);
}

TEST_F(PageoutTest, AnEndedProcessIsLeftOut) {
    Mapper mapper(folder_.path() + "/file");
    const model::ColdSpace cold = space(mapper);
    mapper.end();
    const model::Outcome outcome = ask(cold, mebibytes(5));
    EXPECT_EQ(outcome.end, OutcomeEnd::partial);
    EXPECT_EQ(outcome.found, Bytes{});
}

TEST_F(PageoutTest, ANumberThatIsAnothersNowIsLeftOut) {
    const Mapper mapper(folder_.path() + "/file");
    model::ColdSpace cold = space(mapper);
    ++cold.pid_start;
    EXPECT_EQ(ask(cold, mebibytes(5)).found, Bytes{});
    EXPECT_EQ(present(mapper), Bytes{kFileSize});
}

TEST_F(PageoutTest, AProcessThatLeftTheCgroupIsLeftOut) {
    const Mapper mapper(folder_.path() + "/file");
    path_ = "/elsewhere";
    EXPECT_EQ(ask(space(mapper), mebibytes(5)).found, Bytes{});
    EXPECT_EQ(present(mapper), Bytes{kFileSize});
}

TEST_F(PageoutTest, AnInterruptEndsItBeforeTheNextChunk) {
    const Mapper mapper(folder_.path() + "/file");
    interrupt_.stop();
    const model::Outcome outcome = ask(space(mapper), mebibytes(5));
    EXPECT_EQ(outcome.end, OutcomeEnd::interrupted);
    EXPECT_EQ(present(mapper), Bytes{kFileSize});
}

TEST_F(PageoutTest, ACgroupThatIsGoneIsAnEvent) {
    const Mapper mapper(folder_.path() + "/file");
    tree_.remove_group("/web");
    EXPECT_EQ(ask(space(mapper), mebibytes(5)).end, OutcomeEnd::gone);
    EXPECT_EQ(present(mapper), Bytes{kFileSize});
}

} // namespace
} // namespace cgtide::act
