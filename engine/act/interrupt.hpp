#pragma once

#include "cgroup/base/units.hpp"

#include <atomic>
#include <ctime>

namespace cgtide::act {

/// Installs the handler (it does nothing) of the signal that ends blocking writes: SIGUSR1 without
/// SA_RESTART. Called once, in main, before threads start.
void install_interrupt_handler();

/// Ends one thread's blocking kernel write: the write returns EINTR between two rounds of the
/// kernel's work.
///
/// arm() and disarm() are called by the writing thread, stop() by any other.
class Interrupt {
public:
    Interrupt() = default;
    Interrupt(const Interrupt&) = delete;
    Interrupt& operator=(const Interrupt&) = delete;

    /// From now on the calling thread gets the signal after `deadline`, and every 50 ms after it
    /// until disarm(): one that arrives between two writes would be lost.
    void arm(Microseconds deadline);
    void disarm();

    /// Asks the thread to end: a write under way returns at once. A signal that arrives just before
    /// a write is lost, so this is called again until the thread has ended.
    void stop();

    /// True after stop(), or after the deadline of arm() has passed. Any thread may ask.
    bool stopped() const;

    /// True after stop() alone.
    bool was_stopped() const { return stop_; }

private:
    std::atomic<bool> stop_ = false;
    std::atomic<int> thread_ = 0; ///< kernel thread id while armed
    timer_t timer_ = nullptr;
    bool has_timer_ = false;
    std::atomic<TimePoint> end_ = TimePoint{}; ///< of arm()'s deadline
};

} // namespace cgtide::act
