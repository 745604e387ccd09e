#include "hook/run_dir.hpp"

#include "oci/record.hpp"

#include <cerrno>
#include <cstdio>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace cgtide::hook {

namespace {

/// Makes a folder with exactly this mode, whatever the runtime's umask; one that is there is fine.
Result<void> make_folder(const std::string& path, mode_t mode) {
    if (::mkdir(path.c_str(), mode) != 0) {
        if (errno == EEXIST) {
            return {};
        }
        return fail_errno(errno, "make folder", path);
    }
    if (::chmod(path.c_str(), mode) != 0) {
        return fail_errno(errno, "set the mode of", path);
    }
    return {};
}

Result<void> make_folders(const std::string& run_dir) {
    if (auto made = make_folder(run_dir, 0755); !made) {
        return made;
    }
    return make_folder(run_dir + "/" + std::string(oci::kContainersDir), 0700);
}

/// Opens a file for writing; the folders are only made where that fails, for they are there nearly
/// always.
Result<int> create(const std::string& run_dir, const std::string& path) {
    constexpr int kFlags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC;
    int fd = ::open(path.c_str(), kFlags, 0600);
    if (fd < 0 && errno == ENOENT) {
        if (auto made = make_folders(run_dir); !made) {
            return tl::unexpected(made.error());
        }
        fd = ::open(path.c_str(), kFlags, 0600);
    }
    if (fd < 0) {
        return fail_errno(errno, "create", path);
    }
    return fd;
}

Result<void> fill(int fd, std::string_view text, const std::string& path) {
    while (!text.empty()) {
        const ssize_t put = ::write(fd, text.data(), text.size());
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put < 0) {
            return fail_errno(errno, "write", path);
        }
        text.remove_prefix(static_cast<std::size_t>(put));
    }
    return {};
}

std::string path_of(const std::string& run_dir, const std::string& name) {
    return run_dir + "/" + std::string(oci::kContainersDir) + "/" + name;
}

} // namespace

Result<void> leave_record(const std::string& run_dir, const std::string& key,
                          std::string_view text) {
    const std::string path = path_of(run_dir, key + std::string(oci::kRecordSuffix));
    const std::string temporary =
        path_of(run_dir, "." + key + "." + std::to_string(::getpid()) + ".tmp");
    const auto fd = create(run_dir, temporary);
    if (!fd) {
        return tl::unexpected(fd.error());
    }
    auto done = fill(*fd, text, path);
    if (done && std::rename(temporary.c_str(), path.c_str()) != 0) {
        done = fail_errno(errno, "rename to", path);
    }
    if (!done) {
        ::unlink(temporary.c_str());
    }
    return done;
}

Result<void> leave_mark(const std::string& run_dir, const std::string& key) {
    const auto fd = create(run_dir, path_of(run_dir, key + std::string(oci::kStoppedSuffix)));
    if (!fd) {
        return tl::unexpected(fd.error());
    }
    return {};
}

} // namespace cgtide::hook
