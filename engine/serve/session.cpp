#include "engine/serve/session.hpp"

#include "engine/serve/service.hpp"

#include <optional>
#include <utility>

namespace cgtide::serve {

Session::Session(Access access, Limits limits, TimePoint now)
    : access_(access), limits_(limits), reader_(limits.call_bytes), idle_since_(now) {}

Action Session::next(TimePoint now) {
    if (std::exchange(working_, false)) {
        idle_since_ = now;
    }
    while (closed_.empty()) {
        if (!out_.empty()) {
            working_ = true;
            return Send{std::exchange(out_, {}), now + limits_.send};
        }
        if (round_ > 0) {
            working_ = true;
            return Invoke{streamed_, round_};
        }
        const auto frame = reader_.next();
        if (!frame) {
            closed_ = "message too large";
        } else if (*frame) {
            idle_since_ = now;
            if (auto call = take(**frame)) {
                working_ = true;
                return Invoke{std::move(*call)};
            }
        } else if (ended_) {
            closed_ = reader_.pending() ? "ended within a message" : "ended";
        } else if (now >= idle_since_ + limits_.idle) {
            closed_ = "idle";
        } else {
            return Wait{idle_since_ + limits_.idle};
        }
    }
    return Close{closed_};
}

std::optional<wire::Call> Session::take(const std::string& frame) {
    auto call = wire::decode_call(frame);
    if (!call) {
        closed_ = "no message";
        return std::nullopt;
    }
    oneway_ = call->oneway;
    if (const auto reply = answer_alone(*call, access_)) {
        answered(*reply);
        return std::nullopt;
    }
    streamed_ = *call;
    return std::move(*call);
}

void Session::answered(const wire::Reply& reply) {
    if (!oneway_) {
        out_ = wire::encode_reply(reply);
    }
    round_ = reply.continues && !oneway_ ? round_ + 1 : 0;
}

} // namespace cgtide::serve
