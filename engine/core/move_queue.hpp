#pragma once

#include "engine/monitor/region_pool.hpp"

#include <cstdint>
#include <deque>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>

namespace cgtide::core {

/// Who carries one order out. In the product DAMON's worker, by way of the region pool.
class MoveWorker {
public:
    virtual ~MoveWorker() = default;

    /// Begins it. May block. \returns until when it may take.
    virtual Result<TimePoint> begin() = 0;

    /// Whether all of it was tried. May block.
    virtual bool is_over() = 0;

    /// Ends it, also where it did not begin. May block. \returns what came of it.
    virtual monitor::Moved end() = 0;

    /// Whether it is still wanted. On the queue's thread; does not block.
    virtual bool is_wanted() const = 0;
};

/// Orders to a worker that takes one at a time, in the order in which they came. On one thread, but
/// for the worker's calls, which run on `pool`.
class MoveQueue {
public:
    struct Options {
        Microseconds longest_wait{30'000'000}; ///< for its turn
        Microseconds look{
            250'000}; ///< between two looks at who has the worker, and at what it does
    };

    MoveQueue(boost::asio::io_context& io, boost::asio::thread_pool& pool) : io_(io), pool_(pool) {}
    MoveQueue(boost::asio::io_context& io, boost::asio::thread_pool& pool, Options options)
        : io_(io), pool_(pool), options_(options) {}

    /// Has an order carried out, until it is over, its time has passed, it is not wanted any more
    /// or the caller is cancelled; it is ended in any case. `worker` outlives the call. \returns
    /// `timeout` where its turn did not come, and begin()'s error.
    boost::asio::awaitable<Result<monitor::Moved>> run(MoveWorker& worker);

    /// Whether nobody has the worker, or waits for it.
    bool empty() const { return turns_.empty(); }

private:
    boost::asio::io_context& io_;
    boost::asio::thread_pool& pool_;
    Options options_{};
    std::deque<std::uint64_t> turns_; ///< the first one has the worker
};

} // namespace cgtide::core
