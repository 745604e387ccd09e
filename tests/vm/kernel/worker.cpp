#include "tests/vm/kernel/worker.hpp"

#include "engine/damon/host.hpp"

#include <csignal>
#include <ctime>
#include <stdexcept>

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

[[noreturn]] void work(std::uintptr_t address, std::size_t size, Worker::Does does, int ready) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    void* place = reinterpret_cast<void*>(address); // NOLINT(performance-no-int-to-ptr)
    void* memory = ::mmap(place, size, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (memory != place) {
        ::_exit(1);
    }
    touch(static_cast<volatile char*>(memory), size);
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
