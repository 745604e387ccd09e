#pragma once

#include "cgroup/base/kernel_roots.hpp"
#include "engine/model/view.hpp"

#include <vector>

namespace cgtide::monitor {

/// Rows of `cgtide doctor` for what tells of single pages and their age: page types; soft-dirty.
/// Probed by reading alone.
std::vector<model::Capability> probe_pages(const KernelRoots& roots);

/// ... for DAMON's parts and its tracepoints, by the kernel's types, which nothing is decided by.
/// Probed by reading alone. Blocks for some 10 ms: BTF is megabytes.
std::vector<model::Capability> probe_types(const KernelRoots& roots);

} // namespace cgtide::monitor
