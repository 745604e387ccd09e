#include "engine/serve/server.hpp"

#include "engine/core/log.hpp"
#include "engine/serve/dispatch.hpp"
#include "engine/serve/peer.hpp"

#include <array>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace cgtide::serve {

namespace asio = boost::asio;

namespace {

// NOLINTNEXTLINE(misc-unused-using-decls): clang 14 does not see its use in a co_await.
using asio::experimental::awaitable_operators::operator||;
using boost::system::error_code;

constexpr auto kToken = asio::as_tuple(asio::use_awaitable);
using Transfer = std::tuple<error_code, std::size_t>;

/// After accept(2) failed for want of descriptors or memory.
constexpr std::chrono::milliseconds kAcceptPause{100};

/// Runs a transfer until a deadline; then it is cancelled and ends in timed_out.
asio::awaitable<Transfer> until(TimePoint deadline, asio::awaitable<Transfer> transfer) {
    asio::steady_timer timer(co_await asio::this_coro::executor, deadline);
    auto first = co_await (std::move(transfer) || timer.async_wait(kToken));
    if (first.index() == 0) {
        co_return std::get<0>(first);
    }
    co_return Transfer{asio::error::timed_out, 0};
}

asio::awaitable<bool> cancelled() {
    const auto state = co_await asio::this_coro::cancellation_state;
    co_return state.cancelled() != asio::cancellation_type::none;
}

} // namespace

Server::Server(asio::any_io_executor executor, core::Control& control, Listener listener,
               ServerOptions options)
    : executor_(std::move(executor)), control_(control), listener_(std::move(listener)),
      options_(options), tasks_(executor_), acceptor_(executor_, Protocol(), listener_.release()) {}

void Server::start() {
    tasks_.spawn(accept_loop());
}

asio::awaitable<void> Server::stop() {
    co_await tasks_.stop();
    error_code ignored;
    acceptor_.close(ignored);
}

asio::awaitable<void> Server::accept_loop() {
    co_await asio::this_coro::throw_if_cancelled(false);
    asio::steady_timer pause(executor_);
    while (!co_await cancelled()) {
        auto [error, socket] = co_await acceptor_.async_accept(kToken);
        if (!error) {
            welcome(std::move(socket));
        } else if (error != asio::error::operation_aborted) {
            core::log::write_limited(core::log::Level::warning, "accept",
                                     "a client could not be accepted: " + error.message());
            pause.expires_after(kAcceptPause);
            co_await pause.async_wait(kToken);
        }
    }
}

void Server::welcome(Protocol::socket socket) {
    const auto peer = peer_of(socket.native_handle());
    if (!peer) {
        return;
    }
    const Access access = access_of(*peer, options_.readers);
    const std::size_t places = access == Access::all
                                   ? options_.max_clients
                                   : options_.max_clients - options_.max_clients / 4;
    if (clients() >= places) {
        core::log::write_limited(core::log::Level::warning, "clients",
                                 "too many clients: one of uid " + std::to_string(peer->uid) +
                                     " was turned away");
        return;
    }
    tasks_.spawn(serve_client(std::move(socket), access));
}

asio::awaitable<void> Server::serve_client(Protocol::socket socket, Access access) {
    co_await asio::this_coro::throw_if_cancelled(false);
    const auto now = [] {
        return TimePoint(std::chrono::steady_clock::now());
    };
    Session session(access, options_.limits, now());
    std::array<char, 16384> chunk{};
    while (!co_await cancelled()) {
        Action action = session.next(now());
        if (const auto* wait = std::get_if<Wait>(&action)) {
            const auto [error, size] =
                co_await until(wait->deadline, socket.async_read_some(asio::buffer(chunk), kToken));
            session.received({chunk.data(), size});
            if (error && error != asio::error::timed_out) {
                session.ended();
            }
        } else if (auto* invoke = std::get_if<Invoke>(&action)) {
            session.answered(co_await dispatch(control_, std::move(invoke->call), invoke->round));
        } else if (const auto* send = std::get_if<Send>(&action)) {
            const auto [error, size] = co_await until(
                send->deadline, asio::async_write(socket, asio::buffer(send->bytes), kToken));
            if (error) {
                session.stalled();
            }
        } else {
            break;
        }
    }
}

} // namespace cgtide::serve
