#include "engine/core/arbiter.hpp"

#include "engine/apps/reclaim.hpp"
#include "engine/core/budget.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <unordered_set>

namespace cgtide::core {

namespace {

using model::Decision;
using model::InputKey;
using model::ReasonCode;

double number(Bytes bytes) {
    return static_cast<double>(bytes.count);
}

/// The decision without its request, for a reason with these inputs beside usage.
void refuse(Decision& decision, ReasonCode code, std::initializer_list<model::Input> inputs = {}) {
    std::vector<model::Input> all{{InputKey::usage, decision.reason.input(InputKey::usage)}};
    all.insert(all.end(), inputs.begin(), inputs.end());
    decision.reason = model::Reason(code, all);
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

/// What requests share.
struct Pool {
    ReasonCode code; ///< of who gets nothing
    Bytes room;
};

/// Turns a request away that a pool has only `left` for.
void refuse(Decision& decision, const Pool& pool, Bytes left) {
    const model::Reason asked = decision.reason;
    const auto same = [&](InputKey key) {
        return model::Input{key, asked.input(key)};
    };
    const model::Input room{InputKey::room, number(left)};
    if (pool.code == ReasonCode::tier_full) {
        refuse(decision, pool.code,
               {same(InputKey::fast), same(InputKey::share), same(InputKey::hot_slow),
                same(InputKey::cold_fast), room});
    } else if (pool.code == ReasonCode::no_swap) {
        refuse(decision, pool.code,
               {{InputKey::swap_free, number(left)},
                {InputKey::limit, number(apps::kSmallestAsk)},
                {InputKey::anon, number(decision.ask)}});
    } else {
        refuse(decision, pool.code, {{InputKey::ask, number(decision.ask)}, room});
    }
}

/// Shares a pool out among `requests`; who gets nothing is refused.
void share(std::vector<Request>& requests, const Pool& pool) {
    std::vector<Claim> claims;
    claims.reserve(requests.size());
    for (const Request& request : requests) {
        claims.push_back({request.decision->ask, request.waited});
    }
    const std::vector<Bytes> grants = share_out(claims, pool.room, apps::kSmallestAsk);
    Bytes left = pool.room;
    for (const Bytes grant : grants) {
        left = left - grant;
    }
    for (std::size_t i = 0; i < requests.size(); ++i) {
        Decision& decision = *requests[i].decision;
        if (grants[i].count == 0) {
            refuse(decision, pool, left);
        } else if (grants[i] < decision.ask) {
            decision.ask = grants[i];
            decision.reason.set(InputKey::ask, number(grants[i]));
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
        } else if (allowance.cpu_debt > Microseconds(0)) {
            refuse(decision, ReasonCode::budget,
                   {{InputKey::cpu_used, static_cast<double>(allowance.cpu_debt.count())},
                    {InputKey::cpu_share, allowance.cpu_share.count}});
        } else if (may_swap(decision)) {
            swapping.push_back({&decision, standing.waited});
        }
    }
    share(moving[0], {ReasonCode::tier_full, allowance.fast_room});
    share(moving[1], {ReasonCode::tier_full, allowance.slow_room});
    share(swapping, {ReasonCode::no_swap, allowance.swap_free});
    share(swapping, {ReasonCode::budget, allowance.swap_room});
    std::vector<Request> all;
    for (Decision& decision : decisions) {
        const Standing standing = standing_of(decision.id);
        if (decision.ask.count > 0 && !standing.is_dry_run && !decision.move) {
            all.push_back({&decision, standing.waited});
        }
    }
    share(all, {ReasonCode::budget, allowance.room});
    return decisions;
}

Microseconds time_to_work(TimePoint decided, TimePoint now, Microseconds period) {
    return now - decided > kMostWait * period ? Microseconds(0) : period;
}

} // namespace cgtide::core
