#pragma once

#include <cstddef>
#include <exception>
#include <list>
#include <memory>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>

namespace cgtide::core {

/// Owns coroutines: all of them are cancelled and joined by stop(). Lives on one executor that one
/// thread runs.
class TaskGroup {
public:
    explicit TaskGroup(boost::asio::any_io_executor executor);
    TaskGroup(const TaskGroup&) = delete;
    TaskGroup& operator=(const TaskGroup&) = delete;

    /// Starts a task. Once cancelled, its waits end with operation_aborted; it throws nothing and
    /// looks at this_coro::cancellation_state before it waits again. After stop() has begun it is
    /// dropped unstarted. An exception that leaves a task ends the process: tasks return errors.
    void spawn(boost::asio::awaitable<void> task);

    /// Cancels every task (terminal cancellation) and waits until the last has ended.
    boost::asio::awaitable<void> stop();

    std::size_t size() const { return tasks_.size(); }

private:
    using Signal = boost::asio::cancellation_signal;

    boost::asio::any_io_executor executor_;
    boost::asio::steady_timer empty_; ///< cancelled when the last task ends
    std::list<Signal> tasks_;
    bool stopping_ = false;
};

} // namespace cgtide::core
