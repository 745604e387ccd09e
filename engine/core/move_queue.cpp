#include "engine/core/move_queue.hpp"

#include "engine/core/offload.hpp"
#include "engine/core/wait.hpp"

#include <chrono>

namespace cgtide::core {

namespace asio = boost::asio;

namespace {

/// A place in the queue.
class Turn {
public:
    explicit Turn(std::deque<std::uint64_t>& queue)
        : queue_(queue), number_(queue.empty() ? 0 : queue.back() + 1) {
        queue_.push_back(number_);
    }
    ~Turn() { std::erase(queue_, number_); }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

    bool is_first() const { return queue_.front() == number_; }

private:
    std::deque<std::uint64_t>& queue_;
    std::uint64_t number_;
};

} // namespace

asio::awaitable<Result<monitor::Moved>> MoveQueue::run(MoveWorker& worker) {
    const auto now = [] {
        return std::chrono::steady_clock::now();
    };
    asio::steady_timer timer(io_);
    const TimePoint latest = now() + options_.longest_wait;
    const Turn turn(turns_);
    const auto waits = [&](TimePoint end) {
        return now() < end && worker.is_wanted();
    };
    while (!turn.is_first() && waits(latest) && !co_await cancelled()) {
        co_await wait_until(timer, now() + options_.look);
    }
    if (!turn.is_first() || !waits(latest)) {
        co_return fail(Errc::timeout, "move", "its turn did not come");
    }
    const auto begin = [&] {
        return worker.begin();
    };
    const auto until = co_await offload(pool_, begin);
    const auto is_over = [&] {
        return worker.is_over();
    };
    bool over = !until;
    while (!over && waits(*until) && !co_await cancelled()) {
        co_await wait_until(timer, now() + options_.look);
        over = co_await offload(pool_, is_over);
    }
    const auto end = [&] {
        return worker.end();
    };
    monitor::Moved moved = co_await offload(pool_, end);
    moved.is_whole = over;
    if (!until) {
        co_return tl::unexpected(until.error());
    }
    co_return moved;
}

} // namespace cgtide::core
