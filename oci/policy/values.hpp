#pragma once

#include "cgroup/base/result.hpp"
#include "engine/model/policy.hpp"

#include <string_view>

namespace cgtide::policy {

/// The values of `reclaim.*` keys. All are pure and return `malformed` or `out_of_range`, whose
/// detail is one printable line with what is allowed.

/// A share over 0 %, within the node's bounds.
Result<BasisPoints> parse_pressure(std::string_view text, const model::Bounds& bounds);

/// A duration within the node's bounds.
Result<Microseconds> parse_idle(std::string_view text, const model::Bounds& bounds);

/// Bytes, or a share of usage.
Result<model::Keep> parse_keep(std::string_view text, const model::Bounds& bounds);

/// `file`, `anon` or `all`.
Result<model::Pages> parse_pages(std::string_view text, const model::Bounds& bounds);

} // namespace cgtide::policy
