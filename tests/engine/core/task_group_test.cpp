#include "engine/core/offload.hpp"
#include "engine/core/task_group.hpp"

#include <atomic>
#include <optional>
#include <string>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <gtest/gtest.h>

namespace cgtide::core {
namespace {

namespace asio = boost::asio;

/// Waits for ever, until it is cancelled.
asio::awaitable<void> wait_for_cancel(int& ended, boost::system::error_code& error) {
    asio::steady_timer timer(co_await asio::this_coro::executor,
                             asio::steady_timer::time_point::max());
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
    ++ended;
}

asio::awaitable<void> end_at_once(int& ended) {
    ++ended;
    co_return;
}

/// Goes on working after it was cancelled: twice more onto the queue.
asio::awaitable<void> clean_up_slowly(int& ended) {
    boost::system::error_code error;
    co_await wait_for_cancel(ended, error);
    const auto executor = co_await asio::this_coro::executor;
    for (int i = 0; i < 2; ++i) {
        asio::steady_timer timer(executor, asio::steady_timer::time_point::min());
        co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
        ++ended;
    }
}

asio::awaitable<void> stop(TaskGroup& group, std::optional<std::size_t>& left) {
    co_await group.stop();
    left = group.size();
}

class TaskGroupTest : public testing::Test {
protected:
    void stop_all() {
        asio::co_spawn(io_, stop(group_, left_),
                       [](const std::exception_ptr& error) { EXPECT_EQ(error, nullptr); });
        io_.restart();
        io_.run();
    }

    asio::io_context io_{1};
    TaskGroup group_{io_.get_executor()};
    std::optional<std::size_t> left_;
};

TEST_F(TaskGroupTest, StopCancelsAndJoins) {
    int ended = 0;
    boost::system::error_code first;
    boost::system::error_code second;
    group_.spawn(wait_for_cancel(ended, first));
    group_.spawn(wait_for_cancel(ended, second));
    io_.poll();
    EXPECT_EQ(group_.size(), 2U);
    EXPECT_EQ(ended, 0);
    stop_all();
    EXPECT_EQ(ended, 2);
    EXPECT_EQ(first, asio::error::operation_aborted);
    EXPECT_EQ(second, asio::error::operation_aborted);
    EXPECT_EQ(left_, 0U);
}

TEST_F(TaskGroupTest, StopWaitsForWhatATaskDoesAfterItsCancellation) {
    int ended = 0;
    group_.spawn(clean_up_slowly(ended));
    io_.poll();
    stop_all();
    EXPECT_EQ(ended, 3);
    EXPECT_EQ(left_, 0U);
}

TEST_F(TaskGroupTest, ATaskThatEndsLeavesTheGroup) {
    int ended = 0;
    group_.spawn(end_at_once(ended));
    io_.poll();
    EXPECT_EQ(ended, 1);
    EXPECT_EQ(group_.size(), 0U);
}

TEST_F(TaskGroupTest, StopOfAnEmptyGroupEnds) {
    stop_all();
    EXPECT_EQ(left_, 0U);
}

TEST_F(TaskGroupTest, AfterStopATaskIsDroppedUnstarted) {
    stop_all();
    int ended = 0;
    group_.spawn(end_at_once(ended));
    io_.restart();
    io_.run();
    EXPECT_EQ(ended, 0);
    EXPECT_EQ(group_.size(), 0U);
}

TEST_F(TaskGroupTest, TasksThatWereSpawnedButNotStartedAreJoinedToo) {
    int ended = 0;
    boost::system::error_code error;
    group_.spawn(wait_for_cancel(ended, error));
    stop_all();
    EXPECT_EQ(ended, 1);
    EXPECT_EQ(left_, 0U);
}

struct Ran {
    std::thread::id call;
    std::thread::id before;
    std::thread::id after;
    std::string value;
};

asio::awaitable<void> offload_once(asio::thread_pool& pool, Ran& ran) {
    ran.before = std::this_thread::get_id();
    const std::string long_text(100, 'x'); // beyond the small-string buffer: freed twice shows
    const auto call = [&, long_text] {
        ran.call = std::this_thread::get_id();
        return long_text + "y";
    };
    ran.value = co_await offload(pool, call);
    ran.after = std::this_thread::get_id();
}

TEST(Offload, RunsOnThePoolAndComesBack) {
    asio::io_context io(1);
    asio::thread_pool pool(1);
    Ran ran;
    asio::co_spawn(io, offload_once(pool, ran),
                   [](const std::exception_ptr& error) { EXPECT_EQ(error, nullptr); });
    io.run();
    pool.join();
    EXPECT_EQ(ran.value, std::string(100, 'x') + "y");
    EXPECT_EQ(ran.before, std::this_thread::get_id());
    EXPECT_EQ(ran.after, std::this_thread::get_id());
    EXPECT_NE(ran.call, std::this_thread::get_id());
}

/// Holds a call on the pool until it is let go.
struct Gate {
    std::atomic<bool> entered = false;
    std::atomic<bool> open = false;
};

asio::awaitable<void> offload_held(asio::thread_pool& pool, Gate& gate, bool& returned) {
    const auto call = [&] {
        gate.entered = true;
        gate.entered.notify_one();
        gate.open.wait(false);
        return true;
    };
    returned = co_await offload(pool, call);
}

TEST(Offload, ACancelledCallerWaitsForTheCall) {
    asio::io_context io(1);
    asio::thread_pool pool(1);
    Gate gate;
    bool returned = false;
    TaskGroup group(io.get_executor());
    group.spawn(offload_held(pool, gate, returned));
    io.poll();
    gate.entered.wait(false);
    std::optional<std::size_t> left;
    asio::co_spawn(io, stop(group, left), asio::detached);
    io.poll();
    EXPECT_FALSE(left) << "joined while the call still ran";
    EXPECT_FALSE(returned);
    gate.open = true;
    gate.open.notify_one();
    io.run();
    EXPECT_TRUE(returned);
    EXPECT_EQ(left, 0U);
}

void hold(asio::thread_pool& pool, Gate& gate) {
    asio::post(pool, [&gate] {
        gate.entered = true;
        gate.entered.notify_one();
        gate.open.wait(false);
    });
}

void let_go(Gate& gate) {
    gate.open = true;
    gate.open.notify_one();
}

TEST(Offload, ACancellationLeavesThePoolAlone) {
    asio::io_context io(1);
    asio::thread_pool pool(1);
    Gate call;
    Gate before_return;
    Gate after_return;
    bool returned = false;
    TaskGroup group(io.get_executor());
    group.spawn(offload_held(pool, call, returned));
    io.poll();
    call.entered.wait(false);
    hold(pool, before_return);
    let_go(call);
    before_return.entered.wait(false); // the way back from the call is in the pool's queue now
    hold(pool, after_return);
    std::optional<std::size_t> left;
    asio::co_spawn(io, stop(group, left), asio::detached);
    io.poll(); // what this puts into the pool's queue is its last entry
    let_go(before_return);
    io.run();
    EXPECT_TRUE(returned);
    EXPECT_EQ(left, 0U);
    // The caller is no more: a sanitizer shows whether the pool still reaches for it.
    let_go(after_return);
    pool.join();
}

} // namespace
} // namespace cgtide::core
