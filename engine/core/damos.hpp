#pragma once

#include "cgroup/group.hpp"
#include "engine/act/interrupt.hpp"
#include "engine/monitor/region_pool.hpp"

#include <memory>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>

namespace cgtide::core {

/// What paging out by DAMON's workers needs. What is referred to outlives the call.
struct PageOutRun {
    boost::asio::io_context& io;
    boost::asio::thread_pool& sensors; ///< where the cgroup's files are read
    boost::asio::thread_pool& damon;   ///< where `pool` is used
    monitor::RegionPool& pool;
    const bool& has_damon; ///< false as soon as DAMON is not ours any more
    std::shared_ptr<cgroup::Group> group;
    std::shared_ptr<act::Interrupt> interrupt;
    Bytes ask;
};

/// Has DAMON's workers carry out `order`, which outlives the call, until memory.current has fallen
/// by `ask`, the order's period is over or the interrupt ends it. Meanwhile they hold while the
/// container's tasks stall for too much of the time.
///
/// \returns the CPU time that it took; else as RegionPool::page_out().
boost::asio::awaitable<Result<Microseconds>> run_page_out(PageOutRun run,
                                                          const monitor::PageOutOrder& order);

} // namespace cgtide::core
