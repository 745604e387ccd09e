#pragma once

#include "cgroup/base/cgroup_id.hpp"
#include "engine/damon/plan.hpp"

namespace cgtide::test {

/// The engine's pid, which sentinels and holes have as well.
inline constexpr int kEngine = 42;

/// A container.
inline constexpr CgroupId kWeb{7};
/// ... and another one.
inline constexpr CgroupId kBatch{8};

/// What most targets watch.
inline constexpr damon::Range kRange{0x10000, 0x20000};

inline const damon::Target kHole{
    .key = damon::kSentinel, .pid = kEngine, .pid_start = 0, .ranges = {damon::kNowhere}};

} // namespace cgtide::test
