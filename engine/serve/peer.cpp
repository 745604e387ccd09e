#include "engine/serve/peer.hpp"

#include <cerrno>

#include <grp.h>
#include <sys/socket.h>

namespace cgtide::serve {

Result<Peer> peer_of(int socket) {
    ucred credentials{};
    socklen_t size = sizeof(credentials);
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
        return fail_errno(errno, "credentials of a peer", "SO_PEERCRED");
    }
    Peer peer{credentials.uid, credentials.gid, {}, credentials.pid};
    peer.groups.resize(32);
    for (;;) {
        auto bytes = static_cast<socklen_t>(peer.groups.size() * sizeof(gid_t));
        const int result =
            ::getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, peer.groups.data(), &bytes);
        // ERANGE tells the size that is needed.
        if (result != 0 && errno != ERANGE) {
            return fail_errno(errno, "credentials of a peer", "SO_PEERGROUPS");
        }
        peer.groups.resize(bytes / sizeof(gid_t));
        if (result == 0) {
            return peer;
        }
    }
}

std::optional<gid_t> group_id(const std::string& name) {
    std::string buffer(4096, '\0');
    group entry{};
    group* found = nullptr;
    while (::getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) == ERANGE) {
        buffer.resize(buffer.size() * 2);
    }
    return found == nullptr ? std::nullopt : std::optional(found->gr_gid);
}

} // namespace cgtide::serve
