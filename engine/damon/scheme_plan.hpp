#pragma once

#include "engine/damon/plan.hpp"

#include <span>
#include <vector>

namespace cgtide::damon {

/// What the schemes of one pool have in common.
struct SchemeOptions {
    bool with_stat = false;  ///< the first one is that of PlanOptions::with_scheme
    bool with_goals = false; ///< the kernel can hold a scheme while its goal is reached
    Intervals intervals;
};

/// The writes that make a slot's next commit one to exactly these schemes, all anew, for the seats
/// that it will have: one whose address space has no seat takes nothing. Pure.
///
/// A scheme pages out what lies in its ranges of its address space, has had no access for its least
/// age, and is coldest. Source: Documentation/mm/damon/design.rst, "Operation Action", "Quotas",
/// "Filters"; mm/damon/core.c, damos_core_filter_out().
std::vector<Write> plan_schemes(std::span<const Scheme> schemes, const Seats& seats,
                                const SchemeOptions& options);

/// The scheme that takes every region and does nothing.
std::vector<Write> stat_scheme();

/// Those of `wanted` whose address spaces are among `targets`. Pure.
std::vector<PageOut> seated(std::span<const PageOut> wanted, std::span<const Target> targets);

/// The schemes for `wanted`, where a worker has `held` and has counted `counts` snapshots for each
/// of them; what is not counted is 0. Those that stay end when they would have ended, new ones
/// after about twice their rounds. Pure.
///
/// The kernel counts by index, whichever scheme has it, and each target of the slot once a round
/// in which the quota is not used up. Our own seats count while we live alone, so that a scheme
/// lasts longer without us: it gets what two times its rounds take without us, and at least what
/// one time takes with us. Source: mm/damon/core.c, damon_do_apply_schemes().
std::vector<Scheme> carry_on(std::span<const Scheme> held, std::span<const std::uint64_t> counts,
                             std::span<const PageOut> wanted, const Seats& seats);

} // namespace cgtide::damon
