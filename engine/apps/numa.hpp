#pragma once

#include "engine/model/app.hpp"

namespace cgtide::apps {

/// The app `numa`: a container's memory to the NUMA nodes of the CPUs that its threads may run on,
/// within each memory tier. docs/apps/numa.md states the law.
model::App numa_app();

} // namespace cgtide::apps
