#pragma once

#include "cgroup/base/units.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

namespace cgtide::core {

/// Waits until `at`. \returns false where the wait was cancelled.
boost::asio::awaitable<bool> wait_until(boost::asio::steady_timer& timer, TimePoint at);

/// True once the calling task is to end.
boost::asio::awaitable<bool> cancelled();

} // namespace cgtide::core
