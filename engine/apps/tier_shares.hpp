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

/// So long the room of hot memory that has left the fastest tier is kept for what takes its place:
/// a hot set that moves is idle for a while before it makes room.
inline constexpr Microseconds kKeepRoom{60'000'000};

/// The greatest value of the last one to two windows of time.
class RecentMost {
public:
    explicit RecentMost(Microseconds window) : window_(window) {}

    /// Takes a value. `now` does not go back.
    void see(Bytes value, TimePoint now);
    Bytes most() const { return std::max(now_, before_); }

private:
    Microseconds window_;
    TimePoint since_{}; ///< begin of this window
    Bytes now_;         ///< of this window
    Bytes before_;      ///< of the one before
};

/// What of the fastest tier is free, and what containers with `tier` have of it.
struct FastRoom {
    Bytes total;
    Bytes free;
    Bytes reserve; ///< left free where containers want more
    Bytes floor;   ///< left free in any case; not over `reserve`
    Bytes held;    ///< by all containers together
    Bytes kept;    ///< hot of that, the most of lately
};

/// What containers may have of the fastest tier together. The reserve is kept from their growth:
/// once others have taken it, nothing hot leaves to make it anew, and what changes places with what
/// was hot has the same room, as long as the floor stays free. Pure.
Bytes fast_capacity(const FastRoom& room);

/// Shares `capacity` out. Hotter memory comes first, whoever it belongs to; among equally hot
/// memory first that which is under its owner's `low`, then the rest, by weight. So what one does
/// not fill is lent to who has hotter memory, and comes back to its owner with the owner's heat;
/// nobody gets more than `high`, or than it has; together they never get more than there is; nobody
/// is under its low while another that is over its own holds colder memory; equal claims get equal
/// shares, to a byte a claim. Pure. Order is that of the claims.
std::vector<Bytes> share_fast(std::span<const FastClaim> claims, Bytes capacity);

} // namespace cgtide::apps
