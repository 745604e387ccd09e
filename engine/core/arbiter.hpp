#pragma once

#include "cgroup/base/cgroup_id.hpp"
#include "engine/model/decision.hpp"

#include <functional>
#include <vector>

namespace cgtide::core {

/// What the node allows all containers together.
struct Allowance {
    bool paused = false;                ///< nobody may ask for anything: every request is `paused`
    Microseconds cpu_debt{0};           ///< CPU that reclaim has used beyond its share: while there
                                        ///< is any every request is `budget`
    BasisPoints cpu_share{};            ///< ... which is this of one processor
    Bytes room{Bytes::kUnlimited};      ///< bytes that may be asked for now
    Bytes swap_room{Bytes::kUnlimited}; ///< ... by requests that may take anonymous memory
    Bytes swap_free{Bytes::kUnlimited}; ///< swap that these share, its reserve left out
    Bytes fast_room{Bytes::kUnlimited}; ///< of the fastest memory tier, for moves into it
    Bytes slow_room{Bytes::kUnlimited}; ///< of the others, for moves out of it
};

/// How a container stands when its request is settled.
struct Standing {
    bool is_busy = false;        ///< a request of it is under way
    bool is_dry_run = false;     ///< nothing leaves it: it takes nothing from others
    bool has_lower_tier = false; ///< what is cold in it is demoted, and so not paged out
    Microseconds waited{0};      ///< since its requests are turned away because of others
};

/// Settles what concerns several decisions at once. Nobody asks while the node is paused; a
/// container has one request under way at a time (a further one is `busy`), and of two requests for
/// one container in one period the first stands; nothing leaves memory that can go to a lower tier
/// (`lower-tier`; of page cache that no process maps its law has seen to it), and moves between
/// tiers share the room of where they go (`tier-full`), and take nothing else of what is shared;
/// those that may take anonymous memory share the free swap (`no-swap`), and all share the node's
/// budget (`budget`), as share_out() does. A dry run has no part in what is shared. What is refused
/// comes back with an ask of 0 and the reason, what is cut with the ask that is left. Order is
/// kept. Pure.
std::vector<model::Decision> arbitrate(std::vector<model::Decision> decisions,
                                       const std::function<Standing(CgroupId)>& standing_of,
                                       const Allowance& allowance);

/// How long a request may wait for a thread, in periods: what it was decided by has passed then.
inline constexpr int kMostWait = 2;

/// How long a request that was decided at `decided` may work, where a thread takes it at `now`: a
/// period, or not at all where it has waited for more than kMostWait of them. Pure.
Microseconds time_to_work(TimePoint decided, TimePoint now, Microseconds period);

} // namespace cgtide::core
