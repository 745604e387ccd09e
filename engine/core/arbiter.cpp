#include "engine/core/arbiter.hpp"

#include <unordered_set>

namespace cgtide::core {

std::vector<model::Decision> arbitrate(std::vector<model::Decision> decisions,
                                       const std::function<bool(CgroupId)>& under_way) {
    std::unordered_set<CgroupId> granted;
    for (model::Decision& decision : decisions) {
        if (decision.ask.count == 0) {
            continue;
        }
        if (under_way(decision.id) || !granted.insert(decision.id).second) {
            const double usage = decision.reason.input(model::InputKey::usage);
            decision.reason =
                model::Reason(model::ReasonCode::busy, {{model::InputKey::usage, usage}});
            decision.ask = Bytes{};
        }
    }
    return decisions;
}

} // namespace cgtide::core
