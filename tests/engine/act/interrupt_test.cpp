#include "cgroup/base/unique_fd.hpp"
#include "engine/act/interrupt.hpp"
#include "tests/support/times.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace cgtide::act {
namespace {

using test::kNever;

/// A pipe that is full: a write to it blocks until a signal ends it, as one to memory.reclaim does.
class FullPipe {
public:
    FullPipe() {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
            throw std::runtime_error("pipe2");
        }
        out_ = UniqueFd(ends[0]);
        in_ = UniqueFd(ends[1]);
        const std::array<char, 4096> page{};
        while (::write(in_.get(), page.data(), page.size()) > 0) {
        }
        ::fcntl(in_.get(), F_SETFL, 0);
    }

    /// Blocks. \returns the errno that ended it.
    int write() const { return ::write(in_.get(), "x", 1) < 0 ? errno : 0; }

private:
    UniqueFd out_;
    UniqueFd in_;
};

/// Waits until a thread of this process sleeps in write(2).
void await_blocked(int thread) {
    const std::string file = "/proc/self/task/" + std::to_string(thread) + "/syscall";
    for (;;) {
        std::ifstream syscall(file);
        int number = -1;
        if (syscall >> number && number == SYS_write) {
            return;
        }
        std::this_thread::yield();
    }
}

class InterruptTest : public testing::Test {
protected:
    InterruptTest() { install_interrupt_handler(); }

    FullPipe pipe_;
    Interrupt interrupt_;
};

TEST_F(InterruptTest, TheDeadlineEndsABlockedWrite) {
    interrupt_.arm(Microseconds(1000));
    EXPECT_EQ(pipe_.write(), EINTR);
    interrupt_.disarm();
    EXPECT_TRUE(interrupt_.stopped());
    EXPECT_FALSE(interrupt_.was_stopped());
}

TEST_F(InterruptTest, ASignalThatCameTooEarlyComesAgain) {
    interrupt_.arm(Microseconds(1));
    while (!interrupt_.stopped()) { // the first signal has come when the writes begin
        std::this_thread::yield();
    }
    EXPECT_EQ(pipe_.write(), EINTR);
    EXPECT_EQ(pipe_.write(), EINTR);
    interrupt_.disarm();
}

TEST_F(InterruptTest, ADeadlineThatHasPassedStillEndsAWrite) {
    interrupt_.arm(Microseconds(0));
    EXPECT_EQ(pipe_.write(), EINTR);
    interrupt_.disarm();
}

TEST_F(InterruptTest, StopEndsABlockedWriteOfAnotherThread) {
    std::atomic<int> thread = 0;
    int error = 0;
    std::thread writer([&] {
        interrupt_.arm(kNever);
        thread = static_cast<int>(::syscall(SYS_gettid));
        thread.notify_one();
        error = pipe_.write();
        interrupt_.disarm();
    });
    thread.wait(0);
    await_blocked(thread);
    EXPECT_FALSE(interrupt_.stopped());
    interrupt_.stop();
    writer.join();
    EXPECT_EQ(error, EINTR);
    EXPECT_TRUE(interrupt_.stopped());
}

TEST_F(InterruptTest, StopBeforeArmIsRemembered) {
    interrupt_.stop();
    EXPECT_TRUE(interrupt_.stopped());
    EXPECT_TRUE(interrupt_.was_stopped());
    interrupt_.arm(kNever);
    EXPECT_TRUE(interrupt_.stopped());
    interrupt_.disarm();
}

TEST_F(InterruptTest, IsNotStoppedBeforeItsTime) {
    EXPECT_FALSE(interrupt_.stopped());
    interrupt_.arm(kNever);
    EXPECT_FALSE(interrupt_.stopped());
    interrupt_.disarm();
    EXPECT_FALSE(interrupt_.stopped());
}

TEST_F(InterruptTest, AfterDisarmNoSignalComes) {
    interrupt_.arm(Microseconds(1));
    interrupt_.disarm();
    ::poll(nullptr, 0, 0); // takes one that was under way
    // Longer than two of the timer's repeats: a poll that a signal ends returns -1.
    EXPECT_EQ(::poll(nullptr, 0, 120), 0);
}

} // namespace
} // namespace cgtide::act
