#include "cgroup/base/dir.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace cgtide {

namespace {

// More than a page: memory.stat of many nodes comes in one piece.
constexpr std::size_t kChunk = 16384;

UniqueFd open_beneath(int dir, const std::string& name, int flags, unsigned mode) {
    open_how how{};
    how.flags = static_cast<__u64>(flags) | static_cast<__u64>(O_CLOEXEC);
    how.mode = mode;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
    return UniqueFd(static_cast<int>(
        ::syscall(SYS_openat2, dir, name.empty() ? "." : name.c_str(), &how, sizeof how)));
}

/// When a read that brings less than there was room for is the last.
enum class Ending { at_end_of_file, at_short_read };

Result<void> read_all(int fd, std::string& buffer, std::size_t limit, std::string_view name,
                      Ending ending = Ending::at_end_of_file) {
    // Not cleared first, and `buffer` gets what was read alone: clearing room for a page at each
    // read cost a sixth of what counters cost.
    std::array<char, kChunk> chunk; // NOLINT(*-member-init)
    for (;;) {
        const ssize_t got =
            ::pread(fd, chunk.data(), chunk.size(), static_cast<off_t>(buffer.size()));
        if (got < 0) {
            if (errno == EINTR) {
                continue;
            }
            const int value = errno;
            buffer.clear();
            return fail_errno(value, "read", std::string(name));
        }
        const auto count = static_cast<std::size_t>(got);
        buffer.append(chunk.data(), count);
        if (count == 0 || (ending == Ending::at_short_read && count < chunk.size())) {
            return {};
        }
        if (buffer.size() > limit) {
            buffer.clear();
            return fail(Errc::out_of_range, "read",
                        std::string(name) + ": larger than " + std::to_string(limit) + " bytes");
        }
    }
}

Result<void> write_all(int fd, std::string_view text, const std::string& name) {
    while (!text.empty()) {
        const ssize_t put = ::write(fd, text.data(), text.size());
        if (put < 0) {
            if (errno == EINTR) {
                continue;
            }
            return fail_errno(errno, "write", name);
        }
        text.remove_prefix(static_cast<std::size_t>(put));
    }
    return {};
}

} // namespace

Result<Dir> Dir::open(const std::string& path) {
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd) {
        return fail_errno(errno, "open directory", path);
    }
    return Dir(std::move(fd));
}

Result<Dir> Dir::sub(const std::string& name) const {
    UniqueFd fd = open_beneath(fd_.get(), name, O_RDONLY | O_DIRECTORY, 0);
    if (!fd) {
        return fail_errno(errno, "open directory", name);
    }
    return Dir(std::move(fd));
}

Result<UniqueFd> Dir::file(const std::string& name, int flags, unsigned mode) const {
    UniqueFd fd = open_beneath(fd_.get(), name, flags, mode);
    if (!fd) {
        return fail_errno(errno, "open", name);
    }
    return fd;
}

Result<std::string> Dir::read(const std::string& name, std::size_t limit) const {
    auto fd = file(name, O_RDONLY);
    if (!fd) {
        return tl::unexpected(fd.error());
    }
    std::string text;
    if (auto done = read_all(fd->get(), text, limit, name); !done) {
        return tl::unexpected(done.error());
    }
    return text;
}

Result<void> Dir::write(const std::string& name, std::string_view text) const {
    auto fd = file(name, O_WRONLY);
    if (!fd) {
        return tl::unexpected(fd.error());
    }
    const ssize_t put = ::write(fd->get(), text.data(), text.size());
    if (put < 0) {
        return fail_errno(errno, "write", name);
    }
    if (static_cast<std::size_t>(put) != text.size()) {
        return fail_errno(EIO, "write", name + ": cut short");
    }
    return {};
}

Result<void> Dir::replace(const std::string& name, std::string_view text) const {
    const std::string temporary = "." + name + "." + std::to_string(::getpid()) + ".tmp";
    auto fd = file(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (!fd) {
        return tl::unexpected(fd.error());
    }
    if (auto done = write_all(fd->get(), text, name); !done) {
        ::unlinkat(fd_.get(), temporary.c_str(), 0);
        return done;
    }
    if (::renameat(fd_.get(), temporary.c_str(), fd_.get(), name.c_str()) != 0) {
        const int value = errno;
        ::unlinkat(fd_.get(), temporary.c_str(), 0);
        return fail_errno(value, "rename", name);
    }
    return {};
}

Result<void> Dir::remove(const std::string& name) const {
    if (::unlinkat(fd_.get(), name.c_str(), 0) != 0 && errno != ENOENT) {
        return fail_errno(errno, "remove", name);
    }
    return {};
}

Result<std::vector<std::string>> Dir::list(bool only_dirs) const {
    // A second open file description: readdir moves the offset, and the held descriptor is shared.
    UniqueFd own = open_beneath(fd_.get(), ".", O_RDONLY | O_DIRECTORY, 0);
    if (!own) {
        return fail_errno(errno, "list", ".");
    }
    const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(own.get()), &::closedir);
    if (!stream) {
        return fail_errno(errno, "list", ".");
    }
    own.release();
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = ::readdir(stream.get())) {
        const std::string_view name = entry->d_name;
        if (name != "." && name != ".." && (!only_dirs || entry->d_type == DT_DIR)) {
            names.emplace_back(name);
        }
    }
    if (errno != 0) {
        return fail_errno(errno, "list", ".");
    }
    std::sort(names.begin(), names.end());
    return names;
}

Result<CgroupId> Dir::id() const {
    struct stat info {};
    if (::fstat(fd_.get(), &info) != 0) {
        return fail_errno(errno, "stat", ".");
    }
    return CgroupId{info.st_ino};
}

Result<void> read_again(int fd, std::string& buffer, std::string_view name) {
    constexpr std::size_t kLimit = 1U << 20U;
    buffer.clear();
    return read_all(fd, buffer, kLimit, name, Ending::at_short_read);
}

} // namespace cgtide
