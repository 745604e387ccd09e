#include "tests/hook/integration/fixture.hpp"

#include <array>
#include <csignal>
#include <stdexcept>

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

namespace cgtide::hook {

namespace {

struct Pipe {
    Pipe() {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
            throw std::runtime_error("pipe2");
        }
        out = UniqueFd(ends[0]);
        in = UniqueFd(ends[1]);
    }
    UniqueFd out;
    UniqueFd in;
};

std::string drain(int fd) {
    std::string text;
    std::array<char, 4096> buffer{};
    for (ssize_t got = 0; (got = ::read(fd, buffer.data(), buffer.size())) > 0;) {
        text.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return text;
}

void feed(UniqueFd fd, const std::string& input) {
    std::string_view left = input;
    while (!left.empty()) {
        const ssize_t put = ::write(fd.get(), left.data(), left.size());
        if (put <= 0) {
            return;
        }
        left.remove_prefix(static_cast<std::size_t>(put));
    }
}

} // namespace

Engine::Engine(const std::string& path, Manner manner, std::string reply, int backlog)
    : listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)), manner_(manner),
      reply_(std::move(reply)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(static_cast<char*>(address.sun_path), sizeof address.sun_path - 1);
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener_, backlog) != 0) {
        throw std::runtime_error("listen at " + path);
    }
    if (manner_ != Manner::hangs) {
        thread_ = std::thread([this] { serve(); });
    }
}

Engine::~Engine() {
    calls();
    ::close(listener_);
}

std::vector<std::string> Engine::calls() {
    ::shutdown(listener_, SHUT_RDWR);
    if (thread_.joinable()) {
        thread_.join();
    }
    return calls_;
}

void Engine::serve() {
    for (;;) {
        const UniqueFd peer(::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC));
        if (!peer) {
            return;
        }
        std::string call;
        std::array<char, 4096> buffer{};
        while (call.empty() || call.back() != '\0') {
            const ssize_t got = ::recv(peer.get(), buffer.data(), buffer.size(), 0);
            if (got <= 0) {
                break;
            }
            call.append(buffer.data(), static_cast<std::size_t>(got));
        }
        if (!call.empty()) {
            call.pop_back();
        }
        calls_.push_back(call);
        const std::string reply =
            (manner_ == Manner::talks_rubbish ? std::string("no varlink") : reply_) + '\0';
        if (manner_ != Manner::hangs_up) {
            ::send(peer.get(), reply.data(), reply.size(), MSG_NOSIGNAL);
        }
    }
}

HookProgram::HookProgram() {
    std::signal(SIGPIPE, SIG_IGN);
    dir_.write("root/proc/4242/cgroup", "0::/web/a1\n");
    dir_.write("root/proc/4242/stat", "4242 (runc:[2:INIT]) S 1 4242 4242 0 -1 4194560 1 0 0 0 0 0 "
                                      "0 0 20 0 1 0 123456 0 0\n");
    dir_.write("root/proc/self/cgroup", "0::/init\n");
    dir_.write("root/proc/self/uid_map", "         0          0 4294967295\n");
    dir_.write("root/proc/sys/kernel/random/boot_id", "b6d0c1a0-0000-4000-8000-000000000000\n");
    dir_.make("root/sys/fs/cgroup/web/a1");
    dir_.make("root/dev");
    dir_.make("run");
}

std::string HookProgram::state(const std::string& extra, const std::string& apps) {
    return "{" + extra +
           R"("ociVersion":"1.2.0","id":"a1","status":"creating","pid":4242,"bundle":"/b/a1",)"
           R"("annotations":{)" +
           apps + "}}";
}

std::string HookProgram::stopped() {
    return R"({"ociVersion":"1.2.0","id":"a1","status":"stopped","bundle":"/b/a1",)"
           R"("annotations":{"cgtide.io/apps":"stat"}})";
}

Ended HookProgram::run(const std::string& input, const std::vector<std::string>& more) {
    std::vector<std::string> args{
        "--root", dir_.path() + "/root", "--run-dir", run_dir(), "--budget", "1500"};
    args.insert(args.end(), more.begin(), more.end());
    return run_plain(input, std::move(args));
}

Ended HookProgram::run_plain(const std::string& input, std::vector<std::string> args) {
    args.insert(args.begin(), CGTIDE_HOOK);
    std::vector<char*> argv;
    for (std::string& arg : args) {
        argv.push_back(arg.data());
    }
    argv.push_back(nullptr);
    Pipe in;
    Pipe out;
    Pipe errors;
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, in.out.get(), STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, out.in.get(), STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, errors.in.get(), STDERR_FILENO);
    char* environment[] = {nullptr};
    pid_t pid = 0;
    if (::posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), environment) != 0) {
        throw std::runtime_error("spawn the hook");
    }
    ::posix_spawn_file_actions_destroy(&actions);
    in.out.reset();
    out.in.reset();
    errors.in.reset();
    std::thread feeder([&] { feed(std::move(in.in), input); });
    Ended ended;
    ended.output = drain(out.out.get());
    ended.errors = drain(errors.out.get());
    feeder.join();
    int status = 0;
    ::waitpid(pid, &status, 0);
    ended.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return ended;
}

std::vector<std::string> HookProgram::files() const {
    const auto folder = Dir::open(run_dir() + "/containers");
    return folder ? folder->list().value() : std::vector<std::string>{};
}

} // namespace cgtide::hook
