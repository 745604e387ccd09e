#include "tests/vm/workload/places.hpp"

#include <algorithm>
#include <cerrno>

#include <sys/syscall.h>
#include <unistd.h>

namespace cgtide::workload {

namespace {

// From linux/mempolicy.h.
constexpr int kDefault = 0;
constexpr int kPreferred = 1;

} // namespace

Result<void> prefer_node(std::optional<unsigned> node) {
    const unsigned long mask = node ? 1UL << *node : 0UL;
    const long done = ::syscall(SYS_set_mempolicy, node ? kPreferred : kDefault,
                                node ? &mask : nullptr, node ? 8 * sizeof(mask) : 0UL);
    return done == 0 ? Result<void>() : fail_errno(errno, "set_mempolicy", "");
}

Result<NodeBytes> Places::look(const Mapping& mapping, Nanoseconds now) {
    const auto bytes = mapping.bytes();
    const std::size_t count = bytes.size() / kPageBytes;
    std::vector<void*> addresses(count);
    for (std::size_t i = 0; i < count; ++i) {
        addresses[i] = bytes.data() + i * kPageBytes;
    }
    std::vector<int> nodes(count, -1);
    if (count > 0 &&
        ::syscall(SYS_move_pages, 0, count, addresses.data(), nullptr, nodes.data(), 0) < 0) {
        return fail_errno(errno, "move_pages", "");
    }
    std::vector<Page>& pages = ranges_[bytes.data()];
    pages.resize(count);
    NodeBytes sums;
    for (std::size_t i = 0; i < count; ++i) {
        if (nodes[i] < 0) {
            pages[i].node = -1; // it is out: where it comes back to is no move
            continue;
        }
        const auto node = static_cast<std::size_t>(nodes[i]);
        sums.resize(std::max(sums.size(), node + 1));
        sums[node] = sums[node] + Bytes{kPageBytes};
        Page& page = pages[i];
        if (page.node >= 0 && page.node != nodes[i]) {
            moved_ = moved_ + Bytes{kPageBytes};
            thrashed_ = thrashed_ + Bytes{now - page.moved < kThrash ? kPageBytes : 0};
            page.moved = now;
        }
        page.node = nodes[i];
    }
    return sums;
}

} // namespace cgtide::workload
