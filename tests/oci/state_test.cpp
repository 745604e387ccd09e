#include "oci/state.hpp"

#include <string>

#include <gmock/gmock.h>

namespace cgtide::oci {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr std::string_view kRunc =
    R"({"ociVersion":"1.2.0","id":"a1","status":"creating","pid":1640,"bundle":"/b/a1",)"
    R"("annotations":{"cgtide.io/enable":"true","cgtide.io/note":"a/b \"q\" é"}})";

/// A sound state with `extra` in front of its fields.
std::string with(const std::string& extra) {
    return "{" + extra + R"("id":"a","status":"creating","pid":7,"bundle":"/b"})";
}

std::string state_error(std::string_view text) {
    const auto state = parse_state(text);
    return state ? "" : state.error().message();
}

TEST(OciState, ReadsWhatRuncWrites) {
    const auto state = parse_state(kRunc);
    ASSERT_TRUE(state);
    EXPECT_EQ(state->id, "a1");
    EXPECT_EQ(state->status, "creating");
    EXPECT_EQ(state->pid, 1640);
    EXPECT_EQ(state->bundle, "/b/a1");
    EXPECT_EQ(state->annotations.at("cgtide.io/note"), "a/b \"q\" é");
}

TEST(OciState, ReadsWhatCrunWrites) {
    const auto state = parse_state("{\n  \"ociVersion\": \"1.0\",\n  \"id\": \"a1\",\n  \"pid\": "
                                   "138,\n  \"root\": \"\\/t\\/rootfs\",\n  \"bundle\": "
                                   "\"\\/b\\/a1\",\n  \"status\": \"created\",\n  \"annotations\": "
                                   "{\n    \"cgtide.io\\/apps\": \"stat\"\n  }\n}\n");
    ASSERT_TRUE(state);
    EXPECT_EQ(state->pid, 138);
    EXPECT_EQ(state->bundle, "/b/a1");
    EXPECT_EQ(state->annotations.at("cgtide.io/apps"), "stat");
}

TEST(OciState, TakesPoststopWithoutPidAndWithPidZero) {
    for (const char* pid : {"", R"("pid":0,)"}) {
        const auto state = parse_state(std::string(R"({"id":"a","status":"stopped",)") + pid +
                                       R"("bundle":"/b"})");
        ASSERT_TRUE(state);
        EXPECT_EQ(state->pid, 0);
        EXPECT_TRUE(state->annotations.empty());
    }
}

TEST(OciState, TakesNullAnnotationsAndUnknownKeys) {
    EXPECT_TRUE(parse_state(with(R"("annotations":null,"x":{"y":[1,{"z":null}]},)")));
}

TEST(OciState, NamesWhatIsMissing) {
    EXPECT_THAT(state_error(R"({"status":"creating","bundle":"/b"})"), HasSubstr("id: is missing"));
    EXPECT_THAT(state_error(R"({"id":"a","bundle":"/b"})"), HasSubstr("status: is missing"));
    EXPECT_THAT(state_error(R"({"id":"a","status":"creating"})"), HasSubstr("bundle: is missing"));
}

TEST(OciState, RefusesEmptyAndTruncatedText) {
    EXPECT_THAT(state_error(""), HasSubstr("state is empty"));
    EXPECT_THAT(state_error(" \n"), HasSubstr("state is empty"));
    for (std::size_t length = 1; length < kRunc.size(); ++length) {
        EXPECT_FALSE(parse_state(kRunc.substr(0, length))) << length;
    }
}

TEST(OciState, RefusesTextAfterTheObject) {
    EXPECT_THAT(state_error(with("") + "x"), HasSubstr("no valid JSON at byte"));
    EXPECT_THAT(state_error(with("") + with("")), HasSubstr("no valid JSON at byte"));
}

TEST(OciState, RefusesWhatIsNoObject) {
    EXPECT_THAT(state_error("[]"), HasSubstr("not an object"));
    EXPECT_THAT(state_error("7"), HasSubstr("no JSON object"));
    EXPECT_THAT(state_error("hello"), HasSubstr("no valid JSON"));
}

