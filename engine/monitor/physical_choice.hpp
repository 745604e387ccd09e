#pragma once

#include "cgroup/base/cgroup_id.hpp"
#include "cgroup/base/units.hpp"

#include <cstddef>
#include <vector>

namespace cgtide::monitor {

/// A container that physical regions would tell more of.
struct PhysicalNeed {
    CgroupId id;
    Bytes bytes;            ///< that would be seen
    std::size_t counts = 1; ///< one for each class of its pages
    bool is_watched = false;
};

/// Which of them are watched, and how often their pages are counted.
struct PhysicalChoice {
    std::vector<CgroupId> chosen; ///< rising
    Microseconds period{0};
};

/// Fewer are not worth a count.
inline constexpr Bytes kLeastCounted{8U << 20U};

/// Whether a container has too little: who is watched stays so down to half of kLeastCounted.
bool is_little(const PhysicalNeed& need);

/// A count looks at every page of the node's `memory`, so there are few and they are rare: those
/// with the most bytes first, and one that is watched stays so until another has twice as many.
/// docs/design/physical.md has the price and the bound. Pure.
PhysicalChoice choose_physical(std::vector<PhysicalNeed> needs, Bytes memory);

} // namespace cgtide::monitor
