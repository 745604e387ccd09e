#include "engine/act/interrupt.hpp"

#include <algorithm>
#include <csignal>

#include <sys/syscall.h>
#include <unistd.h>

namespace cgtide::act {

namespace {

constexpr int kSignal = SIGUSR1;
constexpr Microseconds kRepeat{50'000};

timespec to_timespec(Microseconds duration) {
    constexpr long kMillion = 1'000'000;
    return {.tv_sec = static_cast<time_t>(duration.count() / kMillion),
            .tv_nsec = static_cast<long>(duration.count() % kMillion) * 1000};
}

int this_thread() {
    return static_cast<int>(::syscall(SYS_gettid));
}

} // namespace

void install_interrupt_handler() {
    struct sigaction action {};
    action.sa_handler = [](int) {
    };
    ::sigaction(kSignal, &action, nullptr);
}

void Interrupt::arm(Microseconds deadline) {
    end_ = std::chrono::steady_clock::now() + deadline;
    thread_ = this_thread();
    sigevent event{};
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = kSignal;
    event._sigev_un._tid = thread_;
    has_timer_ = ::timer_create(CLOCK_MONOTONIC, &event, &timer_) == 0;
    if (has_timer_) {
        const itimerspec times{.it_interval = to_timespec(kRepeat),
                               .it_value = to_timespec(std::max(deadline, Microseconds(1)))};
        ::timer_settime(timer_, 0, &times, nullptr);
    }
}

void Interrupt::disarm() {
    thread_ = 0;
    if (has_timer_) {
        ::timer_delete(timer_);
        has_timer_ = false;
    }
}

void Interrupt::stop() {
    stop_ = true;
    if (const int thread = thread_; thread != 0) {
        ::syscall(SYS_tgkill, ::getpid(), thread, kSignal);
    }
}

bool Interrupt::stopped() const {
    const TimePoint end = end_;
    return stop_ || (end != TimePoint{} && std::chrono::steady_clock::now() >= end);
}

} // namespace cgtide::act
