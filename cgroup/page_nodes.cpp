#include "cgroup/page_nodes.hpp"

#include <algorithm>
#include <cerrno>
#include <string>

#include <sys/syscall.h>
#include <unistd.h>

namespace cgtide::cgroup {

static_assert(sizeof(std::uint64_t) == sizeof(void*), "addresses are passed as they are");

Result<void> page_nodes(int pid, std::span<const std::uint64_t> addresses, std::span<int> nodes) {
    const std::size_t count = std::min(addresses.size(), nodes.size());
    if (::syscall(SYS_move_pages, pid, count, addresses.data(), nullptr, nodes.data(), 0) < 0) {
        return fail_errno(errno, "move_pages", std::to_string(pid));
    }
    return {};
}

} // namespace cgtide::cgroup
