#include "tests/vm/stream/process.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <stdexcept>

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace cgtide::test {

namespace {

[[noreturn]] void be_child(int gate, const std::function<void()>& first,
                           const std::function<int()>& work) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    first();
    char byte = 0;
    if (::write(gate, &byte, 1) != 1 || ::read(gate, &byte, 1) != 1) {
        ::_exit(99);
    }
    ::_exit(work());
}

} // namespace

Process::Process(const std::function<void()>& first, const std::function<int()>& work) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        throw std::runtime_error("socketpair");
    }
    gate_.reset(ends[0]);
    UniqueFd other(ends[1]);
    pid_ = ::fork();
    if (pid_ == 0) {
        gate_.reset();
        be_child(other.get(), first, work);
    }
    other.reset();
    char byte = 0;
    if (pid_ < 0 || ::read(gate_.get(), &byte, 1) != 1) {
        throw std::runtime_error("a child did not start");
    }
}

Process::~Process() {
    if (pid_ > 0) {
        ::kill(pid_, SIGKILL);
        wait();
    }
}

void Process::go() {
    const char byte = 0;
    if (::write(gate_.get(), &byte, 1) != 1) {
        throw std::runtime_error("a child has ended too early");
    }
}

int Process::wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

} // namespace cgtide::test
