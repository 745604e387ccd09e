#pragma once

#include "engine/damon/move_plan.hpp"
#include "engine/damon/slot.hpp"

#include <vector>

namespace cgtide::damon {

/// Physical memory, watched by a slot of the pool whose worker moves pages of one container at a
/// time between NUMA nodes, and tells no rounds. Every call blocks as the tree does, and gets the
/// same slot. What fails is in Applied.
///
/// One at a time, for an action resets the ages of regions that hold pages of all, and the kernel
/// keeps what it has charged to a quota with a scheme's index.
class MoveSlot {
public:
    /// Has the worker watch, or turns it off: it knows no ages before it has watched for that long.
    /// Ends what end() could not.
    void watch(Slot& slot, Ownership& ownership, const PoolOptions& options, bool wanted,
               Applied& applied);

    /// Has it move, all of it of one container, from now on until end() or, where that never comes,
    /// until the schemes end by themselves: see move_schemes(). Fails with `gone` while nothing is
    /// watched, and with `conflict` before the end of the one before.
    void begin(Slot& slot, Ownership& ownership, const PoolOptions& options,
               const std::vector<PhysicalMove>& moves, Applied& applied);

    /// Whether all that begin() asked for was tried, or its worker is not ours any more.
    bool is_over(Slot& slot, Ownership& ownership);

    /// Has it move nothing more. \returns bytes that it has moved since begin().
    std::uint64_t end(Slot& slot, Ownership& ownership, const PoolOptions& options,
                      Applied& applied);

private:
    void commit(Slot& slot, Ownership& ownership, const PoolOptions& options,
                const std::vector<PhysicalMove>& moves, Applied& applied);
    bool is_bare(const Slot& slot);
    static std::uint64_t stat(Tree& tree, const Slot& slot, std::size_t scheme, const char* name);

    std::size_t schemes_ = 0; ///< that the worker has
    bool is_wanted_ = false;  ///< whether it is to have them
    int worker_ = 0;          ///< whose they are
};

} // namespace cgtide::damon
