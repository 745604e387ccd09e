#pragma once

#include "engine/model/placement.hpp"

#include <algorithm>
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

/// So long the room of memory that was in use in the fastest tier is kept for what takes its place,
/// and for two periods at least.
inline constexpr Microseconds kKeepRoom{60'000'000};

/// What was in use within the last minute. Pure.
inline Bytes in_use(const model::HeatBytes& memory) {
    return memory[model::Heat::hot] + memory[model::Heat::warm];
}

/// What of the fastest tier is free.
struct FastRoom {
    Bytes total;
    Bytes free;
    Bytes reserve; ///< left free where containers want more than they had
    Bytes floor;   ///< left free in any case; not over `reserve`
};

/// What one container has of the fastest tier.
struct FastUse {
    Bytes held;
    Bytes kept;   ///< what was in use there lately, as far as as much is in use now, wherever it is
    Bytes wanted; ///< hot in slower memory

    /// What may take the place of what it had.
    Bytes owed() const { return std::min(kept - held, wanted); }
};

/// What containers may have of the fastest tier together: the reserve is kept from growth. Once
/// others have taken it, nothing that was in use lately leaves to make it anew, and what changes
/// places with that has the same room, as long as the floor stays free. Pure.
Bytes fast_capacity(const FastRoom& room, std::span<const FastUse> uses);

/// What may come into the fastest tier now, of each container: what it is owed, as far as the floor
/// stays free, and a part of what is free over the reserve after that. Together that is never more
/// than is free over the floor, and beyond what is owed never more than over the reserve. Pure.
std::vector<Bytes> fast_rooms(const FastRoom& room, std::span<const FastUse> uses);

/// Shares `capacity` out. Hotter memory comes first, whoever it belongs to; among equally hot
/// memory first that which is under its owner's `low`, then the rest, by weight. So what one does
/// not fill is lent to who has hotter memory, and comes back to its owner with the owner's heat;
/// nobody gets more than `high`, or than it has; together they never get more than there is; nobody
/// is under its low while another that is over its own holds colder memory; equal claims get equal
/// shares, to a byte a claim. Pure. Order is that of the claims.
std::vector<Bytes> share_fast(std::span<const FastClaim> claims, Bytes capacity);

} // namespace cgtide::apps
