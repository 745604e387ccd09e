#include "tests/daemon/program.hpp"

#include <array>
#include <csignal>
#include <cstring>
#include <stdexcept>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace cgtide::daemon {

namespace {

/// What sanitizers need of the environment; a service manager's variables stay out of it.
std::vector<std::string> environment() {
    std::vector<std::string> kept{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"};
    for (char** variable = ::environ; *variable != nullptr; ++variable) {
        const std::string text = *variable;
        if (text.substr(0, text.find('=')).ends_with("SAN_OPTIONS")) {
            kept.push_back(text);
        }
    }
    return kept;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> all;
    for (std::string& text : texts) {
        all.push_back(text.data());
    }
    all.push_back(nullptr);
    return all;
}

} // namespace

Program::Program(const std::vector<std::string>& arguments, const std::string& input) {
    files_.write("input", input);
    files_.write("output", "");
    files_.write("errors", "");
    watch_ = UniqueFd(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    const std::string errors = files_.path() + "/errors";
    if (!watch_ || ::inotify_add_watch(watch_.get(), errors.c_str(), IN_MODIFY) < 0) {
        throw std::runtime_error("inotify");
    }
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    constexpr std::array<const char*, 3> kNames{"/input", "/output", "/errors"};
    for (int fd = 0; fd < 3; ++fd) {
        const std::string file = files_.path() + kNames[static_cast<std::size_t>(fd)];
        ::posix_spawn_file_actions_addopen(&actions, fd, file.c_str(),
                                           fd == 0 ? O_RDONLY : O_WRONLY | O_APPEND, 0);
    }
    // It must not outlive a test that is killed.
    std::vector<std::string> words{"/usr/bin/setpriv", "--pdeathsig", "KILL", "--"};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<std::string> variables = environment();
    const int error = ::posix_spawn(&pid_, words.at(0).c_str(), &actions, nullptr,
                                    pointers(words).data(), pointers(variables).data());
    ::posix_spawn_file_actions_destroy(&actions);
    if (error != 0) {
        throw std::runtime_error("start " + arguments[0] + ": " + std::strerror(error));
    }
    handle_ = UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
}

Program::~Program() {
    if (!reaped_) {
        signal(SIGKILL);
        wait();
    }
}

void Program::signal(int number) const {
    ::kill(pid_, number);
}

Ended Program::wait() {
    if (!reaped_) {
        int status = 0;
        ::waitpid(pid_, &status, 0);
        reaped_ = true;
        status_ = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    }
    return {status_, files_.read("output"), errors()};
}

bool Program::ended(int timeout_ms) {
    std::array<pollfd, 2> files{{{handle_.get(), POLLIN, 0}, {watch_.get(), POLLIN, 0}}};
    ::poll(files.data(), files.size(), timeout_ms);
    std::array<char, 4096> events{};
    while (::read(watch_.get(), events.data(), events.size()) > 0) {
    }
    return reaped_ || files[0].revents != 0;
}

bool Program::await(const std::function<bool()>& done) {
    constexpr int kInterval = 50;
    const auto end = std::chrono::steady_clock::now() + kPatience;
    while (!done()) {
        if (ended(kInterval) || std::chrono::steady_clock::now() > end) {
            return done();
        }
    }
    return true;
}

Ended run(const std::vector<std::string>& arguments, const std::string& input) {
    Program program(arguments, input);
    return program.wait();
}

} // namespace cgtide::daemon
