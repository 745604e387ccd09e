#pragma once

#include "engine/apps/age_proof.hpp"
#include "engine/apps/reclaim_kinds.hpp"
#include "engine/model/app.hpp"

namespace cgtide::apps {

/// What of a container is proven cold, and how it can leave.
struct Cold {
    double bytes = 0.0;
    model::Actuator actuator = model::Actuator::memory_reclaim;
    model::Pages pages = model::Pages::all;
    bool is_stuck = false; ///< by address it did not leave
};

/// A container at one moment: its snapshot, its node, and what the law remembers of it.
struct ColdSite {
    const model::Snapshot& now;
    const model::NodeView& node;
    const model::ReclaimState& state;
};

/// What may leave at once: proven bytes of the allowed kinds that have not left since they were
/// counted and did not refuse to. Needs `now.stat`, and `now.idle` where ages are known. Pure.
Cold choose_cold(const ColdSite& site, const AgeProof& proof, const KindChoice& kinds);

} // namespace cgtide::apps
