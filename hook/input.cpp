#include "hook/input.hpp"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

namespace cgtide::hook {

namespace {

constexpr std::size_t kChunk = 16384;

ssize_t read_some(int fd, char* buffer) {
    ssize_t got = -1;
    do {
        got = ::read(fd, buffer, kChunk);
    } while (got < 0 && errno == EINTR);
    return got;
}

} // namespace

Result<std::string> read_input(int fd, std::size_t limit) {
    std::string text;
    char buffer[kChunk]; // not cleared: a page that is not touched costs nothing
    for (;;) {
        const ssize_t got = read_some(fd, buffer);
        if (got < 0) {
            return fail_errno(errno, "read", "standard input");
        }
        if (got == 0) {
            return text;
        }
        text.append(buffer, std::min(static_cast<std::size_t>(got), limit + 1 - text.size()));
    }
}

Result<std::string> read_proc(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC); // closed by the process's end
    if (fd < 0) {
        return fail_errno(errno, "open", path);
    }
    char buffer[kChunk];
    const ssize_t got = read_some(fd, buffer);
    if (got < 0) {
        return fail_errno(errno, "read", path);
    }
    if (got == kChunk) {
        return fail(Errc::out_of_range, "read", path + ": 16 KiB or more");
    }
    return std::string(buffer, static_cast<std::size_t>(got));
}

} // namespace cgtide::hook
