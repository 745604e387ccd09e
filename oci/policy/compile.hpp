#pragma once

#include "engine/model/policy.hpp"
#include "oci/state.hpp"

#include <string_view>

namespace cgtide::policy {

/// Where a container stands: what grants are matched with.
struct Subject {
    std::string_view id;          ///< the runtime's id
    std::string_view cgroup_path; ///< v2
    Bytes fast_tier{};            ///< bytes of the fastest memory tier; 0 where there are no tiers
};

/// Annotations to what the container asked for and was granted. Never fails: what is refused stands
/// in `faults`, and an app with a refused value stays off. Per-container keys win over the pod's.
/// Pure.
model::Policy compile(const oci::Annotations& annotations, const Subject& subject,
                      const model::Settings& settings);

} // namespace cgtide::policy
