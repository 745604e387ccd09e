#pragma once

#include "cgroup/parse/numa_maps.hpp"
#include "engine/act/cold_memory.hpp"
#include "engine/act/interrupt.hpp"
#include "engine/act/move_log.hpp"
#include "engine/model/decision.hpp"

#include <map>
#include <span>
#include <vector>

namespace cgtide::act {

/// Bytes of one call: it does not end at a signal, so it is kept short.
inline constexpr Bytes kMoveChunk = mebibytes(2);

/// Tells on which node pages are, and moves them. In the product move_pages(2).
class PageMover {
public:
    virtual ~PageMover() = default;

    /// As cgroup::page_nodes().
    virtual Result<void> where(int pid, std::span<const std::uint64_t> addresses,
                               std::span<int> nodes) = 0;

    /// Moves the pages that this process alone maps to `node`; where() tells what came of it.
    /// Blocks for some 2 us a page. \returns EACCES where the process's cpuset forbids the node,
    /// ENODEV where that has no memory, ENOMEM where it is full, `gone`, EPERM.
    virtual Result<void> move(int pid, std::span<const std::uint64_t> addresses, unsigned node) = 0;
};

/// The kernel's. Needs CAP_SYS_PTRACE for processes of other users.
class KernelMover final : public PageMover {
public:
    Result<void> where(int pid, std::span<const std::uint64_t> addresses,
                       std::span<int> nodes) override;
    Result<void> move(int pid, std::span<const std::uint64_t> addresses, unsigned node) override;
};

/// What of each address space its process places itself, as last looked: those pages stay.
struct OwnPlacements {
    /// How long a look is good for: it walks page tables, as slowly as a look for present pages.
    /// After a move in which nothing moved the next one looks anew.
    static constexpr Microseconds kGood{60'000'000};

    struct Look {
        TimePoint at{};
        std::vector<cgroup::OwnPlacement> ranges; ///< rising
    };
    std::map<SpaceId, Look> looks;
};

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
