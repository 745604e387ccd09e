#include "engine/apps/tier_shares.hpp"

#include <algorithm>
#include <numeric>

namespace cgtide::apps {

namespace {

using model::Heat;

/// What one claim may still get of a kind.
struct Want {
    Bytes most;
    double weight = 1.0;
};

/// Pours `room` over the wants, each rising with its weight until it is full. \returns what each
/// got; takes it from `room`.
std::vector<Bytes> pour(const std::vector<Want>& wants, Bytes& room) {
    std::vector<Bytes> got(wants.size());
    std::vector<std::size_t> order(wants.size());
    std::iota(order.begin(), order.end(), 0U);
    // Who is full first: what it leaves of its part is the others'.
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return static_cast<double>(wants[a].most.count) * wants[b].weight <
               static_cast<double>(wants[b].most.count) * wants[a].weight;
    });
    std::vector<double> weights(order.size() + 1); // of this one and those after it
    for (std::size_t i = order.size(); i > 0; --i) {
        weights[i - 1] = weights[i] + wants[order[i - 1]].weight;
    }
    Bytes left = room;
    for (std::size_t i = 0; i < order.size(); ++i) {
        const Want& want = wants[order[i]];
        if (want.most.count == 0) {
            continue;
        }
        // All that is left is the last one's: a rounding must not keep it.
        const double part = static_cast<double>(left.count) *
                            (i + 1 == order.size() ? 1.0 : want.weight / weights[i]);
        got[order[i]] = std::min({want.most, Bytes{static_cast<std::uint64_t>(part)}, left});
        left = left - got[order[i]];
    }
    room = left;
    return got;
}

} // namespace

Bytes fast_capacity(const FastRoom& room, std::span<const FastUse> uses) {
    Bytes held;
    Bytes kept;
    for (const FastUse& use : uses) {
        held = held + use.held;
        kept = kept + use.kept;
    }
    const Bytes without_others = std::min(held + room.free, room.total);
    return std::max(without_others - room.reserve, std::min(kept, held + (room.free - room.floor)));
}

std::vector<Bytes> fast_rooms(const FastRoom& room, std::span<const FastUse> uses) {
    std::vector<Want> owed;
    std::uint64_t growing = 0;
    for (const FastUse& use : uses) {
        owed.push_back({use.owed()});
        growing += use.wanted > use.owed() ? 1 : 0;
    }
    const Bytes over_floor = room.free - room.floor;
    Bytes left = over_floor;
    std::vector<Bytes> rooms = pour(owed, left);
    const Bytes spare = room.free - room.reserve - (over_floor - left);
    for (std::size_t i = 0; i < rooms.size(); ++i) {
        if (uses[i].wanted > uses[i].owed()) {
            rooms[i] = rooms[i] + Bytes{spare.count / growing};
        }
    }
    return rooms;
}

std::vector<Bytes> share_fast(std::span<const FastClaim> claims, Bytes capacity) {
    std::vector<Bytes> shares(claims.size());
    Bytes room = capacity;
    for (const Heat heat : {Heat::hot, Heat::warm, Heat::cool}) {
        std::vector<Bytes> poured(claims.size());
        for (const bool is_protected : {true, false}) {
            std::vector<Want> wants;
            for (std::size_t i = 0; i < claims.size(); ++i) {
                const FastClaim& claim = claims[i];
                const Bytes bound = (is_protected ? claim.low : claim.high) - shares[i];
                const Bytes most = std::min(claim.heat[heat] - poured[i], bound);
                // What is protected and does not fit is cut alike for all, whatever their weights.
                wants.push_back(
                    {most, is_protected ? static_cast<double>(most.count) : claim.weight});
            }
            const std::vector<Bytes> got = pour(wants, room);
            for (std::size_t i = 0; i < claims.size(); ++i) {
                shares[i] = shares[i] + got[i];
                poured[i] = poured[i] + got[i];
            }
        }
    }
    return shares;
}

} // namespace cgtide::apps
