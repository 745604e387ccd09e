#include "engine/act/page_mover.hpp"

#include "cgroup/page_nodes.hpp"

#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

#include <sys/syscall.h>
#include <unistd.h>

namespace cgtide::act {

namespace {

/// From linux/mempolicy.h, which does not go with the C library's headers.
constexpr int kMoveOwn = 1 << 1; // MPOL_MF_MOVE

} // namespace

bool found_no_room(long stayed, std::span<const int> status) {
    return stayed > 0 && std::find(status.begin(), status.end(), -ENOMEM) != status.end();
}

Result<void> KernelMover::where(int pid, std::span<const std::uint64_t> addresses,
                                std::span<int> nodes) {
    return cgroup::page_nodes(pid, addresses, nodes);
}

Result<void> KernelMover::move(int pid, std::span<const std::uint64_t> addresses, unsigned node) {
    const std::vector<int> nodes(addresses.size(), static_cast<int>(node));
    std::vector<int> status(addresses.size());
    const long left = ::syscall(SYS_move_pages, pid, addresses.size(), addresses.data(),
                                nodes.data(), status.data(), kMoveOwn);
    if (left < 0) {
        return fail_errno(errno, "move_pages",
                          std::to_string(pid) + " to node " + std::to_string(node));
    }
    if (found_no_room(left, status)) {
        return fail_errno(ENOMEM, "move_pages",
                          std::to_string(pid) + " to node " + std::to_string(node));
    }
    return {};
}

} // namespace cgtide::act
