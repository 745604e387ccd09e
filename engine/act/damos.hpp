#pragma once

#include "engine/act/cold_memory.hpp"
#include "engine/model/decision.hpp"

#include <span>
#include <vector>

namespace cgtide::act {

/// Ranges of one portion at most: each is a filter of DAMON's, and may cut a region in three.
inline constexpr std::size_t kMostRanges = 32;

/// Over a smaller gap without wanted pages two ranges are one; and where cold ranges touch, a
/// smaller one is as old as its neighbour.
inline constexpr std::uint64_t kJoinedGap = 256U << 10U;

/// What of a container's cold memory DAMON's workers are to page out.
struct Portion {
    std::vector<model::ColdSpace> spaces; ///< with these ranges alone
    Bytes bytes;                          ///< present in them
    Bytes found; ///< present in all that was cold, and at most what was asked for
};

/// Chooses ranges of `spaces`, those idle longest first, that hold `decision.ask` bytes of the
/// wanted kind: a scheme's quota counts addresses, be they present or not, so that ranges follow
/// the pages that are present now. Ranges that hold less than their share come last, for there may
/// be kMostRanges only. A process that has ended, or is another by now, is left out.
///
/// \returns EACCES without CAP_SYS_PTRACE. Does not block for long: about 1.5 ms for 100 MiB.
Result<Portion> choose_portion(const PageoutSite& site, const model::Decision& decision,
                               std::span<const model::ColdSpace> spaces);

/// How much of the wanted kind is present in these ranges; what cannot be told is not. As long as
/// choose_portion().
Bytes present_in(const PageoutSite& site, std::span<const model::ColdSpace> spaces,
                 model::Pages pages);

} // namespace cgtide::act
