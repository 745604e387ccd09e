#include "tests/hook/integration/fixture.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>

#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

namespace cgtide::hook {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST_F(HookProgram, AnAbsentEngineLosesNothing) {
    const Ended ended = run(state());
    EXPECT_EQ(ended.status, 0);
    EXPECT_THAT(ended.errors, HasSubstr("cgtide.sock: No such file"));
    EXPECT_THAT(files(), ElementsAre(key_ + ".json"));
    EXPECT_EQ(run(state(), {"--strict"}).status, 1);
}

TEST_F(HookProgram, AKilledEngineLosesNothing) {
    { const Engine engine(socket(), Engine::Manner::answers); }
    const Ended ended = run(state());
    EXPECT_EQ(ended.status, 0);
    EXPECT_THAT(ended.errors, HasSubstr("Connection refused"));
    EXPECT_THAT(files(), ElementsAre(key_ + ".json"));
}

TEST_F(HookProgram, AHungEngineIsNotWaitedFor) {
    const Engine engine(socket(), Engine::Manner::hangs);
    const Ended ended = run(state());
    EXPECT_EQ(ended.status, 0);
    EXPECT_THAT(ended.errors, HasSubstr("timed out"));
    EXPECT_THAT(files(), ElementsAre(key_ + ".json"));
}

TEST_F(HookProgram, AFullBacklogIsNotWaitedFor) {
    const Engine engine(socket(), Engine::Manner::hangs, "", 0);
    const std::string path = socket();
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(static_cast<char*>(address.sun_path), sizeof address.sun_path - 1);
    std::vector<UniqueFd> others;
    int error = 0;
    while (error == 0) {
        others.emplace_back(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        error = ::connect(others.back().get(), reinterpret_cast<sockaddr*>(&address),
                          sizeof address) == 0
                    ? 0
                    : errno;
    }
    ASSERT_EQ(error, EAGAIN);
    const Ended ended = run(state());
    EXPECT_EQ(ended.status, 0);
    EXPECT_THAT(ended.errors, HasSubstr("temporarily unavailable"));
    EXPECT_THAT(files(), ElementsAre(key_ + ".json"));
}

TEST_F(HookProgram, AnEngineThatHangsUpIsNamed) {
    const Engine engine(socket(), Engine::Manner::hangs_up);
    EXPECT_THAT(run(state()).errors, HasSubstr("closed the connection"));
    EXPECT_THAT(files(), ElementsAre(key_ + ".json"));
}

TEST_F(HookProgram, AnEngineThatTalksRubbishIsNamed) {
    const Engine engine(socket(), Engine::Manner::talks_rubbish);
    const Ended ended = run(state());
    EXPECT_EQ(ended.status, 0);
    EXPECT_NE(ended.errors, "");
    EXPECT_THAT(files(), ElementsAre(key_ + ".json"));
}

TEST_F(HookProgram, TheEnginesRefusalIsShown) {
    const Engine engine(socket(), Engine::Manner::answers,
                        R"({"error":"io.cgtide.Engine.Refused","parameters":{"why":"nested"}})");
    const Ended ended = run(state(), {"--strict"});
    EXPECT_EQ(ended.status, 1);
    EXPECT_THAT(ended.errors, HasSubstr("io.cgtide.Engine.Refused"));
}

TEST_F(HookProgram, InputThatNeverEndsIsNotWaitedFor) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    const pid_t pid = ::fork();
    if (pid == 0) {
        ::dup2(ends[0], STDIN_FILENO); // its own copy of the other end stays open
        ::execl(CGTIDE_HOOK, "cgtide-hook", "--strict", "--root", dir_.path().c_str(), nullptr);
        ::_exit(127);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
    ::close(ends[0]);
    ::close(ends[1]);
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 1);
}

TEST_F(HookProgram, AMissingRunFolderIsMade) {
    ::rmdir(run_dir().c_str());
    run(state());
    EXPECT_THAT(files(), ElementsAre(key_ + ".json"));
}

TEST_F(HookProgram, ARunFolderThatCannotBeMadeIsNamedAndTheEngineIsTold) {
    Engine engine(dir_.path() + "/sock", Engine::Manner::answers);
    const Ended ended =
        run(state(), {"--run-dir", "/proc/no/such", "--socket", dir_.path() + "/sock"});
    EXPECT_EQ(ended.status, 0);
    EXPECT_THAT(ended.errors, HasSubstr("make folder /proc/no/such: No such file"));
    EXPECT_THAT(engine.calls(), SizeIs(1));
}

/// A tmpfs on the run folder, in a mount namespace of the test's own.
class HookProgramMounts : public HookProgram {
protected:
    void SetUp() override {
        if (::unshare(CLONE_NEWNS) != 0 ||
            ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, "") != 0) {
            GTEST_SKIP() << "needs root and a mount namespace: " << std::strerror(errno);
        }
    }
    void TearDown() override { ::umount2(run_dir().c_str(), MNT_DETACH); }
    bool mount(unsigned long flags, const char* options) {
        return ::mount("none", run_dir().c_str(), "tmpfs", flags, options) == 0;
    }
};

TEST_F(HookProgramMounts, AReadOnlyRunFolderIsNamed) {
    ASSERT_TRUE(mount(MS_RDONLY, "size=1m"));
    Engine engine(dir_.path() + "/sock", Engine::Manner::answers);
    const Ended ended = run(state(), {"--socket", dir_.path() + "/sock"});
    EXPECT_EQ(ended.status, 0);
    EXPECT_THAT(ended.errors, HasSubstr("Read-only file system"));
    EXPECT_THAT(engine.calls(), SizeIs(1));
}

TEST_F(HookProgramMounts, ARootlessRuntimeIsToldSo) {
    ASSERT_TRUE(mount(MS_RDONLY, "size=1m"));
    dir_.write("root/proc/self/uid_map", "         0       1000          1\n");
    EXPECT_THAT(run(state()).errors, HasSubstr("in a user namespace"));
}

TEST_F(HookProgramMounts, AFullRunFolderIsNamedAndLeftClean) {
    ASSERT_TRUE(mount(0, "size=64k"));
    dir_.make("run/containers");
    try {
        dir_.write("run/filler", std::string(1U << 20U, 'x'));
    } catch (const std::runtime_error&) { // it is full: what was wanted
    }
    Engine engine(dir_.path() + "/sock", Engine::Manner::answers);
    const Ended ended = run(state(), {"--socket", dir_.path() + "/sock"});
    EXPECT_EQ(ended.status, 0);
    EXPECT_THAT(ended.errors, HasSubstr(key_ + ".json: No space left on device"));
    EXPECT_THAT(files(), IsEmpty());
    EXPECT_THAT(engine.calls(), SizeIs(1));
}

} // namespace
} // namespace cgtide::hook
