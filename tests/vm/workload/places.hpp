#pragma once

#include "cgroup/base/units.hpp"
#include "tests/vm/workload/memory.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace cgtide::workload {

/// Bytes of a range by NUMA node; what is not in memory is left out.
using NodeBytes = std::vector<Bytes>;

/// Has pages that are touched from now on come from one node, as long as it has some; nullopt: from
/// wherever the kernel takes them. Source: set_mempolicy(2), MPOL_PREFERRED.
Result<void> prefer_node(std::optional<unsigned> node);

/// On which node each page of this process's memory is, and how often pages go to another.
class Places {
public:
    /// A page that moves again within this time thrashes.
    static constexpr Nanoseconds kThrash{10'000'000'000};

    /// Looks at a range, which is always the same for one address. About 0.3 us a page.
    Result<NodeBytes> look(const Mapping& mapping, Nanoseconds now);

    /// Bytes of pages that were on another node at the look before, all in all.
    Bytes moved() const { return moved_; }

    /// ... and of those that had moved within kThrash before.
    Bytes thrashed() const { return thrashed_; }

private:
    struct Page {
        int node = -1;
        Nanoseconds moved{Nanoseconds::min() / 2};
    };

    std::map<const std::byte*, std::vector<Page>> ranges_; ///< by their begin
    Bytes moved_;
    Bytes thrashed_;
};

} // namespace cgtide::workload
