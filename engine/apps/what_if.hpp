#pragma once

#include "engine/model/policy.hpp"
#include "engine/model/snapshot.hpp"
#include "engine/model/view.hpp"

namespace cgtide::apps {

/// What would leave, by kind, if `reclaim.idle` were `idle` and no pressure or refault held it:
/// what is proven idle, above the floor, of the kinds that policy and swap allow. `known` is false
/// where no sensor has watched for `idle`; then nothing is proven. Needs `now.stat`. Pure: it
/// touches nothing.
model::WhatIf what_if(const model::Policy& policy, const model::Snapshot& now,
                      const model::NodeView& node, Microseconds idle);

} // namespace cgtide::apps
