#include "engine/core/arbiter.hpp"

#include "engine/apps/reclaim.hpp"
#include "engine/core/budget.hpp"

#include <algorithm>
#include <array>
#include <unordered_set>

namespace cgtide::core {

namespace {

using model::Decision;
using model::InputKey;
using model::ReasonCode;

/// The decision without its request.
void refuse(Decision& decision, ReasonCode code) {
    const double usage = decision.reason.input(InputKey::usage);
    decision.reason = model::Reason(code, {{InputKey::usage, usage}});
    decision.ask = Bytes{};
}

/// A request that still stands, and how it stands.
struct Request {
    Decision* decision = nullptr;
    Microseconds waited{0};
};

bool may_swap(const Decision& decision) {
    return decision.pages != model::Pages::file;
}

/// Shares `room` out among `requests`; who gets nothing is refused for `code`.
void share(std::vector<Request>& requests, Bytes room, ReasonCode code) {
    std::vector<Claim> claims;
    claims.reserve(requests.size());
    for (const Request& request : requests) {
        claims.push_back({request.decision->ask, request.waited});
    }
    const std::vector<Bytes> grants = share_out(claims, room, apps::kSmallestAsk);
    for (std::size_t i = 0; i < requests.size(); ++i) {
        Decision& decision = *requests[i].decision;
        if (grants[i].count == 0 && code == ReasonCode::tier_full) {
            const model::Reason& asked = decision.reason;
            decision.reason =
                model::Reason(code, {{InputKey::usage, asked.input(InputKey::usage)},
                                     {InputKey::fast, asked.input(InputKey::fast)},
                                     {InputKey::share, asked.input(InputKey::share)},
                                     {InputKey::hot_slow, asked.input(InputKey::hot_slow)},
                                     {InputKey::cold_fast, asked.input(InputKey::cold_fast)}});
            decision.ask = Bytes{};
        } else if (grants[i].count == 0 && code == ReasonCode::no_swap) {
            decision.reason =
                model::Reason(code, {{InputKey::usage, decision.reason.input(InputKey::usage)},
                                     {InputKey::swap_free, static_cast<double>(room.count)},
                                     {InputKey::anon, static_cast<double>(decision.ask.count)}});
            decision.ask = Bytes{};
        } else if (grants[i].count == 0) {
            refuse(decision, code);
        } else if (grants[i] < decision.ask) {
            decision.ask = grants[i];
            decision.reason.set(InputKey::ask, static_cast<double>(grants[i].count));
        }
    }
    std::erase_if(requests,
                  [](const Request& request) { return request.decision->ask.count == 0; });
}

} // namespace

std::vector<Decision> arbitrate(std::vector<Decision> decisions,
                                const std::function<Standing(CgroupId)>& standing_of,
                                const Allowance& allowance) {
    std::unordered_set<CgroupId> asking;
    std::vector<Request> swapping;
    std::array<std::vector<Request>, 2> moving; // by model::Move
    for (Decision& decision : decisions) {
        if (decision.ask.count == 0) {
            continue;
        }
        const Standing standing = standing_of(decision.id);
        if (allowance.paused) {
            refuse(decision, ReasonCode::paused);
        } else if (standing.has_lower_tier && !decision.move &&
                   (decision.pages != model::Pages::file || decision.proven)) {
            refuse(decision, ReasonCode::lower_tier);
        } else if (standing.is_busy || !asking.insert(decision.id).second) {
            refuse(decision, ReasonCode::busy);
        } else if (standing.is_dry_run || decision.move == model::Move::home) {
            continue; // a move within a tier: its law has looked for room
        } else if (decision.move) {
            moving.at(static_cast<std::size_t>(*decision.move)).push_back({&decision, {}});
        } else if (allowance.over_cpu) {
            refuse(decision, ReasonCode::budget);
        } else if (may_swap(decision)) {
            swapping.push_back({&decision, standing.waited});
        }
    }
    share(moving[0], allowance.fast_room, ReasonCode::tier_full);
    share(moving[1], allowance.slow_room, ReasonCode::tier_full);
    share(swapping, allowance.swap_free, ReasonCode::no_swap);
    share(swapping, allowance.swap_room, ReasonCode::budget);
    std::vector<Request> all;
    for (Decision& decision : decisions) {
        const Standing standing = standing_of(decision.id);
        if (decision.ask.count > 0 && !standing.is_dry_run && !decision.move) {
            all.push_back({&decision, standing.waited});
        }
    }
    share(all, allowance.room, ReasonCode::budget);
    return decisions;
}

Microseconds time_to_work(TimePoint decided, TimePoint now, Microseconds period) {
    return now - decided > kMostWait * period ? Microseconds(0) : period;
}

} // namespace cgtide::core
