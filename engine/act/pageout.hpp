#pragma once

#include "engine/act/cold_memory.hpp"
#include "engine/act/interrupt.hpp"
#include "engine/model/decision.hpp"

#include <span>
#include <string>

namespace cgtide::act {

/// Bytes of one call: it does not end at a signal, so it is kept short.
inline constexpr Bytes kPageoutChunk = mebibytes(4);

/// Whether MADV_PAGEOUT of another process's memory works here.
struct PageoutSupport {
    bool present = false;
    std::string detail; ///< what came back where it does not
};

/// Finds out by asking for nothing of this process. Does not block.
PageoutSupport probe_pageout();

/// Pages out `decision.ask` bytes of `spaces`, those idle longest first, until that many have left
/// their page tables, all were tried, `deadline` passes or `interrupt` stops it. Only pages that
/// are present now and of `decision.pages` are advised, and the kernel takes those alone that one
/// process maps. A process that has ended, or is another by now, is left out.
///
/// The outcome tells what was `found` (present and idle), what fell (`taken`, of memory.current)
/// and what is `stuck`: advised, and still present. Blocks for about 0.1 s a chunk on a slow
/// machine: runs on the pool. Never fails: the outcome says how it ended. Needs CAP_SYS_PTRACE and
/// CAP_SYS_NICE. Source: process_madvise(2), mm/madvise.c.
model::Outcome page_out(const PageoutSite& site, const model::Decision& decision,
                        std::span<const model::ColdSpace> spaces, Microseconds deadline,
                        Interrupt& interrupt);

} // namespace cgtide::act
