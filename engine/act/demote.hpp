#pragma once

#include "cgroup/base/dir.hpp"
#include "cgroup/parse/memory_stat.hpp"
#include "engine/act/interrupt.hpp"
#include "engine/model/decision.hpp"

namespace cgtide::act {

/// What came of demote().
struct Demotion {
    model::Outcome outcome; ///< `taken`: what was demoted
    Bytes dropped;          ///< what left memory instead: dropped, or swapped out
};

/// What memory.reclaim did between two looks at its counts, in pages of `page` bytes. A request
/// that the kernel took as done has demoted all that was not dropped, though the counts may not
/// tell yet: on machines with many CPUs they are late. Pure.
Demotion demotion(model::Outcome outcome, const cgroup::ProactiveReclaim& before,
                  const cgroup::ProactiveReclaim& after, Bytes page);

/// Has the kernel demote `decision.ask` bytes of a cgroup's anonymous memory, by its own lists:
/// writes memory.reclaim with `swappiness=max`, as act::reclaim() does. Demotion is to be on, and
/// no swap to be there, for the same write fills it from the lower tier. The kernel's shrinkers run
/// too.
///
/// Blocks as act::reclaim() does. Never fails: the outcome says how it ended, `failed` with EIO
/// where this kernel does not count what it demotes. Source: pgdemote_proactive and
/// pgsteal_proactive of memory.stat, other writers' included.
Demotion demote(const Dir& group, const model::Decision& decision, Microseconds deadline,
                Interrupt& interrupt);

} // namespace cgtide::act
