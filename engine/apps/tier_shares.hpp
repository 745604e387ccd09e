#pragma once

#include "engine/model/placement.hpp"

#include <span>
#include <vector>

namespace cgtide::apps {

/// What one container wants of the fastest tier.
struct FastClaim {
    Bytes low;                     ///< protected, as far as it has memory to fill it
    Bytes high{Bytes::kUnlimited}; ///< bound; not under `low`
    double weight = 1.0;           ///< over 0: how what is left is shared
    model::HeatBytes heat; ///< of all its memory, wherever it is; cold memory claims nothing
};

/// Shares `capacity` out. Hotter memory comes first, whoever it belongs to; among equally hot
/// memory first that which is under its owner's `low`, then the rest, by weight. So what one does
/// not fill is lent to who has hotter memory, and comes back to its owner with the owner's heat;
/// nobody gets more than `high`, or than it has; together they never get more than there is; nobody
/// is under its low while another that is over its own holds colder memory; equal claims get equal
/// shares, to a byte a claim. Pure. Order is that of the claims.
std::vector<Bytes> share_fast(std::span<const FastClaim> claims, Bytes capacity);

} // namespace cgtide::apps
