#pragma once

#include "cgroup/base/cgroup_id.hpp"
#include "cgroup/base/units.hpp"
#include "cgroup/parse/flat.hpp"
#include "cgroup/parse/memory_stat.hpp"
#include "cgroup/parse/pressure.hpp"
#include "cgroup/parse/protection.hpp"
#include "engine/model/actuator.hpp"
#include "engine/model/homing.hpp"
#include "engine/model/idle.hpp"
#include "engine/model/placement.hpp"

#include <memory>
#include <optional>

namespace cgtide::model {

/// Everything that the engine knows of one container at one instant. A sensor that could not be
/// read, or was not, is nullopt, never a zero.
struct Snapshot {
    CgroupId id;
    TimePoint at{};
    Microseconds lived{0}; ///< since the engine first saw this container
    Bytes usage;           ///< memory.current
    std::optional<cgroup::MemoryStat> stat;
    std::optional<cgroup::Pressure> memory_pressure;
    std::optional<cgroup::Pressure> io_pressure;
    std::optional<cgroup::MemoryEvents> events;
    std::optional<Bytes> swap_usage; ///< memory.swap.current
    std::optional<Bytes>
        swap_limit; ///< the least of what memory.swap.max leaves it, ancestors included
    cgroup::Protection protection; ///< effective memory.min and memory.low
    bool frozen = false;
    bool has_nested = false;     ///< another registered container lives inside it
    bool has_lower_tier = false; ///< its cold memory goes to a lower tier, and is not paged out
    std::shared_ptr<const IdleView>
        idle;                           ///< none where no app asked for it or no sensor could tell
    std::optional<Placement> placement; ///< ... likewise
    std::optional<Homing> homing;       ///< none where no app asked for it
};

/// The node's memory by speed, in short: the fastest tier, and all others.
struct TierRoom {
    bool is_tiered = false; ///< there is something to choose between
    bool kernel_demotes =
        false; ///< an administrator has the kernel demote, and there are two tiers
    Bytes fast_total;
    Bytes fast_free;
    Bytes fast_reserve; ///< what is left free where containers want more than they had
    Bytes fast_floor;   ///< what is left free in any case
    Bytes fast_growth;  ///< what may come into it now, of all containers with `tier`
    Bytes slow_total;
    Bytes slow_free;
    Bytes slow_reserve;
};

/// What all containers share, read once for all of them.
struct NodeView {
    TimePoint at{};
    Bytes page_size = kibibytes(4); ///< what the kernel's page counters count
    Bytes memory_total;
    Bytes memory_available; ///< what could be had without swapping, as the kernel estimates it
    Bytes swap_total;
    Bytes swap_free;
    bool swappiness_key = false; ///< memory.reclaim takes `swappiness=`
    bool swappiness_max = false; ///< ... and `swappiness=max` (anonymous memory only)
    Actuators actuators;
    TierRoom tiers;
};

} // namespace cgtide::model
