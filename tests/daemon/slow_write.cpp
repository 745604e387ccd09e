// Preloaded into the engine: a write to memory.reclaim of a container named `slow…` takes ten
// seconds, as one of a kernel that finds little to take, and ends at a signal as that does. What
// was begun is told in the file CGTIDE_SLOW_LOG.
#include <array>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

constexpr long kSeconds = 10;

int open_log() {
    const char* const path = std::getenv("CGTIDE_SLOW_LOG");
    return path == nullptr ? -1 : ::open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

const int log_fd = open_log(); // the sandbox comes later

std::string path_of(int fd) {
    std::array<char, 4096> target{};
    const std::string link = "/proc/self/fd/" + std::to_string(fd);
    const ssize_t size = ::readlink(link.c_str(), target.data(), target.size());
    return {target.data(), size < 0 ? 0U : static_cast<std::size_t>(size)};
}

/// `slow1` of `/tmp/x/sys/fs/cgroup/pods/slow1/memory.reclaim`; empty for all other files.
std::string slow_name(std::string_view path) {
    constexpr std::string_view kEnd = "/memory.reclaim";
    if (!path.ends_with(kEnd)) {
        return {};
    }
    path.remove_suffix(kEnd.size());
    path.remove_prefix(path.rfind('/') + 1);
    return path.starts_with("slow") ? std::string(path) : std::string();
}

ssize_t write_slowly(int fd, const void* data, std::size_t size, off_t offset) {
    if (std::string name = slow_name(path_of(fd)); !name.empty()) {
        name += '\n';
        static_cast<void>(::write(log_fd, name.data(), name.size()));
        const timespec time{kSeconds, 0};
        if (::nanosleep(&time, nullptr) != 0) {
            return -1; // EINTR
        }
    }
    return ::syscall(SYS_pwrite64, fd, data, size, offset);
}

} // namespace

extern "C" ssize_t pwrite(int fd, const void* data, std::size_t size, off_t offset) {
    return write_slowly(fd, data, size, offset);
}

extern "C" ssize_t pwrite64(int fd, const void* data, std::size_t size, off64_t offset) {
    return write_slowly(fd, data, size, offset);
}
