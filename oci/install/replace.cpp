#include "oci/install/replace.hpp"

#include <cerrno>
#include <cstdio>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace cgtide::install {

namespace {

Result<void> fill(int fd, const struct stat& like, std::string_view text, const std::string& name) {
    while (!text.empty()) {
        const ssize_t put = ::write(fd, text.data(), text.size());
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put < 0) {
            return fail_errno(errno, "write", name);
        }
        text.remove_prefix(static_cast<std::size_t>(put));
    }
    if (::fchown(fd, like.st_uid, like.st_gid) != 0) {
        return fail_errno(errno, "keep the owner of", name);
    }
    constexpr mode_t kPermissions = 07777;
    if (::fchmod(fd, like.st_mode & kPermissions) != 0) {
        return fail_errno(errno, "keep the mode of", name);
    }
    if (::fsync(fd) != 0) {
        return fail_errno(errno, "sync", name);
    }
    return {};
}

} // namespace

Result<void> replace_keeping(const Dir& dir, const std::string& name, std::string_view text) {
    const auto old = dir.file(name, O_RDONLY);
    if (!old) {
        return tl::unexpected(old.error());
    }
    struct stat like {};
    if (::fstat(old->get(), &like) != 0) {
        return fail_errno(errno, "stat", name);
    }
    const std::string temporary = "." + name + "." + std::to_string(::getpid()) + ".tmp";
    const auto fresh = dir.file(temporary, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (!fresh) {
        return tl::unexpected(fresh.error());
    }
    auto done = fill(fresh->get(), like, text, name);
    if (done && ::renameat(dir.fd(), temporary.c_str(), dir.fd(), name.c_str()) != 0) {
        done = fail_errno(errno, "rename", name);
    }
    if (!done) {
        ::unlinkat(dir.fd(), temporary.c_str(), 0);
    }
    return done;
}

} // namespace cgtide::install
