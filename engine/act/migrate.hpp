#pragma once

#include "engine/act/cold_memory.hpp"
#include "engine/act/interrupt.hpp"
#include "engine/act/move_log.hpp"
#include "engine/act/own_placement.hpp"
#include "engine/act/page_mover.hpp"
#include "engine/model/decision.hpp"

#include <map>
#include <span>
#include <vector>

namespace cgtide::act {

/// Bytes of one call: it does not end at a signal, so it is kept short.
inline constexpr Bytes kMoveChunk = mebibytes(2);

/// What a container's moves remember. One request at a time uses it.
struct MoveMemory {
    MoveLog log;
    OwnPlacements own;
};

/// Where pages should go.
struct MoveTargets {
    std::map<unsigned, std::vector<unsigned>> of; ///< of each node, by preference; others' stay
    std::map<unsigned, Bytes> room{}; ///< what a target takes at most; none: as much as it can
};

/// Moves `decision.ask` bytes of `spaces` between nodes: for a demotion those idle longest first,
/// else those in use for longest, until that many have moved, all were tried, `deadline`
/// passes or `interrupt` stops it. What was moved a moment ago, or stayed, by `memory`'s log,
/// and what a process places itself (mbind(2), set_mempolicy(2)) is left alone. A process that has
/// ended, or is another by now, is left out: its number is checked before each call, and names it
/// by a descriptor that is held. Who gets the number between the check and the call would have
/// pages at the same addresses moved, and nothing else.
///
/// The outcome tells what was `found` (present on a node of `targets`, and not moved lately), what
/// moved (`taken`), what of that had moved the other way lately (`returned`) and what is `stuck`.
/// Blocks for milliseconds a chunk: runs on the pool. Never fails: the outcome says how it ended.
model::Outcome migrate(const PageoutSite& site, const model::Decision& decision,
                       std::span<const model::ColdSpace> spaces, const MoveTargets& targets,
                       PageMover& mover, MoveMemory& memory, Microseconds deadline,
                       Interrupt& interrupt);

} // namespace cgtide::act
