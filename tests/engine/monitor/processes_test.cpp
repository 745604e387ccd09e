#include "cgroup/base/text.hpp"
#include "engine/monitor/processes.hpp"
#include "tests/support/sanitized.hpp"
#include "tests/support/sizes.hpp"
#include "tests/support/temp_dir.hpp"

#include <array>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <functional>

#include <gmock/gmock.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace cgtide::monitor {
namespace {

using cgroup::PageKind;
using cgroup::Present;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using test::kMiB;

char* map(std::size_t bytes, int flags = MAP_PRIVATE | MAP_ANONYMOUS, int fd = -1) {
    void* at = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, flags | MAP_NORESERVE, fd, 0);
    EXPECT_NE(at, MAP_FAILED);
    (void)::madvise(at, bytes, MADV_NOHUGEPAGE); // EINVAL where the kernel has none
    return static_cast<char*>(at);
}

std::uint64_t address(const char* at) {
    return reinterpret_cast<std::uintptr_t>(at);
}

/// A forked child that has done `work` and waits; it does `then` at a nudge and waits again.
class Child {
public:
    explicit Child(
        const std::function<void()>& work, const std::function<void()>& then = [] {}) {
        EXPECT_EQ(::pipe(told_), 0);
        EXPECT_EQ(::pipe(nudge_), 0);
        pid_ = ::fork();
        if (pid_ == 0) {
            ::close(nudge_[1]);
            work();
            tell();
            await();
            then();
            tell();
            await();
            ::_exit(0);
        }
        hear();
    }
    ~Child() {
        ::close(nudge_[1]);
        EXPECT_EQ(::waitpid(pid_, nullptr, 0), pid_);
        for (const int fd : {told_[0], told_[1], nudge_[0]}) {
            ::close(fd);
        }
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    int pid() const { return pid_; }
    void go_on() {
        EXPECT_EQ(::write(nudge_[1], "x", 1), 1);
        hear();
    }

private:
    void tell() { (void)!::write(told_[1], "x", 1); }
    void await() {
        char byte = 0;
        if (::read(nudge_[0], &byte, 1) != 1) {
            ::_exit(0);
        }
    }
    void hear() {
        char byte = 0;
        EXPECT_EQ(::read(told_[0], &byte, 1), 1);
    }

    int pid_ = -1;
    int told_[2] = {-1, -1};
    int nudge_[2] = {-1, -1};
};

/// Forked children that wait until this ends.
class Crowd {
public:
    explicit Crowd(std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            add([] {
                for (;;) {
                    ::pause();
                }
            });
        }
    }
    ~Crowd() {
        for (const int pid : pids_) {
            ::kill(pid, SIGKILL);
        }
        for (const int pid : pids_) {
            EXPECT_EQ(::waitpid(pid, nullptr, 0), pid);
        }
    }
    Crowd(const Crowd&) = delete;
    Crowd& operator=(const Crowd&) = delete;

    void add(const std::function<void()>& work) {
        const pid_t pid = ::fork();
        if (pid == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            work();
            ::_exit(0);
        }
        ASSERT_GT(pid, 0);
        pids_.push_back(pid);
    }

    const std::vector<int>& pids() const { return pids_; }

private:
    std::vector<int> pids_;
};

class ProcessesOfAContainer : public ::testing::Test {
protected:
    ProcessesOfAContainer() : proc_(Dir::open("/proc").value()) {}

    void refresh(Processes& processes, const std::vector<int>& pids) {
        cgroup::Subtree subtree;
        subtree.nodes.push_back({CgroupId{1}, "/web", {}});
        subtree.nodes.push_back({CgroupId{2}, "/web/a", pids});
        processes.refresh(subtree, last_key_);
    }

    static std::uint64_t present_in(const Space& space, const char* at, std::size_t bytes,
                                    PageKind kind) {
        std::uint64_t found = 0;
        for (const Present& run : space.present) {
            if (run.start < address(at) + bytes && run.end > address(at) && run.kind == kind) {
                found += std::min(run.end, address(at) + bytes) - std::max(run.start, address(at));
            }
        }
        return found;
    }

    static bool watches(const Space& space, std::uint64_t at) {
        return std::any_of(space.ranges.begin(), space.ranges.end(),
                           [&](const damon::Range& r) { return r.start <= at && at < r.end; });
    }

    Dir proc_;
    damon::TargetKey last_key_ = 0;
};

