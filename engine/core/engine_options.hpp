#pragma once

#include "cgroup/base/kernel_roots.hpp"
#include "cgroup/watcher.hpp"
#include "engine/act/reclaim.hpp"
#include "engine/core/run_dir.hpp"
#include "engine/damon/lru_gen.hpp"
#include "engine/model/policy.hpp"
#include "engine/model/view.hpp"
#include "engine/monitor/generations.hpp"
#include "engine/monitor/physical.hpp"
#include "engine/monitor/region_pool.hpp"
#include "engine/monitor/regions.hpp"
#include "engine/monitor/sensors.hpp"

#include <memory>
#include <string>
#include <vector>

namespace cgtide::core {

/// The region sensor. Its own side is opened at start, for that takes privileges; the kernel's side
/// takes long, and is opened when the containers are known.
struct RegionSensor {
    std::unique_ptr<monitor::Physical> physical; ///< there with `regions`, which tells it
    std::unique_ptr<monitor::Regions> regions;   ///< none where this node has no DAMON
    std::string no_stream; ///< why they are read from DAMON's files; empty where BPF tells
    std::shared_ptr<monitor::Handover> handover;
    monitor::RegionPoolOptions pool_options;
    std::unique_ptr<monitor::RegionPool> pool; ///< none until it is taken over
};

/// What was found out and opened at start.
struct EngineOptions {
    KernelRoots roots;
    RunDir run;
    model::Settings settings;
    monitor::Counters counters;
    cgroup::EventWatcher watcher;
    std::string engine_path; ///< v2 path of the engine's own cgroup
    std::string boot_id;
    act::ReclaimSupport reclaim;
    damon::EvictionSupport eviction; ///< by generation
    model::Actuators actuators;      ///< that work here; `wanted` comes from `settings`
    std::vector<model::Capability> capabilities;
    RegionSensor sensor;
    std::unique_ptr<monitor::Generations>
        generations; ///< none where this kernel has none, or they are not wanted
};

} // namespace cgtide::core
