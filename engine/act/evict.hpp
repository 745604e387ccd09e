#pragma once

#include "cgroup/base/dir.hpp"
#include "engine/act/interrupt.hpp"
#include "engine/damon/lru_gen.hpp"
#include "engine/model/cold_generations.hpp"
#include "engine/model/decision.hpp"

#include <optional>
#include <span>
#include <string_view>

namespace cgtide::act {

/// Bytes of one command: what others have made of the generations meanwhile is seen before the
/// next. A signal ends a command between two batches of the kernel.
inline constexpr Bytes kEvictionChunk = mebibytes(4);

/// Where a container's generations are found.
struct EvictionSite {
    const Dir& group;      ///< its cgroup
    std::string_view path; ///< v2 path of the cgroup
    damon::Mglru& kernel;  ///< nobody else's meanwhile
    bool anon_only = true; ///< what the kernel takes: see damon::EvictionSupport
};

/// The command for at most `pages` pages of `cold`, by what its generations are at this reading;
/// nullopt where no page of them may leave: those that are left are too young, or merged into one
/// that is not proven. Pure.
///
/// A kernel without `anon_only` goes on to page cache where the oldest generation has no anonymous
/// pages left. So it is asked for those of the oldest alone; what is above waits until a walk has
/// merged the page cache.
std::optional<damon::Eviction> next_eviction(const damon::LruGenerations& reading,
                                             const model::ColdGenerations& cold,
                                             std::uint64_t pages, bool anon_only);

/// Evicts `decision.ask` bytes of the anonymous pages of `cold`, cgroup by cgroup and node by node,
/// until memory.current has fallen by so much or so many have left their generations, all were
/// tried, `deadline` passes or `interrupt` stops it. Before each command it is looked at what the
/// generations are by then and whether the cgroup still is the one that was proven: reclaim of
/// others makes generations, too. Of a generation no more pages are asked for than were proven.
///
/// The outcome tells how many bytes were `found` there. Blocks for about 0.1 s a chunk on a slow
/// machine: runs on the pool. Never fails: the outcome says how it ended.
model::Outcome evict(const EvictionSite& site, const model::Decision& decision,
                     std::span<const model::ColdGenerations> cold, Microseconds deadline,
                     Interrupt& interrupt);

} // namespace cgtide::act