TEST_F(ProcessesOfAContainer, WatchesWhatIsPresentAlone) {
    char* const area = map(1024 * kMiB);
    const Child child([&] { std::memset(area + 512 * kMiB, 1, 8 * kMiB); });
    Processes processes(proc_);
    refresh(processes, {child.pid()});
    ASSERT_THAT(processes.spaces(), SizeIs(1));
    const Space& space = processes.spaces()[0];
    EXPECT_EQ(space.pid, child.pid());
    EXPECT_EQ(space.key, 1U);
    EXPECT_GT(space.pid_start, 0U);
    EXPECT_GT(space.stack_end, 0U);
    EXPECT_EQ(present_in(space, area, 1024 * kMiB, PageKind::anon), 8 * kMiB);
    EXPECT_TRUE(watches(space, address(area) + 512 * kMiB));
    if (!test::kSanitized) { // a sanitizer's shadow is present too, and ranges are joined over gaps
        EXPECT_FALSE(watches(space, address(area) + 256 * kMiB));
    }
    EXPECT_LE(space.ranges.size(), RangeOptions{}.max_ranges);
    EXPECT_EQ(processes.unwatched(), 0U);
    ::munmap(area, 1024 * kMiB);
}

TEST_F(ProcessesOfAContainer, RangesStayUntilMemoryGrows) {
    char* const area = map(256 * kMiB);
    Child child([&] { std::memset(area, 1, 8 * kMiB); },
                [&] { std::memset(area + 128 * kMiB, 1, 32 * kMiB); });
    Processes processes(proc_);
    refresh(processes, {child.pid()});
    const Space first = processes.spaces().at(0);
    EXPECT_THAT(first.came, IsEmpty());
    refresh(processes, {child.pid()});
    EXPECT_EQ(processes.spaces().at(0).ranges, first.ranges);
    EXPECT_EQ(processes.spaces().at(0).key, first.key);
    child.go_on();
    refresh(processes, {child.pid()});
    const Space& grown = processes.spaces().at(0);
    EXPECT_EQ(grown.key, first.key);
    EXPECT_TRUE(watches(grown, address(area) + 130 * kMiB));
    std::uint64_t came = 0;
    for (const damon::Range& range : grown.came) {
        came += range.end - range.start;
    }
    EXPECT_GE(came, 32 * kMiB);
    if (!test::kSanitized) { // a sanitizer's shadow came too
        EXPECT_LT(came, 33 * kMiB);
    }
    ::munmap(area, 256 * kMiB);
}

/// A process of one page in a procfs of files.
class ProcessOfFiles {
public:
    void write(std::uint64_t page, int faults, int resident = 1) const {
        const std::string number = std::to_string(page);
        proc_.write("7/statm", "9 " + std::to_string(resident) + " 0 1 0 1 0\n");
        proc_.write("7/stat", "7 (a) S 1 7 7 0 -1 0 " + std::to_string(faults) +
                                  " 0 2 0 5 5 0 0 20 0 1 0 123 0\n");
        std::array<char, 64> line{};
        std::snprintf(line.data(), line.size(), "%lx-%lx rw-p 00000000 00:00 0 \n", page << 12U,
                      (page + 1) << 12U);
        proc_.write("7/maps", line.data());
        std::string entries(page * 8, '\0');
        entries.append({0, 0, 0, 0, 0, 0, 0, '\x81'}); // present, and exclusive
        proc_.write("7/pagemap", entries);
    }
    Dir dir() const { return proc_.dir(); }

    static std::uint64_t page_of(const Processes& processes) {
        return processes.spaces().at(0).present.at(0).start >> 12U;
    }

private:
    test::TempDir proc_;
};

TEST_F(ProcessesOfAContainer, WhereNothingChangedNothingIsLookedAt) {
    const ProcessOfFiles process;
    const Dir proc = process.dir();
    Processes processes(proc);
    process.write(16, 100);
    refresh(processes, {7});
    EXPECT_EQ(ProcessOfFiles::page_of(processes), 16U);
    for (const std::uint64_t page : {17U, 18U}) {
        process.write(page, 100); // as mremap(2) moves pages
        std::uint32_t stood = 0;
        for (; ProcessOfFiles::page_of(processes) != page; ++stood) {
            ASSERT_LE(stood, ProcessOptions{}.max_unchanged + 1);
            refresh(processes, {7});
        }
        EXPECT_GT(stood, 1U);
        EXPECT_TRUE(page == 17 || stood == ProcessOptions{}.max_unchanged + 1) << stood;
    }
    EXPECT_THAT(processes.spaces().at(0).came, SizeIs(1));
    refresh(processes, {7});
    EXPECT_THAT(processes.spaces().at(0).came, IsEmpty()) << "told as new twice";
}

