#pragma once

#include "cgroup/base/dir.hpp"
#include "engine/act/interrupt.hpp"
#include "engine/model/decision.hpp"

namespace cgtide::act {

/// Has the kernel demote `decision.ask` bytes of a cgroup's anonymous memory, by its own lists:
/// writes memory.reclaim with `swappiness=max`, as act::reclaim() does. Demotion is to be on, and
/// no swap to be there, for the same write fills it from the lowest tier.
///
/// Blocks as act::reclaim() does. Never fails: the outcome says how it ended; `taken` is what
/// memory.stat counts as demoted by such writes (pgdemote_proactive), other writers' included.
model::Outcome demote(const Dir& group, const model::Decision& decision, Microseconds deadline,
                      Interrupt& interrupt);

} // namespace cgtide::act
