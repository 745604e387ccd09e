#pragma once

#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace cgtide::core {

/// The coroutine that offload() starts on the pool.
template <class Call>
auto run_call(Call& call) -> boost::asio::awaitable<decltype(call())> {
    co_return call();
}

/// Runs a blocking call on the pool and resumes the caller on its own executor with what it
/// returned. The call cannot be cancelled: the caller waits until it has returned.
///
/// So a cancellation of the caller must not reach the pool either: Asio 1.81 queues it there with a
/// pointer into the caller's memory, which is gone once the call has returned.
///
/// `call` must be a variable of the caller's, not a temporary: GCC 12 destroys the captures of a
/// lambda that is written inside a co_await expression twice.
template <class Call>
auto offload(boost::asio::thread_pool& pool, Call& call)
    -> boost::asio::awaitable<decltype(call())> {
    return boost::asio::co_spawn(pool, run_call(call),
                                 boost::asio::bind_cancellation_slot(
                                     boost::asio::cancellation_slot(), boost::asio::use_awaitable));
}

} // namespace cgtide::core
