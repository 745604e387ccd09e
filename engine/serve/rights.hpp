#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace cgtide::serve {

/// The group whose members may read.
inline constexpr std::string_view kReaderGroup = "cgtide";

/// Who is at the other end of a socket, as the kernel says.
struct Peer {
    uid_t uid = static_cast<uid_t>(-1);
    gid_t gid = static_cast<gid_t>(-1);
    std::vector<gid_t> groups; ///< supplementary ones, as of connect(2)
    pid_t pid = 0;
};

/// What a peer may do. Each includes those before it.
enum class Access : std::uint8_t {
    none, ///< nothing
    read, ///< counters, histograms and decisions
    all,  ///< everything
};

/// Root may do all, members of `group` may read, others nothing. nullopt: this node has no such
/// group.
Access access_of(const Peer& peer, std::optional<gid_t> group);

/// What a method asks of its caller, by full name. What is not known to be harmless is root's.
Access access_for(std::string_view method);

/// Who has it, for people: `root`, `root or group cgtide`.
std::string_view to_string(Access access);

} // namespace cgtide::serve
