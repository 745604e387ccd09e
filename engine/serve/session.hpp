#pragma once

#include "cgroup/base/units.hpp"
#include "engine/serve/rights.hpp"
#include "engine/wire/frame.hpp"
#include "engine/wire/message.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace cgtide::serve {

/// How much of a client is borne.
struct Limits {
    Microseconds idle{60'000'000}; ///< without a complete call
    Microseconds send{5'000'000};  ///< until a reply is taken
    std::size_t call_bytes = wire::kMaxCallBytes;
};

/// Bytes are needed: give them to received(), or ended() at their end. At the deadline just ask
/// again.
struct Wait {
    TimePoint deadline;
};

/// The engine is asked: give what it says to answered().
struct Invoke {
    wire::Call call;
    std::size_t round = 0; ///< replies of this call that were given before
};

/// The bytes are to be written before the session is asked again; at the deadline call stalled().
struct Send {
    std::string bytes;
    TimePoint deadline;
};

/// The session is over.
struct Close {
    std::string_view reason; ///< a literal
};

using Action = std::variant<Wait, Invoke, Send, Close>;

/// The protocol with one client, without its socket: bytes and the time go in, actions come out.
/// Calls are answered one after the other in their order; a client that sends what is no message is
/// closed. A call with `more` is asked of the engine again for as long as its replies say that they
/// continue.
class Session {
public:
    Session(Access access, Limits limits, TimePoint now);

    /// What is to be done now.
    Action next(TimePoint now);

    void received(std::string_view bytes) { reader_.feed(bytes); }
    /// The client sends no more; what it has sent is still answered.
    void ended() { ended_ = true; }
    void answered(const wire::Reply& reply);
    void stalled() { closed_ = "does not read its reply"; }

private:
    /// The call of a frame, where the engine must be asked; else it is answered or the end.
    std::optional<wire::Call> take(const std::string& frame);

    Access access_;
    Limits limits_;
    wire::FrameReader reader_;
    TimePoint idle_since_;
    std::string out_;         ///< a reply that waits to be sent
    std::string_view closed_; ///< why, once it is over
    wire::Call streamed_;     ///< the call that continues
    std::size_t round_ = 0;   ///< replies of it so far; 0: none continues
    bool working_ = false; ///< an action was given out that takes time of ours, not of the client
    bool oneway_ = false;  ///< the call in hand wants no reply
    bool ended_ = false;
};

} // namespace cgtide::serve
