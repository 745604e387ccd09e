#pragma once

#include "cgroup/base/result.hpp"
#include "engine/model/policy.hpp"

#include <string_view>

namespace cgtide::policy {

/// The values of `reclaim.*` and `tier.*` keys. All are pure and return `malformed` or
/// `out_of_range`, whose detail is one printable line with what is allowed.

/// A share over 0 %, within the node's bounds.
Result<BasisPoints> parse_pressure(std::string_view text, const model::Bounds& bounds);

/// A duration within the node's bounds.
Result<Microseconds> parse_idle(std::string_view text, const model::Bounds& bounds);

/// Bytes or a share; `otherwise` is added to what is allowed, and says of what a share would be.
Result<model::Amount> parse_amount(std::string_view text, std::string_view otherwise);

/// Bytes, or a share of usage.
Result<model::Amount> parse_keep(std::string_view text, const model::Bounds& bounds);

/// `file`, `anon` or `all`.
Result<model::Pages> parse_pages(std::string_view text, const model::Bounds& bounds);

/// `LOW..HIGH` of the fastest tier, each in bytes or as a share of it. Without LOW nothing is
/// protected, without HIGH there is no bound; `20%..` and `..4GiB` say so. HIGH below LOW is
/// refused where both have one unit; where they do not, LOW counts as no more than HIGH.
Result<model::TierPolicy> parse_fast(std::string_view text, const model::Bounds& bounds);

} // namespace cgtide::policy
