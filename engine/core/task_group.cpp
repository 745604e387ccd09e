#include "engine/core/task_group.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace cgtide::core {

namespace asio = boost::asio;

namespace {

/// A cancelled task ends by what its waits return and by looking at its cancellation state, not by
/// an exception at its next co_await.
asio::awaitable<void> quiet(asio::awaitable<void> task) {
    co_await asio::this_coro::throw_if_cancelled(false);
    co_await std::move(task);
}

} // namespace

TaskGroup::TaskGroup(asio::any_io_executor executor)
    : executor_(std::move(executor)), empty_(executor_, asio::steady_timer::time_point::max()) {}

void TaskGroup::spawn(asio::awaitable<void> task) {
    if (stopping_) {
        return;
    }
    const auto place = tasks_.emplace(tasks_.end());
    auto ended = [this, place](const std::exception_ptr& error) {
        if (error) {
            std::rethrow_exception(error);
        }
        tasks_.erase(place);
        if (tasks_.empty()) {
            empty_.cancel();
        }
    };
    asio::co_spawn(executor_, quiet(std::move(task)),
                   asio::bind_cancellation_slot(place->slot(), std::move(ended)));
}

asio::awaitable<void> TaskGroup::stop() {
    stopping_ = true;
    // A task may end, and leave the list, while it is being cancelled: ends are only handled when
    // this coroutine waits.
    for (Signal& task : tasks_) {
        task.emit(asio::cancellation_type::terminal);
    }
    while (!tasks_.empty()) {
        boost::system::error_code ignored;
        co_await empty_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
}

} // namespace cgtide::core
