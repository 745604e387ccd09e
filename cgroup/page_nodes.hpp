#pragma once

#include "cgroup/base/result.hpp"

#include <cstdint>
#include <span>

namespace cgtide::cgroup {

/// On which NUMA node the pages at these addresses of a process are: its number, or below 0 where
/// nothing is there (-ENOENT), or the zero page is (-EFAULT). Both spans have one length. Blocks
/// while the process holds its mmap lock; about 0.2 us a page. `pid` must be known to be whom it is
/// taken for.
///
/// \returns `gone` where there is no such process; EPERM without the right to ptrace(2) it; ENOSYS
/// where the kernel has no NUMA.
/// Source: move_pages(2) without nodes.
Result<void> page_nodes(int pid, std::span<const std::uint64_t> addresses, std::span<int> nodes);

} // namespace cgtide::cgroup
