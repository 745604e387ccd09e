#include "engine/apps/reclaim_kinds.hpp"

#include "engine/apps/reclaim.hpp"

#include <algorithm>

namespace cgtide::apps {

using model::Pages;
using model::ReasonCode;

KindChoice choose_kinds(const model::Policy& policy, const model::Snapshot& now,
                        const model::NodeView& node) {
    const cgroup::MemoryStat& stat = *now.stat;
    const Bytes file = stat.inactive_file + stat.active_file;
    const Bytes anon = stat.inactive_anon + stat.active_anon;
    const Bytes limit = now.swap_limit.value_or(Bytes{Bytes::kUnlimited});
    KindChoice choice;
    choice.swap_free = std::min(node.swap_free - swap_reserve(node), limit);
    const bool has_swap = node.swap_total.count > 0 && limit.count > 0;
    const bool headroom = has_swap && choice.swap_free >= kSmallestAsk;
    const Pages wanted = policy.reclaim.pages == Pages::automatic
                             ? (has_swap ? Pages::all : Pages::file)
                             : policy.reclaim.pages;
    const bool want_anon = wanted != Pages::file;
    if (wanted == Pages::anon && !node.swappiness_max) {
        choice.refused = ReasonCode::pages_unsupported;
        return choice;
    }
    if (want_anon && headroom) {
        choice.pages = wanted;
        choice.anon = std::min(anon, choice.swap_free);
        choice.file = wanted == Pages::anon ? Bytes{} : file;
        return choice;
    }
    if (wanted == Pages::anon) {
        choice.refused = ReasonCode::no_swap;
        return choice;
    }
    if (has_swap && !node.swappiness_key) {
        choice.refused = want_anon ? ReasonCode::no_swap : ReasonCode::pages_unsupported;
        return choice;
    }
    choice.pages = Pages::file;
    choice.file = file;
    if (want_anon && file < kSmallestAsk) {
        choice.refused = ReasonCode::no_swap;
    }
    return choice;
}

Pages narrow(Pages pages, Bytes anon, Bytes file, const model::NodeView& node) {
    const std::uint64_t few = (anon + file).count / kFewOfAKind;
    if (pages == Pages::all && anon.count < few && node.swappiness_key) {
        return Pages::file;
    }
    if (pages == Pages::all && file.count < few && node.swappiness_max) {
        return Pages::anon;
    }
    return pages;
}

Bytes swap_reserve(const model::NodeView& node) {
    const double reserve = kSwapReserve * static_cast<double>(node.swap_total.count);
    return {static_cast<std::uint64_t>(reserve)};
}

} // namespace cgtide::apps
