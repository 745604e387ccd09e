#include "engine/serve/render.hpp"
#include "engine/serve/replies.hpp"
#include "engine/serve/values.hpp"

#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

namespace cgtide::serve {

using nlohmann::json;

namespace {

json tier_of(const model::MemoryTier& tier, const model::TierView& view) {
    json nodes = json::array();
    for (const model::MemoryNode& node : tier.nodes) {
        const auto free = view.free.find(node.id);
        nodes.push_back(
            {{"id", node.id},
             {"has_cpus", node.has_cpus},
             {"total_bytes", bytes(node.total)},
             {"free_bytes",
              free == view.free.end() ? json(nullptr) : bytes(std::optional(free->second))}});
    }
    return {{"rank", tier.rank}, {"nodes", std::move(nodes)}};
}

json share_of(const model::TierShare& share) {
    return {{"low_bytes", bytes(share.low)},           {"high_bytes", bytes(share.high)},
            {"target_bytes", bytes(share.target)},     {"hot_bytes", bytes(share.hot)},
            {"hot_fast_bytes", bytes(share.hot_fast)}, {"promoted_bytes", bytes(share.promoted)},
            {"demoted_bytes", bytes(share.demoted)},   {"returned_bytes", bytes(share.returned)}};
}

json use_of(const model::TierUse& use) {
    json list = json::array();
    for (const Bytes one : use.bytes) {
        list.push_back(bytes(one));
    }
    return {{"name", use.name},
            {"id", use.id},
            {"tier_bytes", use.bytes.empty() ? json(nullptr) : std::move(list)},
            {"share", use.share ? share_of(*use.share) : json(nullptr)}};
}

} // namespace

json render(const model::TierView& view) {
    json tiers = json::array();
    for (const model::MemoryTier& tier : view.topology.tiers) {
        tiers.push_back(tier_of(tier, view));
    }
    json uses = json::array();
    for (const model::TierUse& use : view.uses) {
        uses.push_back(use_of(use));
    }
    const auto& strays = view.topology.strays;
    return {{"tiers", std::move(tiers)},
            {"flat", text_or_null(view.topology.flat)},
            {"strays", text_or_null(strays.empty() ? "" : model::format_nodes(strays))},
            {"uses", std::move(uses)}};
}

} // namespace cgtide::serve
