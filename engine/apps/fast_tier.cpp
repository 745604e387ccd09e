#include "engine/apps/fast_tier.hpp"

#include "engine/apps/tier.hpp"
#include "engine/apps/tier_shares.hpp"

#include <algorithm>
#include <iterator>
#include <vector>

namespace cgtide::apps {

namespace {

FastClaim claim_of(const Sharer& sharer, Bytes stays, Bytes fast_total) {
    const auto bounds = fast_bounds(sharer.policy->tier, fast_total);
    FastClaim claim;
    claim.low = bounds.low;
    claim.high = bounds.high;
    claim.weight = sharer.policy->profile.weight;
    model::HeatBytes slow = sharer.place->slow;
    slow[model::Heat::hot] = slow[model::Heat::hot] - sharer.place->shared_slow - stays;
    for (std::size_t i = 0; i < model::kHeats; ++i) {
        claim.heat.of.at(i) = sharer.place->fast.of.at(i) + slow.of.at(i);
    }
    return claim;
}

/// Nothing is kept beyond `high`.
FastUse use_of(const Sharer& sharer, Bytes stays, Bytes high) {
    const model::Placement& place = *sharer.place;
    const Bytes before = sharer.state != nullptr ? sharer.state->in_use.most() : Bytes{};
    const Bytes most = std::max(in_use(place.fast), before);
    const Bytes now = in_use(place.fast) + in_use(place.slow);
    return {.held = place.fast.sum(),
            .kept = std::min({most, high, now}),
            .wanted = place.promotable - stays};
}

Bytes share_among(std::span<const Sharer> sharers, const model::TierRoom& room, Bytes under_way,
                  TimePoint now) {
    std::vector<FastClaim> claims;
    std::vector<FastUse> uses;
    for (const Sharer& sharer : sharers) {
        const Bytes stays = sharer.state != nullptr ? immovable(*sharer.state, now) : Bytes{};
        claims.push_back(claim_of(sharer, stays, room.fast_total));
        uses.push_back(use_of(sharer, stays, claims.back().high));
    }
    FastRoom fast{.total = room.fast_total,
                  .free = room.fast_free,
                  .reserve = room.fast_reserve,
                  .floor = room.fast_floor};
    const auto shares = share_fast(claims, fast_capacity(fast, uses));
    fast.free = fast.free - under_way; // it has not been taken yet
    const auto rooms = fast_rooms(fast, uses);
    Bytes all;
    for (std::size_t i = 0; i < sharers.size(); ++i) {
        sharers[i].place->target = shares[i];
        sharers[i].place->room = rooms[i];
        all = all + rooms[i];
    }
    return all;
}

} // namespace

Bytes share_fast_tier(std::span<const Sharer> sharers, const model::TierRoom& room, Bytes under_way,
                      TimePoint now) {
    std::vector<Sharer> real;
    std::copy_if(sharers.begin(), sharers.end(), std::back_inserter(real),
                 [](const Sharer& sharer) { return !sharer.policy->dry_run; });
    if (real.size() < sharers.size()) {
        share_among(sharers, room, under_way, now);
    }
    return share_among(real, room, under_way, now);
}

} // namespace cgtide::apps
