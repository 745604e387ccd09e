#include "engine/core/move_queue.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <gmock/gmock.h>

namespace cgtide::core {
namespace {

namespace asio = boost::asio;
using testing::ElementsAre;

/// Writes down what it was asked for. Its calls come from one thread at a time.
class FakeWorker final : public MoveWorker {
public:
    FakeWorker(std::string name, std::vector<std::string>& asked)
        : name_(std::move(name)), asked_(asked) {}

    Result<TimePoint> begin() override {
        asked_.push_back(name_ + " begins");
        if (fails) {
            return fail(Errc::conflict, "begin", "somebody else has it");
        }
        return std::chrono::steady_clock::now() + takes;
    }
    bool is_over() override { return ++looks >= over_after; }
    monitor::Moved end() override {
        asked_.push_back(name_ + " ends");
        monitor::Moved moved;
        moved.bytes = mebibytes(3);
        return moved;
    }
    bool is_wanted() const override { return !wanted || wanted(); }

    std::function<bool()> wanted; ///< empty: always
    std::chrono::seconds takes{3600};
    int over_after = 2;
    int looks = 0;
    bool fails = false;

private:
    std::string name_;
    std::vector<std::string>& asked_;
};

class MoveQueueTest : public testing::Test {
protected:
    MoveQueueTest() : queue_(io_, pool_, options_) {}
    ~MoveQueueTest() override { pool_.join(); }

    /// Has a worker's order run; what comes of it is there once io_ has run.
    std::shared_ptr<Result<monitor::Moved>> order(FakeWorker& worker) {
        auto result = std::make_shared<Result<monitor::Moved>>();
        asio::co_spawn(io_, queue_.run(worker),
                       [result](const std::exception_ptr&, Result<monitor::Moved> moved) {
                           *result = std::move(moved);
                       });
        return result;
    }

    static constexpr Microseconds kLook{100};
    MoveQueue::Options options_{.longest_wait = Microseconds(3'600'000'000), .look = kLook};
    asio::io_context io_;
    asio::thread_pool pool_{1};
    MoveQueue queue_;
    std::vector<std::string> asked_;
};

TEST_F(MoveQueueTest, AnOrderRunsUntilAllOfItWasTried) {
    FakeWorker worker("one", asked_);
    const auto moved = order(worker);
    io_.run();
    ASSERT_TRUE(*moved);
    EXPECT_TRUE((*moved)->is_whole);
    EXPECT_EQ((*moved)->bytes, mebibytes(3));
    EXPECT_EQ(worker.looks, 2);
    EXPECT_TRUE(queue_.empty());
}

TEST_F(MoveQueueTest, OrdersRunOneAfterTheOtherAsTheyCame) {
    FakeWorker one("one", asked_);
    FakeWorker two("two", asked_);
    FakeWorker three("three", asked_);
    order(one);
    order(two);
    order(three);
    io_.run();
    EXPECT_THAT(asked_, ElementsAre("one begins", "one ends", "two begins", "two ends",
                                    "three begins", "three ends"));
}

TEST_F(MoveQueueTest, OneWhoseTimeHasPassedEndsAndHasNotTriedAll) {
    FakeWorker worker("one", asked_);
    worker.takes = std::chrono::seconds(0);
    const auto moved = order(worker);
    io_.run();
    ASSERT_TRUE(*moved);
    EXPECT_FALSE((*moved)->is_whole);
    EXPECT_THAT(asked_, ElementsAre("one begins", "one ends"));
}

TEST_F(MoveQueueTest, OneThatDoesNotBeginIsEndedAndTheNextHasItsTurn) {
    FakeWorker one("one", asked_);
    FakeWorker two("two", asked_);
    one.fails = true;
    const auto first = order(one);
    const auto second = order(two);
    io_.run();
    ASSERT_FALSE(*first);
    EXPECT_EQ(first->error().code, Errc::conflict);
    EXPECT_TRUE(*second);
    EXPECT_THAT(asked_, ElementsAre("one begins", "one ends", "two begins", "two ends"));
}

TEST_F(MoveQueueTest, OneThatIsNotWantedAnyMoreEnds) {
    FakeWorker worker("one", asked_);
    worker.over_after = INT32_MAX;
    worker.wanted = [&] {
        return worker.looks < 3;
    };
    const auto moved = order(worker);
    io_.run();
    ASSERT_TRUE(*moved);
    EXPECT_FALSE((*moved)->is_whole);
    EXPECT_EQ(worker.looks, 3);
}

TEST_F(MoveQueueTest, WhoIsNotWantedBeforeItsTurnAsksForNothing) {
    FakeWorker one("one", asked_);
    FakeWorker two("two", asked_);
    two.wanted = [] {
        return false;
    };
    order(one);
    const auto second = order(two);
    io_.run();
    ASSERT_FALSE(*second);
    EXPECT_EQ(second->error().code, Errc::timeout);
    EXPECT_THAT(asked_, ElementsAre("one begins", "one ends"));
}

TEST_F(MoveQueueTest, WhoHasWaitedTooLongGivesUpAndTheOthersGoOn) {
    options_.longest_wait = Microseconds(0);
    MoveQueue queue(io_, pool_, options_);
    FakeWorker one("one", asked_);
    std::optional<Errc> code;
    asio::co_spawn(io_, queue.run(one),
                   [&](const std::exception_ptr&, const Result<monitor::Moved>& moved) {
                       code = moved ? Errc{} : static_cast<Errc>(moved.error().code.value());
                   });
    io_.run();
    EXPECT_EQ(code, Errc::timeout);
    EXPECT_TRUE(queue.empty());
    EXPECT_THAT(asked_, ElementsAre());
}

TEST_F(MoveQueueTest, ACancelledOrderIsEndedToo) {
    FakeWorker worker("one", asked_);
    worker.over_after = INT32_MAX;
    asio::cancellation_signal signal;
    worker.wanted = [&] {
        if (worker.looks == 2) {
            signal.emit(asio::cancellation_type::terminal);
        }
        return true;
    };
    const auto quietly = [&]() -> asio::awaitable<Result<monitor::Moved>> {
        co_await asio::this_coro::throw_if_cancelled(false);
        co_return co_await queue_.run(worker);
    };
    asio::co_spawn(
        io_, quietly,
        asio::bind_cancellation_slot(signal.slot(), [](const std::exception_ptr&, const auto&) {}));
    io_.run();
    EXPECT_THAT(asked_, ElementsAre("one begins", "one ends"));
    EXPECT_TRUE(queue_.empty());
}

} // namespace
} // namespace cgtide::core
