#include "engine/core/wait.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace cgtide::core {

namespace asio = boost::asio;

asio::awaitable<bool> wait_until(asio::steady_timer& timer, TimePoint at) {
    boost::system::error_code error;
    timer.expires_at(at);
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
    co_return !error;
}

asio::awaitable<bool> cancelled() {
    const auto state = co_await asio::this_coro::cancellation_state;
    co_return state.cancelled() != asio::cancellation_type::none;
}

} // namespace cgtide::core
