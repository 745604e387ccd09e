#include "tests/bench/hook_latency/stage.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <stdexcept>

#include <fcntl.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

namespace cgtide::bench {

namespace {

[[noreturn]] void give_up(const std::string& what) {
    throw std::runtime_error(what + ": " + std::strerror(errno));
}

int listen_at(const std::string& path) {
    constexpr int kBacklog = 1024;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(static_cast<char*>(address.sun_path), sizeof address.sun_path - 1);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(fd, kBacklog) != 0) {
        give_up(path);
    }
    return fd;
}

/// The least engine: takes a call up to its NUL and agrees.
[[noreturn]] void respond(int listener) {
    constexpr std::string_view kReply{"{\"parameters\":{}}\0", 18};
    for (;;) {
        const int peer = ::accept(listener, nullptr, nullptr);
        std::array<char, 65536> buffer{};
        ssize_t got = 0;
        do {
            got = ::recv(peer, buffer.data(), buffer.size(), 0);
        } while (got > 0 && buffer[static_cast<std::size_t>(got) - 1] != '\0');
        ::send(peer, kReply.data(), kReply.size(), MSG_NOSIGNAL);
        ::close(peer);
    }
}

/// A pipe that holds the input and then ends, as runtimes give a hook its state.
int filled_pipe(const std::string& input) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0 ||
        ::write(ends[1], input.data(), input.size()) != static_cast<ssize_t>(input.size())) {
        give_up("pipe");
    }
    ::close(ends[1]);
    return ends[0];
}

std::vector<char*> arguments(const std::vector<std::string>& command) {
    std::vector<char*> argv;
    for (const std::string& word : command) {
        argv.push_back(const_cast<char*>(word.c_str()));
    }
    argv.push_back(nullptr);
    return argv;
}

double now_us() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

} // namespace

Stage::Stage() {
    dir_.write("root/proc/4242/cgroup", "0::/web/a1\n");
    dir_.write("root/proc/4242/stat", "4242 (runc:[2:INIT]) S 1 4242 4242 0 -1 4194560 1 0 0 0 0 0 "
                                      "0 0 20 0 1 0 123456 0 0\n");
    dir_.write("root/proc/self/cgroup", "0::/init\n");
    dir_.write("root/proc/sys/kernel/random/boot_id", "b6d0c1a0-0000-4000-8000-000000000000\n");
    dir_.make("root/sys/fs/cgroup/web/a1");
    for (const char* engine : {"answering", "absent", "hung"}) {
        dir_.make(std::string(engine) + "/containers");
    }
    hung_ = listen_at(hung() + "/cgtide.sock");
    const int listener = listen_at(answering() + "/cgtide.sock");
    responder_ = ::fork();
    if (responder_ == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        respond(listener);
    }
    ::close(listener);
}

Stage::~Stage() {
    ::kill(responder_, SIGKILL);
    ::waitpid(responder_, nullptr, 0);
    ::close(hung_);
}

std::string Stage::state() {
    return R"({"ociVersion":"1.2.0","id":"a1","status":"creating","pid":4242,"bundle":"/b/a1",)"
           R"("annotations":{"cgtide.io/apps":"stat,reclaim","cgtide.io/reclaim.idle":"10s"}})";
}

double run_once(const std::vector<std::string>& command, const std::string& input) {
    std::vector<char*> argv = arguments(command);
    char* environment[] = {nullptr};
    const int in = filled_pipe(input);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    pid_t pid = 0;
    int status = 0;
    const double start = now_us();
    const int failed = ::posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), environment);
    const bool ended = failed == 0 && ::wait4(pid, &status, 0, nullptr) == pid;
    const double took = now_us() - start;
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(in);
    if (!ended || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        throw std::runtime_error(command[0] + ": status " + std::to_string(status));
    }
    return took;
}

int count_calls(const std::vector<std::string>& command, const std::string& input) {
    std::vector<char*> argv = arguments(command);
    const int in = filled_pipe(input);
    const pid_t pid = ::fork();
    if (pid == 0) {
        ::dup2(in, STDIN_FILENO);
        ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
        ::execv(argv[0], argv.data());
        ::_exit(127);
    }
    ::close(in);
    int status = 0;
    ::waitpid(pid, &status, 0); // stopped after its execve, the first call
    ::ptrace(PTRACE_SETOPTIONS, pid, nullptr, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
    int stops = 0;
    while (::ptrace(PTRACE_SYSCALL, pid, nullptr, nullptr) == 0 &&
           ::waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) {
        stops += WSTOPSIG(status) == (SIGTRAP | 0x80) ? 1 : 0;
    }
    // Each call stops at entry and at exit; exit_group at its entry alone. The execve is added.
    return (stops + 1) / 2 + 1;
}

} // namespace cgtide::bench
