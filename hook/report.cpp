#include "hook/report.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace cgtide::hook {

namespace {

constexpr std::size_t kMaxText = 1000;

/// A line in a buffer of its own: this also runs in a signal handler, where nothing may allocate.
class Line {
public:
    void add(std::string_view text) noexcept {
        const std::size_t length = std::min(text.size(), bytes_.size() - size_);
        std::memcpy(bytes_.data() + size_, text.data(), length);
        std::replace(bytes_.data() + size_, bytes_.data() + size_ + length, '\n', ' ');
        size_ += length;
    }
    void end() noexcept { bytes_[std::min(size_++, bytes_.size() - 1)] = '\n'; }

    const char* data() const noexcept { return bytes_.data(); }
    std::size_t size() const noexcept { return size_; }

private:
    std::array<char, kMaxText + 64> bytes_;
    std::size_t size_ = 0;
};

void to_stderr(std::string_view text) noexcept {
    Line line;
    line.add("cgtide-hook: ");
    line.add(text);
    line.end();
    pollfd ready{STDERR_FILENO, POLLOUT, 0};
    if (::poll(&ready, 1, 0) == 1 && (ready.revents & POLLOUT) != 0) {
        [[maybe_unused]] const auto put = ::write(STDERR_FILENO, line.data(), line.size());
    }
}

void to_log(std::string_view text, const char* path) noexcept {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::size_t length = std::strlen(path);
    if (length >= sizeof address.sun_path) {
        return;
    }
    std::memcpy(static_cast<char*>(address.sun_path), path, length);
    // Closed by the process's end, which comes next.
    const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return;
    }
    Line line;
    line.add("<28>cgtide-hook: "); // facility daemon, severity warning
    line.add(text);
    ::sendto(fd, line.data(), line.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
             reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

} // namespace

void report(std::string_view text, const char* log_socket) noexcept {
    text = text.substr(0, kMaxText);
    // A runtime that closed its end of the pipe must not turn a warning into a death by signal.
    std::signal(SIGPIPE, SIG_IGN);
    to_log(text, log_socket);
    to_stderr(text);
}

} // namespace cgtide::hook
