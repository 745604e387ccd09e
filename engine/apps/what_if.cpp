#include "engine/apps/what_if.hpp"

#include "engine/apps/age_proof.hpp"
#include "engine/apps/reclaim.hpp"
#include "engine/apps/reclaim_kinds.hpp"

#include <algorithm>

namespace cgtide::apps {

model::WhatIf what_if(const model::Policy& policy, const model::Snapshot& now,
                      const model::NodeView& node, Microseconds idle) {
    const AgeProof proof = prove_age(now, idle);
    const KindChoice kinds = choose_kinds(policy, now, node);
    const Bytes anon = std::min(proof.cold_anon, kinds.anon);
    const Bytes file = std::min(proof.cold_file, kinds.file);
    const Bytes allowed = anon + file;
    const Bytes room = now.usage - reclaim_floor(policy, now);
    model::WhatIf answer;
    answer.idle = idle;
    answer.known = proof.known;
    answer.usage = now.usage;
    answer.floor = reclaim_floor(policy, now);
    answer.unproven = proof.unproven();
    answer.kept_by_kind = (proof.cold_anon + proof.cold_file) - allowed;
    answer.kept_by_floor = allowed - room;
    // Where the floor keeps some, each kind stays in proportion.
    const double share =
        allowed > room ? static_cast<double>(room.count) / static_cast<double>(allowed.count) : 1.0;
    answer.anon = Bytes{static_cast<std::uint64_t>(static_cast<double>(anon.count) * share)};
    answer.file = Bytes{static_cast<std::uint64_t>(static_cast<double>(file.count) * share)};
    return answer;
}

} // namespace cgtide::apps
