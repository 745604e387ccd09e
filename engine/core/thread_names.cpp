#include "engine/core/thread_names.hpp"

#include <latch>
#include <memory>

#include <boost/asio/post.hpp>
#include <pthread.h>

namespace cgtide::core {

void name_threads(boost::asio::thread_pool& pool, std::size_t count, const std::string& name) {
    // Nobody is done before all have begun, so each thread gets one. Owned by all: who leaves first
    // must not take it from those who still look at it.
    const auto all = std::make_shared<std::latch>(static_cast<std::ptrdiff_t>(count) + 1);
    for (std::size_t i = 0; i < count; ++i) {
        boost::asio::post(pool, [all, name] {
            ::pthread_setname_np(::pthread_self(), name.c_str());
            all->arrive_and_wait();
        });
    }
    all->arrive_and_wait();
}

} // namespace cgtide::core
