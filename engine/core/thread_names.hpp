#pragma once

#include <cstddef>
#include <string>

#include <boost/asio/thread_pool.hpp>

namespace cgtide::core {

/// Names the `count` threads of a pool that does nothing yet, at most 15 characters, so that `top
/// -H` and `/proc/PID/task/TID/comm` tell whose CPU time it is. Blocks until all have their names.
void name_threads(boost::asio::thread_pool& pool, std::size_t count, const std::string& name);

} // namespace cgtide::core
