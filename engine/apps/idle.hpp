#pragma once

#include "engine/model/idle.hpp"

namespace cgtide::apps {

/// Figures of an idle view. Pure. They count the bytes of its slices alone: those that are present,
/// charged and seen. `view.slices` must stand by rising idle. No slice counts as idle for longer
/// than `view.watched`, for nothing proves more.

/// Percentile p is the idle time at which p % of the bytes are passed; all 0 where the view holds
/// no bytes. Source of the definition: mm/damon/stat.c, damon_stat_set_idletime_percentiles().
model::IdlePercentiles percentiles(const model::IdleView& view);

/// Bytes that have been idle for at least `age`.
model::ColdBytes cold_bytes(const model::IdleView& view, Microseconds age);

/// Bytes that were in use within `window`, or are not proven otherwise: those that are cold at
/// `window` and these are all that is seen.
Bytes working_set(const model::IdleView& view, Microseconds window);

/// All of them, at model::kColdAges and model::kWorkingSetWindow.
model::IdleSummary summarise(const model::IdleView& view);

} // namespace cgtide::apps
