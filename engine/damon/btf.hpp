#pragma once

#include "cgroup/base/result.hpp"

#include <cstdint>

struct btf;

namespace cgtide::damon {

/// The arguments of the tracepoint damon_aggregated.
enum class AggregatedForm : std::uint8_t {
    index_region_count,        ///< today's
    target_index_region_count, ///< that of older kernels
};

/// Finds the form of damon_aggregated in a kernel's types, by the type of each argument.
///
/// \returns `unsupported` where the tracepoint is missing (a kernel without DAMON), or where its
///          arguments are others; the detail says which.
Result<AggregatedForm> aggregated_form(const btf& types);

} // namespace cgtide::damon
