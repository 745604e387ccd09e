#pragma once

#include "engine/model/actuator.hpp"
#include "engine/model/idle.hpp"
#include "engine/model/policy.hpp"

namespace cgtide::apps {

/// By what bytes leave whose age `source` has proven: what the settings want, where it works here
/// and for these kinds of pages, else what docs/apps/reclaim.md has as the default for the source.
/// Ranges that DAMON tells leave by address, generations by generation; whatever else does not
/// work, memory.reclaim does. `pages` is never `automatic`. Pure.
model::Actuator choose_actuator(model::IdleSource source, model::Pages pages,
                                const model::Actuators& actuators);

} // namespace cgtide::apps
