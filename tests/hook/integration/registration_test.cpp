#include "oci/record.hpp"
#include "tests/hook/integration/fixture.hpp"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>
#include <sys/socket.h>
#include <sys/un.h>

namespace cgtide::hook {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

MATCHER(IsOneLine, "") {
    return std::count(arg.begin(), arg.end(), '\n') == 1 && arg.back() == '\n';
}

TEST_F(HookProgram, LeavesTheFileAndTellsTheEngine) {
    Engine engine(socket(), Engine::Manner::answers);
    const Ended ended = run(state());
    EXPECT_EQ(ended.status, 0);
    EXPECT_EQ(ended.errors, "");
    EXPECT_EQ(ended.output, "");
    EXPECT_THAT(files(), ElementsAre(key_ + ".json"));
    const std::string text = dir_.read("run/containers/" + key_ + ".json");
    const auto record = oci::decode_record(text);
    ASSERT_TRUE(record) << record.error().message();
    EXPECT_EQ(record->id, "a1");
    EXPECT_EQ(record->pid, 4242);
    EXPECT_EQ(record->pid_start, 123456U);
    EXPECT_EQ(record->cgroup_path, "/web/a1");
    EXPECT_EQ(record->boot_id, "b6d0c1a0-0000-4000-8000-000000000000");
    const auto calls = engine.calls();
    ASSERT_THAT(calls, SizeIs(1));
    const auto call = nlohmann::json::parse(calls[0]);
    EXPECT_EQ(call["method"], "io.cgtide.Engine.Register");
    EXPECT_EQ(call["parameters"]["record"], nlohmann::json::parse(text));
}

TEST_F(HookProgram, PoststopMarksAndTellsTheEngine) {
    Engine engine(socket(), Engine::Manner::answers);
    EXPECT_EQ(run(stopped()).errors, "");
    EXPECT_THAT(files(), ElementsAre(key_ + ".stopped"));
    EXPECT_EQ(dir_.read("run/containers/" + key_ + ".stopped"), "");
    const auto calls = engine.calls();
    ASSERT_THAT(calls, SizeIs(1));
    const auto call = nlohmann::json::parse(calls[0]);
    EXPECT_EQ(call["method"], "io.cgtide.Engine.Unregister");
    EXPECT_EQ(call["parameters"], nlohmann::json({{"id", "a1"}, {"bundle", "/b/a1"}}));
}

TEST_F(HookProgram, AContainerWithoutAnnotationIsLeftAlone) {
    Engine engine(socket(), Engine::Manner::answers);
    for (const char* other : {R"("org.example/a":"b")", ""}) {
        const Ended ended = run(state("", other), {"--strict"});
        EXPECT_EQ(ended.status, 0);
        EXPECT_EQ(ended.errors, "");
    }
    EXPECT_THAT(files(), IsEmpty());
    EXPECT_THAT(engine.calls(), IsEmpty());
}

TEST_F(HookProgram, TheStageMayBeSaid) {
    run(state(), {"--stage", "poststop"});
    EXPECT_THAT(files(), ElementsAre(key_ + ".stopped"));
}

TEST_F(HookProgram, BadAnnotationsRegisterForTheEngineToSay) {
    run(state("", R"("cgtide.io/apps":"nonsense","cgtide.io/name":")" + std::string(500000, 'x') +
                      "\""));
    const auto record = oci::decode_record(dir_.read("run/containers/" + key_ + ".json"));
    ASSERT_TRUE(record);
    EXPECT_EQ(record->annotations.at("cgtide.io/name").size(), 254U);
}

TEST_F(HookProgram, BadInputIsOneLineThatNamesTheField) {
    const std::string deep(100000, '[');
    const std::vector<std::pair<std::string, std::string>> cases{
        {"", "state is empty"},
        {state().substr(0, 90), "no valid JSON"},
        {"hello", "no valid JSON"},
        {state("\"x\":\"" + std::string(10U << 20U, 'x') + "\","), "longer than 1048576 bytes"},
        {state("\"x\":" + deep), "nested deeper than 32 levels"},
        {state(R"("id":"b",)"), "id: duplicate key"},
        {state(R"("x":"a\u0000b",)"), "x: holds a NUL"},
        {R"({"id":"../x","status":"creating","pid":1,"bundle":"/b","annotations":{}})",
         "id: '../x'"},
        {R"({"id":"a","status":"creating","pid":0,"bundle":"/b","annotations":{"cgtide.io/apps":""}})",
         "pid: is missing or 0"},
        {R"({"id":"a","status":"starting","pid":9,"bundle":"/b","annotations":{"cgtide.io/apps":""}})",
         "status: 'starting'"},
        {R"({"id":"a","status":"creating","pid":9,"bundle":"/b","annotations":{"cgtide.io/apps":""}})",
         "pid 9"}};
    for (const auto& [input, message] : cases) {
        const Ended lenient = run(input);
        EXPECT_EQ(lenient.status, 0) << message;
        EXPECT_THAT(lenient.errors, IsOneLine());
        EXPECT_THAT(lenient.errors, StartsWith("cgtide-hook: "));
        EXPECT_THAT(lenient.errors, HasSubstr(message));
        const Ended strict = run(input, {"--strict"});
        EXPECT_EQ(strict.status, 1) << message;
        EXPECT_EQ(strict.errors, lenient.errors);
    }
    EXPECT_THAT(files(), IsEmpty());
}

TEST_F(HookProgram, ASharedCgroupIsNotWritten) {
    Engine engine(socket(), Engine::Manner::answers);
    for (const char* path : {"/", "/init"}) {
        dir_.write("root/proc/4242/cgroup", std::string("0::") + path + "\n");
        const Ended ended = run(state(), {"--strict"});
        EXPECT_EQ(ended.status, 1);
        EXPECT_THAT(ended.errors, HasSubstr(std::string("shared-cgroup ") + path));
    }
    EXPECT_THAT(files(), IsEmpty());
    EXPECT_THAT(engine.calls(), IsEmpty());
}

TEST_F(HookProgram, ErrorsReachTheSystemsLog) {
    const UniqueFd log(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = dir_.path() + "/root/dev/log";
    path.copy(static_cast<char*>(address.sun_path), sizeof address.sun_path - 1);
    ASSERT_EQ(::bind(log.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    run("hello");
    std::array<char, 2048> buffer{};
    const ssize_t got = ::recv(log.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    ASSERT_GT(got, 0);
    EXPECT_THAT(std::string(buffer.data(), static_cast<std::size_t>(got)),
                StartsWith("<28>cgtide-hook: state no valid JSON"));
}

TEST_F(HookProgram, UsageErrors) {
    const Ended lenient = run(state(), {"--wrong"});
    EXPECT_EQ(lenient.status, 0);
    EXPECT_THAT(lenient.errors, HasSubstr("unknown argument '--wrong'"));
    EXPECT_EQ(run(state(), {"--wrong", "--strict"}).status, 2);
    EXPECT_THAT(files(), IsEmpty());
}

TEST_F(HookProgram, HelpAndVersion) {
    EXPECT_THAT(run_plain("", {"--help"}).output, HasSubstr("example"));
    EXPECT_EQ(run_plain("", {"--version"}).output, "cgtide-hook " CGTIDE_VERSION "\n");
}

} // namespace
} // namespace cgtide::hook
