#pragma once

#include "cgroup/base/result.hpp"
#include "engine/serve/rights.hpp"

#include <optional>
#include <string>

namespace cgtide::serve {

/// Who connected a Unix socket, by SO_PEERCRED and SO_PEERGROUPS. Does not block.
Result<Peer> peer_of(int socket);

/// The id of a group by name; nullopt where there is none. Blocks: reads the system's databases.
std::optional<gid_t> group_id(const std::string& name);

} // namespace cgtide::serve
