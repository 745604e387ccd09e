#include "engine/wire/client.hpp"

#include "cgroup/base/text.hpp"
#include "engine/wire/interface.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>

#include <nlohmann/json.hpp>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace cgtide::wire {

namespace {

constexpr std::string_view kConnect = "connect to the engine";
constexpr std::string_view kCall = "call to the engine";

/// Time left as ppoll(2) takes it, rounded down to nothing where the deadline has passed.
timespec left_until(TimePoint deadline) {
    const auto now = std::chrono::steady_clock::now();
    const Nanoseconds left = deadline > now ? Nanoseconds(deadline - now) : Nanoseconds{0};
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
    return {static_cast<time_t>(seconds.count()), static_cast<long>((left - seconds).count())};
}

} // namespace

Errc code_of(std::string_view name) {
    if (name == error::kNoSuchContainer) {
        return Errc::not_found;
    }
    if (name == error::kAmbiguousName || name == error::kRefused) {
        return Errc::conflict;
    }
    if (name == error::kPermissionDenied) {
        return Errc::denied;
    }
    const bool unknown = name == error::kInterfaceNotFound || name == error::kMethodNotFound;
    return unknown ? Errc::unsupported : Errc::malformed;
}

Result<Client> Client::connect(const std::string& socket_path, TimePoint deadline) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (socket_path.empty() || socket_path.size() >= sizeof(address.sun_path)) {
        return fail(Errc::out_of_range, kConnect,
                    "at " + socket_path + " (a socket's path has 1 to " +
                        std::to_string(sizeof(address.sun_path) - 1) + " bytes)");
    }
    if (std::chrono::steady_clock::now() >= deadline) {
        return fail(Errc::timeout, kConnect, "at " + socket_path);
    }
    std::memcpy(static_cast<char*>(address.sun_path), socket_path.data(), socket_path.size());
    // Non-blocking: a blocking connect would wait for room in the backlog of a stopped engine.
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd) {
        return fail_errno(errno, kConnect, "at " + socket_path);
    }
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
        return fail_errno(errno, kConnect, "at " + socket_path);
    }
    return Client(std::move(fd));
}

Result<void> Client::wait(short events, TimePoint deadline, int interrupt) {
    for (;;) {
        std::array<pollfd, 2> polls{{{fd_.get(), events, 0}, {interrupt, POLLIN, 0}}};
        const timespec left = left_until(deadline);
        const int ready =
            ::ppoll(polls.data(), polls.size(), deadline == kNoDeadline ? nullptr : &left, nullptr);
        if (ready > 0 && polls[1].revents != 0) {
            return fail_errno(EINTR, kCall, "waiting for its reply");
        }
        if (ready > 0) {
            return {};
        }
        if (ready == 0) {
            return fail(Errc::timeout, kCall,
                        events == POLLIN ? "waiting for its reply" : "sending it");
        }
        if (errno != EINTR) {
            return fail_errno(errno, kCall, "poll");
        }
    }
}

Result<void> Client::send_all(std::string_view bytes, TimePoint deadline) {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent >= 0) {
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        } else if (errno == EAGAIN) {
            if (auto ready = wait(POLLOUT, deadline); !ready) {
                return ready;
            }
        } else if (errno != EINTR) {
            return fail_errno(errno, kCall, "sending it");
        }
    }
    return {};
}

Result<Reply> Client::exchange(const Call& call, TimePoint deadline) {
    if (auto sent = send_all(encode_call(call), deadline); !sent) {
        return tl::unexpected(std::move(sent.error()));
    }
    return receive(deadline);
}

Result<Reply> Client::receive(TimePoint deadline, int interrupt) {
    std::array<char, 16384> chunk{};
    for (;;) {
        auto frame = reader_.next();
        if (!frame) {
            return tl::unexpected(std::move(frame.error()));
        }
        if (*frame) {
            return decode_reply(**frame);
        }
        if (auto ready = wait(POLLIN, deadline, interrupt); !ready) {
            return tl::unexpected(std::move(ready.error()));
        }
        const ssize_t got = ::recv(fd_.get(), chunk.data(), chunk.size(), 0);
        if (got > 0) {
            reader_.feed({chunk.data(), static_cast<std::size_t>(got)});
        } else if (got == 0) {
            return fail_errno(ECONNRESET, kCall, "the engine closed the connection");
        } else if (errno != EINTR && errno != EAGAIN) {
            return fail_errno(errno, kCall, "waiting for its reply");
        }
    }
}

Result<nlohmann::json> Client::call(std::string_view method, const nlohmann::json& parameters,
                                    TimePoint deadline) {
    auto reply = exchange({std::string(method), to_text(parameters)}, deadline);
    if (!reply) {
        return tl::unexpected(std::move(reply.error()));
    }
    if (!reply->error.empty()) {
        return fail(code_of(reply->error), kCall,
                    printable(reply->error) + ' ' + printable(reply->parameters, 2048));
    }
    return parse_object(reply->parameters);
}

} // namespace cgtide::wire
