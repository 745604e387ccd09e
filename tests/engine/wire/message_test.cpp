#include "engine/wire/message.hpp"

#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace cgtide::wire {
namespace {

using std::string_literals::operator""s;

std::string frame_of(std::string message) {
    EXPECT_EQ(message.back(), '\0');
    message.pop_back();
    return message;
}

TEST(WireMessage, CallSurvivesTheWire) {
    const Call call{"io.cgtide.Engine.List", R"({"all":true})", true, true, false};
    const auto decoded = decode_call(frame_of(encode_call(call)));
    ASSERT_TRUE(decoded) << decoded.error().message();
    EXPECT_EQ(*decoded, call);
}

TEST(WireMessage, ReplySurvivesTheWire) {
    const Reply reply{R"({"name":"web"})", "io.cgtide.Engine.NoSuchContainer", true};
    const auto decoded = decode_reply(frame_of(encode_reply(reply)));
    ASSERT_TRUE(decoded) << decoded.error().message();
    EXPECT_EQ(*decoded, reply);
}

TEST(WireMessage, ParametersMayBeMissingOrNull) {
    EXPECT_EQ(decode_call(R"({"method":"a.b.C"})")->parameters, "{}");
    EXPECT_EQ(decode_call(R"({"method":"a.b.C","parameters":null})")->parameters, "{}");
    EXPECT_EQ(decode_reply("{}")->parameters, "{}");
}

TEST(WireMessage, SkipsUnknownFields) {
    const auto call = decode_call(R"({"method":"a.b.C","later":[1,2]})");
    ASSERT_TRUE(call);
    EXPECT_EQ(call->method, "a.b.C");
}

TEST(WireMessage, NamesTheFieldOfAWrongType) {
    const std::pair<const char*, const char*> cases[] = {
        {R"({"method":1})", "method"},
        {R"({"parameters":{}})", "method"},
        {R"({"method":"a.b.C","parameters":[]})", "parameters"},
        {R"({"method":"a.b.C","more":"yes"})", "more"},
        {R"({"method":"a.b.C","oneway":1})", "oneway"},
    };
    for (const auto& [text, field] : cases) {
        const auto call = decode_call(text);
        ASSERT_FALSE(call) << text;
        EXPECT_EQ(call.error().code, Errc::malformed);
        EXPECT_NE(call.error().detail.find(field), std::string::npos) << call.error().detail;
    }
    EXPECT_FALSE(decode_reply(R"({"error":{}})"));
    EXPECT_FALSE(decode_reply(R"({"continues":0})"));
}

TEST(WireMessage, NamesADuplicateKeyAtAnyDepth) {
    const std::pair<const char*, const char*> cases[] = {
        {R"({"method":"a","method":"b"})", "method"},
        {R"({"method":"a","parameters":{"x":{"y":1,"y":2}}})", "parameters.x.y"}};
    for (const auto& [text, path] : cases) {
        const auto call = decode_call(text);
        ASSERT_FALSE(call) << text;
        EXPECT_EQ(call.error().code, Errc::malformed);
        EXPECT_EQ(call.error().detail, std::string(path) + ": duplicate key");
    }
}

TEST(WireMessage, EqualKeysOfDifferentObjectsAreNoDuplicates) {
    EXPECT_TRUE(decode_call(R"({"method":"a","parameters":{"method":{"method":[{"method":1}]}}})"));
}

TEST(WireMessage, RejectsNulInKeysAndValues) {
    EXPECT_FALSE(decode_call(R"({"method":"a\u0000b"})"));
    EXPECT_FALSE(decode_call(R"({"method":"a","parameters":{"k\u0000":1}})"));
    EXPECT_FALSE(decode_call("{\"method\":\"a\0b\"}"s));
}

TEST(WireMessage, BoundsTheDepth) {
    const auto nested = [](int levels) {
        return std::string(static_cast<std::size_t>(levels), '[') +
               std::string(static_cast<std::size_t>(levels), ']');
    };
    // The message and its parameters are two levels.
    const auto call = [&](int levels) {
        return decode_call(R"({"method":"a","parameters":{"x":)" + nested(levels) + "}}");
    };
    EXPECT_TRUE(call(kMaxDepth - 2));
    const auto deep = call(kMaxDepth - 1);
    ASSERT_FALSE(deep);
    EXPECT_EQ(deep.error().code, Errc::out_of_range);
    EXPECT_FALSE(call(400'000));
    EXPECT_FALSE(decode_call(std::string(1U << 20U, '[')));
}

TEST(WireMessage, RejectsWhatIsNoJsonObject) {
    for (const char* text : {"", "{", "nonsense", "[]", "\"x\"", "1", "{} {}",
                             "{\"method\":\"a\"}x", "{\"method\":\"\xff\"}"}) {
        const auto call = decode_call(text);
        ASSERT_FALSE(call) << text;
        EXPECT_EQ(call.error().code, Errc::malformed) << text;
    }
}

TEST(WireMessage, RejectsANumberThatNothingHolds) {
    const auto call = decode_call(R"({"method":"a","n":1e999})");
    ASSERT_FALSE(call);
    EXPECT_EQ(call.error().code, Errc::out_of_range);
}

TEST(WireMessage, TextNeverFailsOnBytesThatAreNoUtf8) {
    EXPECT_EQ(to_text(nlohmann::json("a\xff")), "\"a\xef\xbf\xbd\"");
}

} // namespace
} // namespace cgtide::wire
