#pragma once

#include "cgroup/base/dir.hpp"
#include "engine/act/interrupt.hpp"
#include "engine/model/decision.hpp"
#include "engine/model/snapshot.hpp"

namespace cgtide::act {

/// Bytes of one write: a write cannot be taken back, so it is kept short.
inline constexpr Bytes kAnonChunk = mebibytes(8);
inline constexpr Bytes kFileChunk = mebibytes(32);

/// What memory.reclaim of this kernel takes beside a number of bytes.
struct ReclaimSupport {
    bool reclaim = false;        ///< the file exists and may be written
    bool swappiness = false;     ///< `swappiness=60`
    bool swappiness_max = false; ///< `swappiness=max`: anonymous memory only
    std::string detail;          ///< what came back where something is missing
};

/// Finds out what memory.reclaim takes by asking `group` for 0 bytes, which reclaims nothing. Does
/// not block.
ReclaimSupport probe_reclaim(const Dir& group);

/// The text of one write: bytes, and `swappiness=` where the kind of pages needs it. Pure.
std::string reclaim_text(Bytes bytes, model::Pages pages, bool swappiness_key);

/// Asks a cgroup for `decision.ask` bytes through memory.reclaim, in chunks, until they have left,
/// the kernel gives less than asked (EAGAIN), `deadline` passes or `interrupt` stops it.
///
/// Blocks for 0.3 to 4 s a chunk on a slow machine: runs on the pool. Never fails: the outcome says
/// how it ended. Source: memory.reclaim and memory.current in
/// Documentation/admin-guide/cgroup-v2.rst.
model::Outcome reclaim(const Dir& group, const model::Decision& decision, bool swappiness_key,
                       Microseconds deadline, Interrupt& interrupt);

} // namespace cgtide::act
