#pragma once

#include "engine/core/control.hpp"
#include "engine/core/task_group.hpp"
#include "engine/serve/listener.hpp"
#include "engine/serve/session.hpp"

#include <optional>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/local/stream_protocol.hpp>

namespace cgtide::serve {

struct ServerOptions {
    std::optional<gid_t> readers; ///< the group whose members may read: group_id(kReaderGroup)
    Limits limits;
    /// Clients beyond it are accepted and closed at once. The last quarter is root's, so that
    /// readers cannot keep the hook out.
    std::size_t max_clients = 64;
};

/// Serves io.cgtide.Engine on a listening socket. Runs on the executor's one thread; every client
/// is a task of one group.
class Server {
public:
    /// `control` must outlive the server.
    Server(boost::asio::any_io_executor executor, core::Control& control, Listener listener,
           ServerOptions options);

    /// Begins to accept clients.
    void start();

    /// Closes all clients and the socket, and waits until the last task has ended. Must have
    /// returned before the server is destroyed, if it was started.
    boost::asio::awaitable<void> stop();

    /// How many clients are being served.
    std::size_t clients() const { return tasks_.size() == 0 ? 0 : tasks_.size() - 1; }

private:
    using Protocol = boost::asio::local::stream_protocol;

    boost::asio::awaitable<void> accept_loop();
    boost::asio::awaitable<void> serve_client(Protocol::socket socket, Access access);
    void welcome(Protocol::socket socket);

    boost::asio::any_io_executor executor_;
    core::Control& control_;
    Listener listener_; ///< keeps the socket's file; its descriptor went to acceptor_
    ServerOptions options_;
    core::TaskGroup tasks_; ///< the accept loop, and one a client
    Protocol::acceptor acceptor_;
};

} // namespace cgtide::serve
