#include "engine/cli/probe.hpp"

#include "cgroup/base/text.hpp"
#include "cgroup/base/unique_fd.hpp"

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace cgtide::cli {

namespace {

constexpr std::string_view kOp = "run";
constexpr std::size_t kMaxOutput = 1U << 20U;

/// Everything until the end of a pipe; `out_of_range` beyond kMaxOutput.
Result<std::string> drain(int fd) {
    std::string text;
    std::array<char, 4096> chunk{};
    for (;;) {
        const ssize_t got = ::read(fd, chunk.data(), chunk.size());
        if (got == 0) {
            return text;
        }
        if (got < 0 && errno != EINTR) {
            return fail_errno(errno, kOp, "reading what cgtided printed");
        }
        text.append(chunk.data(), got < 0 ? 0 : static_cast<std::size_t>(got));
        if (text.size() > kMaxOutput) {
            return fail(Errc::out_of_range, kOp, "cgtided --probe printed more than 1 MiB");
        }
    }
}

} // namespace

std::optional<std::string> find_engine(const std::string& bin_dir, const std::string& path) {
    std::vector<std::string> folders{bin_dir, bin_dir + "/../sbin"};
    for (const std::string_view folder : split(path, ':')) {
        folders.emplace_back(folder);
    }
    for (const std::string& folder : folders) {
        const std::string program = folder + "/cgtided";
        if (!folder.empty() && ::access(program.c_str(), X_OK) == 0) {
            return program;
        }
    }
    return std::nullopt;
}

Result<std::string> run_probe(const std::string& program) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        return fail_errno(errno, kOp, program);
    }
    UniqueFd reading(ends[0]);
    UniqueFd writing(ends[1]);
    std::string name = program;
    std::string flag = "--probe";
    const std::array<char*, 3> argv{name.data(), flag.data(), nullptr};
    posix_spawn_file_actions_t actions{};
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, writing.get(), STDOUT_FILENO);
    pid_t child = 0;
    const int error =
        ::posix_spawn(&child, program.c_str(), &actions, nullptr, argv.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    if (error != 0) {
        return fail_errno(error, kOp, program);
    }
    writing.reset();
    auto output = drain(reading.get());
    // A child that still prints gets SIGPIPE and ends.
    reading.reset();
    int wait_status = 0;
    while (::waitpid(child, &wait_status, 0) < 0 && errno == EINTR) {
    }
    if (output && (!WIFEXITED(wait_status) || WEXITSTATUS(wait_status) > 1)) {
        return fail(Errc::malformed, kOp, program + " --probe failed");
    }
    return output;
}

} // namespace cgtide::cli
