#pragma once

#include "cgroup/base/result.hpp"

#include <cstdint>
#include <span>

namespace cgtide::act {

/// Tells on which node pages are, and moves them. In the product move_pages(2).
class PageMover {
public:
    virtual ~PageMover() = default;

    /// As cgroup::page_nodes().
    virtual Result<void> where(int pid, std::span<const std::uint64_t> addresses,
                               std::span<int> nodes) = 0;

    /// Moves the pages that this process alone maps to `node`; where() tells what came of it.
    /// Blocks for some 2 us a page. \returns EACCES where the process's cpuset forbids the node,
    /// ENODEV where that has no memory, ENOMEM where it is full, `gone`, EPERM.
    virtual Result<void> move(int pid, std::span<const std::uint64_t> addresses, unsigned node) = 0;
};

/// The kernel's. Needs CAP_SYS_PTRACE for processes of other users.
class KernelMover final : public PageMover {
public:
    Result<void> where(int pid, std::span<const std::uint64_t> addresses,
                       std::span<int> nodes) override;
    Result<void> move(int pid, std::span<const std::uint64_t> addresses, unsigned node) override;
};

/// Whether pages stayed because their target is full, by what move_pages(2) returned and the status
/// of each. Pure. Source: since Linux 4.17 the number of pages that stayed comes back, and why
/// stands in their status.
bool found_no_room(long stayed, std::span<const int> status);

} // namespace cgtide::act
