#pragma once

#include "cgroup/base/unique_fd.hpp"

#include <functional>

namespace cgtide::test {

/// A child that waits until it is let go, then does its work and exits with what that returns. It
/// is killed with this, and with its parent.
class Process {
public:
    /// `first` is done before the constructor returns, `work` after go().
    Process(const std::function<void()>& first, const std::function<int()>& work);
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;
    ~Process();

    int pid() const { return pid_; }
    void go();
    /// Waits for its end. \returns its exit status, or -1 where a signal ended it.
    int wait();

private:
    int pid_ = -1;
    UniqueFd gate_;
};

} // namespace cgtide::test
