#include "engine/serve/listener.hpp"

#include <cerrno>
#include <cstring>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace cgtide::serve {

namespace {

constexpr std::string_view kOp = "listen at";
constexpr int kBacklog = 128;

UniqueFd unix_socket() {
    return UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

/// Makes room at `path`: a socket without a listener is what a killed engine leaves.
Result<void> clear_stale(const std::string& path, const sockaddr_un& address) {
    struct stat found {};
    if (::lstat(path.c_str(), &found) != 0) {
        return {};
    }
    if (!S_ISSOCK(found.st_mode)) {
        return fail(Errc::conflict, kOp, path + ": something that is no socket stands there");
    }
    const UniqueFd probe = unix_socket();
    if (!probe) {
        return fail_errno(errno, kOp, path);
    }
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);
    if (::connect(probe.get(), generic, sizeof(address)) == 0 || errno != ECONNREFUSED) {
        return fail(Errc::conflict, kOp, path + ": another engine answers there");
    }
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
        return fail_errno(errno, kOp, path + ": removing a stale socket");
    }
    return {};
}

} // namespace

Result<Listener> Listener::bind(const std::string& path, std::optional<gid_t> group) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof(address.sun_path)) {
        return fail(Errc::out_of_range, kOp,
                    path + " (a socket's path has 1 to " +
                        std::to_string(sizeof(address.sun_path) - 1) + " bytes)");
    }
    std::memcpy(static_cast<char*>(address.sun_path), path.data(), path.size());
    if (auto cleared = clear_stale(path, address); !cleared) {
        return tl::unexpected(std::move(cleared.error()));
    }
    UniqueFd fd = unix_socket();
    // bind(2) takes the file's mode from the socket's inode: there is no moment in which the file
    // is open to more than it should be.
    if (!fd || ::fchmod(fd.get(), S_IRUSR | S_IWUSR) != 0 ||
        ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
        return fail_errno(errno, kOp, path);
    }
    Listener listener(std::move(fd), path);
    struct stat made {};
    if (::lstat(path.c_str(), &made) != 0) {
        return fail_errno(errno, kOp, path);
    }
    listener.device_ = made.st_dev;
    listener.inode_ = made.st_ino;
    constexpr mode_t kShared = S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP;
    if (group && (::lchown(path.c_str(), static_cast<uid_t>(-1), *group) != 0 ||
                  ::chmod(path.c_str(), kShared) != 0)) {
        return fail_errno(errno, kOp, path + ": giving it to the group");
    }
    if (::listen(listener.fd(), kBacklog) != 0) {
        return fail_errno(errno, kOp, path);
    }
    return listener;
}

Result<Listener> Listener::adopt(UniqueFd fd) {
    int listening = 0;
    socklen_t size = sizeof(listening);
    if (::getsockopt(fd.get(), SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0) {
        return fail_errno(errno, "take an inherited socket", std::to_string(fd.get()));
    }
    if (listening == 0) {
        return fail(Errc::malformed, "take an inherited socket",
                    std::to_string(fd.get()) + ": it does not listen");
    }
    return Listener(std::move(fd), {});
}

Listener::~Listener() {
    struct stat found {};
    if (!path_.empty() && ::lstat(path_.c_str(), &found) == 0 && found.st_dev == device_ &&
        found.st_ino == inode_) {
        ::unlink(path_.c_str());
    }
}

} // namespace cgtide::serve