TEST_F(ProcessesOfAContainer, AFaultAndAnotherSizeAreChanges) {
    const ProcessOfFiles process;
    const Dir proc = process.dir();
    Processes processes(proc);
    process.write(16, 100);
    refresh(processes, {7});
    process.write(17, 101);
    refresh(processes, {7});
    EXPECT_EQ(ProcessOfFiles::page_of(processes), 17U);
    process.write(18, 101, 2);
    refresh(processes, {7});
    EXPECT_EQ(ProcessOfFiles::page_of(processes), 18U);
    refresh(processes, {});
    EXPECT_THAT(processes.spaces(), IsEmpty());
    refresh(processes, {7});
    EXPECT_EQ(ProcessOfFiles::page_of(processes), 18U);
}

TEST_F(ProcessesOfAContainer, AForkedChildIsASpaceOfItsOwnWithSharedPages) {
    char* const area = map(4 * kMiB);
    std::memset(area, 1, 4 * kMiB);
    const Child child([&] { std::memset(area, 2, kMiB); });
    Processes processes(proc_);
    refresh(processes, {::getpid(), child.pid()});
    ASSERT_THAT(processes.spaces(), SizeIs(2));
    for (const Space& space : processes.spaces()) {
        EXPECT_EQ(present_in(space, area, 4 * kMiB, PageKind::anon), kMiB) << space.pid;
        EXPECT_EQ(present_in(space, area, 4 * kMiB, PageKind::anon_shared), 3 * kMiB) << space.pid;
    }
    ::munmap(area, 4 * kMiB);
}

TEST_F(ProcessesOfAContainer, TwoProcessesOfOneFileNameItAlike) {
    const int fd = ::memfd_create("cgtide-shared", MFD_CLOEXEC);
    ASSERT_EQ(::ftruncate(fd, 4 * kMiB), 0);
    char* first = nullptr;
    const Child one([&] { std::memset(map(4 * kMiB, MAP_SHARED, fd), 1, 2 * kMiB); });
    const Child two([&] {
        first = map(16 * kMiB);
        std::memset(map(4 * kMiB, MAP_SHARED, fd), 1, kMiB);
    });
    Processes processes(proc_);
    refresh(processes, {one.pid(), two.pid()});
    ASSERT_THAT(processes.spaces(), SizeIs(2));
    std::vector<cgroup::Mapping> found;
    for (const Space& space : processes.spaces()) {
        for (const cgroup::Mapping& mapping : space.mappings) {
            if (mapping.shared && mapping.end - mapping.start == 4 * kMiB) {
                found.push_back(mapping);
            }
        }
    }
    ASSERT_THAT(found, SizeIs(2));
    EXPECT_GT(found[0].inode, 0U);
    EXPECT_EQ(found[0].inode, found[1].inode);
    EXPECT_EQ(found[0].device, found[1].device);
    EXPECT_EQ(found[0].offset, 0U);
    ::close(fd);
}

/// A child that has its parent's memory, as between vfork() and execve(); it waits on a pipe.
int wait_on(void* pipe) {
    char byte = 0;
    const int* const fds = static_cast<const int*>(pipe);
    ::close(fds[1]); // its own table of descriptors
    return ::read(fds[0], &byte, 1) == 0 ? 0 : 1;
}

