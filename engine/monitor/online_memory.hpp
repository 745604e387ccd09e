#pragma once

#include "cgroup/base/dir.hpp"
#include "engine/damon/types.hpp"

#include <vector>

namespace cgtide::monitor {

/// The node's physical memory, by rising address: all blocks that are online. `sys` is the root of
/// sysfs. Holes inside a block count as memory of nobody. About 10 us a block (128 MiB to 2 GiB).
///
/// \returns `unsupported` where the kernel does not tell (no memory hotplug).
/// Source: Documentation/admin-guide/mm/memory-hotplug.rst. `/proc/iomem` is finer, and shows
/// addresses to CAP_SYS_ADMIN alone.
Result<std::vector<damon::Range>> online_memory(const Dir& sys);

/// What of it is a NUMA node's. A block that two nodes share is both's. As online_memory().
Result<std::vector<damon::Range>> online_memory(const Dir& sys, unsigned node);

} // namespace cgtide::monitor