TEST(OciState, NamesADuplicateKeyAtAnyLevel) {
    EXPECT_THAT(state_error(with(R"("id":"b",)")), HasSubstr("id: duplicate key"));
    EXPECT_THAT(state_error(with(R"("annotations":{"a":"1","a":"2"},)")),
                HasSubstr("annotations.a: duplicate key"));
    EXPECT_THAT(state_error(with(R"("x":[{"k":1,"k":2}],)")), HasSubstr("x[].k: duplicate key"));
}

TEST(OciState, NamesTheFieldWithANul) {
    EXPECT_THAT(state_error(with(R"("annotations":{"a":"x\u0000y"},)")),
                HasSubstr("annotations.a: holds a NUL"));
    EXPECT_THAT(state_error(with(R"("x\u0000":1,)")), HasSubstr("a key holds a NUL"));
}

TEST(OciState, RefusesBytesThatAreNoUtf8) {
    EXPECT_THAT(state_error(with("\"x\":\"\xff\",")), HasSubstr("x: no valid JSON"));
}

TEST(OciState, BoundsDepthAndSize) {
    const std::string deep(100000, '[');
    EXPECT_THAT(state_error(with("\"x\":" + deep)), HasSubstr("nested deeper than 32 levels"));
    const std::string open(kMaxStateDepth - 1, '[');
    const std::string close(kMaxStateDepth - 1, ']');
    EXPECT_EQ(state_error(with("\"x\":" + open + close + ",")), "");
    EXPECT_THAT(state_error(with("\"x\":[" + open + close + "],")), HasSubstr("nested deeper"));
    EXPECT_THAT(state_error(with("\"x\":\"" + std::string(kMaxStateBytes, 'x') + "\",")),
                HasSubstr("longer than 1048576 bytes"));
}

TEST(OciState, RefusesIdsThatLeadElsewhere) {
    for (const char* id : {"", "../x", "a/b", ".", "..", "/"}) {
        const std::string text =
            std::string(R"({"id":")") + id + R"(","status":"creating","bundle":"/b"})";
        EXPECT_THAT(state_error(text), HasSubstr("id: ")) << id;
    }
}

TEST(OciState, EscapesWhatItShows) {
    EXPECT_THAT(state_error(R"({"id":"a/\u001b[2J","status":"creating","bundle":"/b"})"),
                AllOf(HasSubstr("a/\\x1b[2J"), testing::Not(HasSubstr("\x1b"))));
}

TEST(OciState, RefusesABundleThatIsNotAbsolute) {
    EXPECT_THAT(state_error(R"({"id":"a","status":"creating","bundle":"b"})"),
                HasSubstr("bundle: 'b': allowed is an absolute path"));
}

TEST(OciState, NamesAPidThatIsNone) {
    const auto pid = [](const std::string& value) {
        return state_error(R"({"id":"a","status":"creating","bundle":"/b","pid":)" + value + "}");
    };
    EXPECT_THAT(pid("\"7\""), HasSubstr("pid: \"7\" is no whole number"));
    EXPECT_THAT(pid("1.5"), HasSubstr("pid: 1.5 is no whole number"));
    EXPECT_THAT(pid("-1"), HasSubstr("pid: -1: allowed are 0 to 4194304"));
    EXPECT_THAT(pid("4194305"), HasSubstr("allowed are"));
    EXPECT_THAT(pid("18446744073709551615"), HasSubstr("allowed are"));
    EXPECT_THAT(pid("1e999"), HasSubstr("pid: number too large"));
}

TEST(OciState, NamesAnAnnotationThatIsNoString) {
    EXPECT_THAT(state_error(with(R"("annotations":{"a":1},)")),
                HasSubstr("annotations.a: 1 is no string"));
    EXPECT_THAT(state_error(with(R"("annotations":[],)")),
                HasSubstr("annotations: [] is no object"));
}

} // namespace
} // namespace cgtide::oci