TEST_F(ProcessesOfAContainer, TwoProcessesOfOneMmAreOneSpace) {
    if (test::kThreadSanitized) {
        GTEST_SKIP() << "the child would use the runtime's state of its parent's thread";
    }
    int fds[2];
    ASSERT_EQ(::pipe(fds), 0);
    constexpr std::size_t kStack = 256U << 10U;
    char* const stack = map(kStack);
    const pid_t child = ::clone(wait_on, stack + kStack, CLONE_VM | SIGCHLD, fds);
    ASSERT_GT(child, 0);
    for (const bool use_kcmp : {true, false}) {
        ProcessOptions options;
        options.use_kcmp = use_kcmp;
        Processes processes(proc_, options);
        refresh(processes, {::getpid(), child});
        EXPECT_THAT(processes.spaces(), SizeIs(1)) << use_kcmp;
        EXPECT_EQ(processes.unwatched(), 0U);
    }
    ::close(fds[1]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    ::close(fds[0]);
    ::munmap(stack, kStack);
}

TEST_F(ProcessesOfAContainer, TheLargestAreWatchedAndTheOthersCounted) {
    char* const area = map(64 * kMiB);
    const Child small([&] { std::memset(area, 1, kMiB); });
    const Child large([&] { std::memset(area, 1, 64 * kMiB); });
    const Child middle([&] { std::memset(area, 1, 32 * kMiB); });
    ProcessOptions options;
    options.max_processes = 2;
    Processes processes(proc_, options);
    refresh(processes, {small.pid(), large.pid(), middle.pid()});
    std::vector<int> pids;
    for (const Space& space : processes.spaces()) {
        pids.push_back(space.pid);
    }
    EXPECT_THAT(pids, ::testing::UnorderedElementsAre(large.pid(), middle.pid()));
    EXPECT_EQ(processes.unwatched(), 1U);
    ::munmap(area, 64 * kMiB);
}

TEST_F(ProcessesOfAContainer, OfFourHundredItsShareIsWatchedAndStaysSo) {
    constexpr std::size_t kMany = 400;
    const std::size_t share = ProcessOptions{}.max_processes;
    const Crowd crowd(kMany);
    Processes processes(proc_);
    refresh(processes, crowd.pids());
    const std::vector<Space> first = processes.spaces();
    ASSERT_THAT(first, SizeIs(share));
    EXPECT_EQ(processes.unwatched(), kMany - share);
    refresh(processes, crowd.pids());
    ASSERT_THAT(processes.spaces(), SizeIs(share));
    for (std::size_t i = 0; i < share; ++i) {
        EXPECT_EQ(processes.spaces()[i].key, first[i].key);
        EXPECT_EQ(processes.spaces()[i].pid, first[i].pid);
    }
    EXPECT_EQ(last_key_, share);
}

TEST_F(ProcessesOfAContainer, AStormOfForksDisturbsNobodyWhoLasts) {
    Crowd crowd(1);
    const int lasting = crowd.pids()[0];
    crowd.add([] {
        for (;;) {
            const pid_t child = ::fork();
            if (child == 0) {
                ::_exit(0);
            }
            ::waitpid(child, nullptr, 0);
        }
    });
    const std::string storm = std::to_string(crowd.pids()[1]);
    const std::string children = storm + "/task/" + storm + "/children";
    if (!proc_.read(children)) {
        GTEST_SKIP() << "needs /proc/PID/task/TID/children";
    }
    Processes processes(proc_);
    refresh(processes, {lasting});
    ASSERT_THAT(processes.spaces(), SizeIs(1));
    const damon::TargetKey key = processes.spaces()[0].key;
    std::size_t seen = 0;
    for (int look = 0; look < 200; ++look) {
        std::vector<int> pids = crowd.pids();
        const std::string line = proc_.read(children).value();
        if (const auto child = to_u64(trim(line))) {
            pids.push_back(static_cast<int>(*child));
            ++seen;
        }
        refresh(processes, pids);
        ASSERT_GE(processes.spaces().size(), 1U);
        EXPECT_LE(processes.spaces().size(), 3U);
        EXPECT_EQ(processes.spaces()[0].key, key);
        EXPECT_EQ(processes.spaces()[0].pid, lasting);
    }
    EXPECT_GT(seen, 0U);
}

TEST_F(ProcessesOfAContainer, AfterExecveItIsAnotherSpace) {
    int go[2];
    ASSERT_EQ(::pipe(go), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        ::dup2(go[0], STDIN_FILENO);
        ::close(go[0]);
        ::close(go[1]);
        char byte = 0;
        (void)!::read(STDIN_FILENO, &byte, 1);
        ::execl("/bin/cat", "cat", nullptr);
        ::_exit(1);
    }
    ::close(go[0]);
    Processes processes(proc_);
    refresh(processes, {child});
    ASSERT_THAT(processes.spaces(), SizeIs(1));
    const Space before = processes.spaces()[0];
    ASSERT_EQ(::write(go[1], "x", 1), 1);
    const auto name = [&] {
        return proc_.read(std::to_string(child) + "/comm").value();
    };
    while (name() != "cat\n") {
        ::sched_yield();
    }
    // The new program's name is set before its memory is whole.
    do {
        refresh(processes, {child});
    } while (processes.spaces().empty() || processes.spaces()[0].stack_end == before.stack_end);
    EXPECT_EQ(processes.spaces()[0].pid_start, before.pid_start);
    EXPECT_GT(processes.spaces()[0].key, before.key);
    EXPECT_THAT(processes.spaces()[0].came, IsEmpty());
    ::close(go[1]);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
}

TEST_F(ProcessesOfAContainer, WhatEndedAndKernelThreadsAreLeftOut) {
    const pid_t zombie = ::fork();
    if (zombie == 0) {
        ::_exit(0);
    }
    siginfo_t info{};
    ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(zombie), &info, WEXITED | WNOWAIT), 0);
    constexpr int kThreadd = 2; // the parent of all kernel threads, where /proc is the host's
    constexpr int kNobody = 0x3fffffff;
    Processes processes(proc_);
    std::vector<int> pids{zombie, kNobody};
    const auto comm = proc_.read("2/comm");
    if (comm && *comm == "kthreadd\n") {
        pids.push_back(kThreadd);
    }
    refresh(processes, pids);
    EXPECT_THAT(processes.spaces(), IsEmpty());
    EXPECT_EQ(processes.unwatched(), 0U);
    ASSERT_EQ(::waitpid(zombie, nullptr, 0), zombie);
}

} // namespace
} // namespace cgtide::monitor
