#pragma once

#include "engine/model/app.hpp"

#include <span>

namespace cgtide::apps {

/// A container that takes part in the fastest tier.
struct Sharer {
    const model::Policy* policy = nullptr;
    const model::TierState* state = nullptr; ///< none before its first step
    model::Placement* place = nullptr;       ///< where its memory is; `target` and `room` are set
};

/// Tells each what of the fastest tier is its own, and how much may come into it now, where moves
/// that are under way will take `under_way`. Hot memory that cannot come (of several processes, or
/// tried in vain) claims nothing: nobody is to make room for it. A dry run is told what it would
/// have, and takes it from nobody. Pure but for the places.
///
/// \returns what may come into the tier now, of all who do not run dry.
Bytes share_fast_tier(std::span<const Sharer> sharers, const model::TierRoom& room, Bytes under_way,
                      TimePoint now);

} // namespace cgtide::apps
