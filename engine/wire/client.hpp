#pragma once

#include "cgroup/base/result.hpp"
#include "cgroup/base/unique_fd.hpp"
#include "cgroup/base/units.hpp"
#include "engine/wire/frame.hpp"
#include "engine/wire/message.hpp"

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace cgtide::wire {

/// A deadline that never passes.
inline constexpr TimePoint kNoDeadline = TimePoint::max();

/// The code of a Varlink error's name: `not_found` for NoSuchContainer, `conflict` for
/// AmbiguousName and Refused, `denied` for PermissionDenied, `unsupported` where the engine does
/// not know the interface or method, `malformed` otherwise.
Errc code_of(std::string_view name);

/// Calls the engine over its socket, one call at a time. Blocks up to the deadline given. A call
/// that is answered costs three system calls, connect() two.
class Client {
public:
    /// \returns `timeout` past the deadline; `out_of_range` for a path that no socket address
    /// holds; else what connect(2) says: ENOENT and ECONNREFUSED where no engine is, EAGAIN at once
    /// where its backlog is full, EACCES where the peer may not use the socket.
    static Result<Client> connect(const std::string& socket_path, TimePoint deadline);

    /// Sends a call and waits for its reply, whose error, if any, is the caller's to read. \returns
    /// `timeout` past the deadline, `malformed` for bytes that are no reply, ECONNRESET where the
    /// engine hung up. After any of them the connection is of no further use.
    Result<Reply> exchange(const Call& call, TimePoint deadline);

    /// Waits for the next reply of a call with `more`. \returns as exchange(), and EINTR where the
    /// descriptor `interrupt` can be read first; after these two the connection is still of use.
    Result<Reply> receive(TimePoint deadline, int interrupt = -1);

    /// exchange() with a Varlink error turned into an Error: code_of() its name; the detail is the
    /// name, a space and its parameters. \returns the reply's parameters.
    Result<nlohmann::json> call(std::string_view method, const nlohmann::json& parameters,
                                TimePoint deadline = kNoDeadline);

private:
    explicit Client(UniqueFd fd) : fd_(std::move(fd)) {}

    Result<void> send_all(std::string_view bytes, TimePoint deadline);
    /// Waits for poll(2) events.
    Result<void> wait(short events, TimePoint deadline, int interrupt = -1);

    UniqueFd fd_;
    FrameReader reader_{kMaxReplyBytes};
};

} // namespace cgtide::wire
