#include "tests/vm/kernel/worker.hpp"

#include "engine/damon/host.hpp"

#include <csignal>
#include <ctime>
#include <stdexcept>

#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace cgtide::test {

namespace {

constexpr std::size_t kPage = 4096;

void touch(volatile char* memory, std::size_t size) {
    for (std::size_t at = 0; at < size; at += kPage) {
        memory[at] = static_cast<char>(memory[at] + 1);
    }
}

void* map(void* place, std::size_t size, int flags) {
    return ::mmap(place, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
}

/// Touches memory of its own. New pages wait in a batch of their processor's (31 at most) until
/// others push them out, and until then DAMON sees them as used in each look: it does not clear
/// accessed bits of pages that are on no LRU list. Source: mm/damon/ops-common.c,
/// damon_ptep_mkold().
void push_out_batch() {
    constexpr std::size_t kMore = 64 * kPage;
    if (void* more = map(nullptr, kMore, 0); more != MAP_FAILED) {
        touch(static_cast<volatile char*>(more), kMore);
    }
}

[[noreturn]] void work(std::uintptr_t address, std::size_t size, Worker::Does does, int ready) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    void* place = reinterpret_cast<void*>(address); // NOLINT(performance-no-int-to-ptr)
    void* memory = map(place, size, MAP_FIXED_NOREPLACE);
    cpu_set_t all;
    cpu_set_t here;
    CPU_ZERO(&here);
    CPU_SET(::sched_getcpu(), &here);
    if (memory != place || ::sched_getaffinity(0, sizeof all, &all) != 0 ||
        ::sched_setaffinity(0, sizeof here, &here) != 0) {
        ::_exit(1);
    }
    touch(static_cast<volatile char*>(memory), size);
    push_out_batch();
    ::sched_setaffinity(0, sizeof all, &all);
    if (::write(ready, "r", 1) != 1) {
        ::_exit(1);
    }
    while (does == Worker::Does::touches) {
        touch(static_cast<volatile char*>(memory), size);
        // Lets the emulated processor see the cleared bits.
        const timespec pause{.tv_sec = 0, .tv_nsec = 2'000'000};
        ::nanosleep(&pause, nullptr);
    }
    for (;;) {
        ::pause();
    }
}

} // namespace

Worker::Worker(std::uintptr_t address, std::size_t size, Does does)
    : range_{address, address + size} {
    int ends[2] = {-1, -1};
    if (::pipe(ends) != 0) {
        throw std::runtime_error("pipe");
    }
    pid_ = ::fork();
    if (pid_ == 0) {
        ::close(ends[0]);
        work(address, size, does, ends[1]);
    }
    ::close(ends[1]);
    char ready = 0;
    const ssize_t got = ::read(ends[0], &ready, 1);
    ::close(ends[0]);
    if (got != 1) {
        throw std::runtime_error("a worker did not start");
    }
    start_ = damon::KernelHost(Dir::open("/proc").value()).start_of(pid_).value();
}

Worker::~Worker() {
    end();
}

void Worker::end() {
    if (pid_ > 0) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        pid_ = 0;
    }
}

damon::Target Worker::target(damon::TargetKey key) const {
    return {.key = key, .pid = pid_, .pid_start = start_, .ranges = {range_}};
}

} // namespace cgtide::test
