#pragma once

#include "cgroup/base/units.hpp"

#include <span>

namespace cgtide::cgroup {

/// One cgroup on the way from the root's child to a container.
struct ProtectionLevel {
    Bytes usage;
    Bytes min;
    Bytes low;
    /// Sums over this cgroup and its siblings of min(protection, usage): what the parent's
    /// protection is shared between. Only read where the parent's is not 0.
    Bytes siblings_min;
    Bytes siblings_low;
    /// The parent's memory.current: unclaimed protection of the parent is shared by usage. Only
    /// read where the parent's protection is not 0.
    Bytes parent_usage;
};

/// memory.min and memory.low as they hold in effect.
struct Protection {
    Bytes min;
    Bytes low;
};

/// Effective protection of the last level, by the kernel's rule over all ancestors; `recursive` is
/// the mount option memory_recursiveprot. Source: effective_protection() in mm/page_counter.c
/// (mm/memcontrol.c before 6.11).
Protection effective_protection(std::span<const ProtectionLevel> levels, bool recursive);

} // namespace cgtide::cgroup
