#include "engine/serve/session.hpp"
#include "engine/wire/interface.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace cgtide::serve {
namespace {

using std::string_literals::operator""s;
using nlohmann::json;
namespace method = wire::method;

constexpr TimePoint kStart{Nanoseconds{1'000'000'000'000}};
constexpr std::chrono::seconds kIdle{60};

std::string list_call() {
    return wire::encode_call({std::string(method::kList), "{}"});
}

/// Asks for the next action, which must be of one kind.
template <class Kind>
Kind expect(Session& session, TimePoint now = kStart) {
    Action action = session.next(now);
    Kind* found = std::get_if<Kind>(&action);
    EXPECT_NE(found, nullptr) << "action " << action.index();
    return found != nullptr ? std::move(*found) : Kind{};
}

json sent(const Send& send) {
    EXPECT_EQ(send.bytes.back(), '\0');
    return json::parse(send.bytes.substr(0, send.bytes.size() - 1));
}

TEST(Session, AsksTheEngineAndSendsItsAnswer) {
    Session session(Access::all, {}, kStart);
    EXPECT_EQ(expect<Wait>(session).deadline, kStart + kIdle);
    session.received(list_call());
    EXPECT_EQ(expect<Invoke>(session).call.method, method::kList);
    session.answered({R"({"containers":[]})"});
    const auto send = expect<Send>(session);
    EXPECT_EQ(sent(send), json::parse(R"({"parameters":{"containers":[]}})"));
    EXPECT_EQ(send.deadline, kStart + std::chrono::seconds{5});
    expect<Wait>(session);
}

TEST(Session, AnswersPipelinedCallsInOrder) {
    Session session(Access::all, {}, kStart);
    session.received(list_call() + wire::encode_call({std::string(method::kGetInfo), "{}"}) +
                     wire::encode_call({std::string(method::kInspect), R"({"name":"a"})"}));
    EXPECT_EQ(expect<Invoke>(session).call.method, method::kList);
    session.answered({R"({"n":1})"});
    EXPECT_EQ(sent(expect<Send>(session))["parameters"]["n"], 1);
    EXPECT_EQ(sent(expect<Send>(session))["parameters"]["product"], wire::kProduct);
    EXPECT_EQ(expect<Invoke>(session).call.parameters, R"({"name":"a"})");
    session.answered({R"({"n":3})"});
    EXPECT_EQ(sent(expect<Send>(session))["parameters"]["n"], 3);
    expect<Wait>(session);
}

TEST(Session, TakesACallByteByByte) {
    Session session(Access::all, {}, kStart);
    const std::string call = list_call();
    for (std::size_t i = 0; i + 1 < call.size(); ++i) {
        session.received(call.substr(i, 1));
        expect<Wait>(session);
    }
    session.received(call.substr(call.size() - 1));
    expect<Invoke>(session);
}

TEST(Session, AsksAgainForAsLongAsRepliesContinue) {
    Session session(Access::all, {}, kStart);
    wire::Call call{std::string(method::kRecordRegions), R"({"name":"a"})"};
    call.more = true;
    session.received(wire::encode_call(call) + list_call());
    Invoke first = expect<Invoke>(session);
    EXPECT_EQ(first.call, call);
    EXPECT_EQ(first.round, 0U);
    session.answered({R"({"n":1})", {}, true});
    EXPECT_EQ(sent(expect<Send>(session)),
              json::parse(R"({"parameters":{"n":1},"continues":true})"));
    const Invoke second = expect<Invoke>(session);
    EXPECT_EQ(second.call, call);
    EXPECT_EQ(second.round, 1U);
    session.answered({R"({"n":2})", {}, true});
    expect<Send>(session);
    EXPECT_EQ(expect<Invoke>(session).round, 2U);
    session.answered({R"({"n":3})"});
    EXPECT_EQ(sent(expect<Send>(session)), json::parse(R"({"parameters":{"n":3}})"));
    const Invoke next = expect<Invoke>(session); // the call behind it
    EXPECT_EQ(next.call.method, method::kList);
    EXPECT_EQ(next.round, 0U);
    session.answered({"{}"});
    expect<Send>(session);
    expect<Wait>(session);
}

TEST(Session, AStreamEndsWithTheClientThatDoesNotRead) {
    Session session(Access::all, {}, kStart);
    wire::Call call{std::string(method::kRecordRegions), R"({"name":"a"})"};
    call.more = true;
    session.received(wire::encode_call(call));
    expect<Invoke>(session);
    session.answered({R"({"n":1})", {}, true});
    expect<Send>(session);
    session.stalled();
    expect<Close>(session);
}

TEST(Session, AOnewayCallGetsNoReply) {
    Session session(Access::all, {}, kStart);
    session.received(
        wire::encode_call({std::string(method::kUnregister), "{}", false, true, false}) +
        wire::encode_call({std::string(method::kGetInfo), "{}", false, true, false}));
    EXPECT_EQ(expect<Invoke>(session).call.method, method::kUnregister);
    session.answered({"{}"});
    expect<Wait>(session);
}

TEST(Session, MoreOnAMethodWithoutStreamGetsOneReply) {
    Session session(Access::all, {}, kStart);
    session.received(wire::encode_call({std::string(method::kList), "{}", true, false, false}));
    expect<Invoke>(session);
    session.answered({"{}"});
    EXPECT_FALSE(sent(expect<Send>(session)).contains("continues"));
    expect<Wait>(session);
}

TEST(Session, ClosesOnGarbage) {
    for (const std::string& garbage : {"GET / HTTP/1.1\r\n\0"s, "\0"s, "[]\0"s, "{}\0"s,
                                       "{\"method\":\"a\",\"method\":\"b\"}\0"s}) {
        Session session(Access::all, {}, kStart);
        session.received(garbage + list_call());
        EXPECT_EQ(expect<Close>(session).reason, "no message");
        EXPECT_EQ(expect<Close>(session).reason, "no message");
    }
}

TEST(Session, ClosesOnAMessageOverTheLimitBeforeItEnds) {
    Session session(Access::all, {}, kStart);
    session.received(std::string(wire::kMaxCallBytes, ' '));
    expect<Wait>(session);
    session.received(" ");
    EXPECT_EQ(expect<Close>(session).reason, "message too large");
}

TEST(Session, ClosesAnIdleClient) {
    Session session(Access::all, {}, kStart);
    const TimePoint last = expect<Wait>(session).deadline;
    expect<Wait>(session, last - Nanoseconds{1});
    EXPECT_EQ(expect<Close>(session, last).reason, "idle");
}

TEST(Session, HalfACallDoesNotKeepItOpen) {
    Session session(Access::all, {}, kStart);
    session.received("{\"method\":");
    EXPECT_EQ(expect<Wait>(session, kStart + kIdle / 2).deadline, kStart + kIdle);
    EXPECT_EQ(expect<Close>(session, kStart + kIdle).reason, "idle");
}

TEST(Session, TheEnginesTimeIsNotTheClients) {
    Session session(Access::all, {}, kStart);
    session.received(list_call());
    expect<Invoke>(session);
    session.answered({"{}"});
    expect<Send>(session, kStart + 3 * kIdle);
    EXPECT_EQ(expect<Wait>(session, kStart + 3 * kIdle).deadline, kStart + 4 * kIdle);
}

TEST(Session, ClosesAClientThatDoesNotRead) {
    Session session(Access::all, {}, kStart);
    session.received(list_call());
    expect<Invoke>(session);
    session.answered({"{}"});
    expect<Send>(session);
    session.stalled();
    EXPECT_EQ(expect<Close>(session).reason, "does not read its reply");
}

TEST(Session, AnswersWhatWasAskedBeforeTheEnd) {
    Session session(Access::all, {}, kStart);
    session.received(list_call());
    session.ended();
    expect<Invoke>(session);
    session.answered({"{}"});
    expect<Send>(session);
    EXPECT_EQ(expect<Close>(session).reason, "ended");
}

TEST(Session, TellsAnEndWithinACall) {
    Session session(Access::all, {}, kStart);
    session.received("{\"method\"");
    session.ended();
    EXPECT_EQ(expect<Close>(session).reason, "ended within a message");
}

TEST(Session, APeerWithoutRightsNeverReachesTheEngine) {
    Session session(Access::none, {}, kStart);
    session.received(list_call());
    EXPECT_EQ(sent(expect<Send>(session))["error"], wire::error::kPermissionDenied);
    expect<Wait>(session);
}

} // namespace
} // namespace cgtide::serve
