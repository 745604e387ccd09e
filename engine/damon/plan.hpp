#pragma once

#include "engine/damon/scheme.hpp"
#include "engine/damon/types.hpp"

#include <span>
#include <string>
#include <vector>

namespace cgtide::damon {

/// One write below a slot's folder.
struct Write {
    std::string path;
    std::string text;

    bool operator==(const Write&) const = default;
};

/// What a kdamond holds, by target index. The first seat is the sentinel; a seat with key kSentinel
/// behind it is a hole, and free. Empty for a slot that does not run.
using Seats = std::vector<Target>;

/// What the plans of one pool have in common.
struct PlanOptions {
    std::size_t targets = 100;       ///< of one slot, without the sentinel
    std::uint64_t min_regions = 10;  ///< for each target that is not small; see least_regions()
    std::uint64_t max_regions = 100; ///< for each target
    int sentinel = 0;                ///< pid of a process that lives as long as the pool: our own
    bool with_scheme = false;        ///< one that tries all regions and does nothing, to be read by
    Intervals intervals;
};

/// The one page that sentinels and holes watch. Nothing is mapped there (vm.mmap_min_addr), so it
/// costs next to nothing, and no range of a target ever intersects it: a region of a hole never
/// lives on in a target.
inline constexpr Range kNowhere{4096, 8192};

/// A target that comes is handed over in about this many regions, so that it takes few rounds until
/// none of them holds memory of several ages. Fewer than half of what a target may have: with more,
/// DAMON stops splitting. docs/design/idle-time.md has the evidence.
inline constexpr std::uint64_t kFirstRegions = 40;

/// ... and in none smaller than this, for each costs two writes.
inline constexpr std::uint64_t kLeastFirstRegion = 1U << 20U;

/// The kernel refuses bounds below it. Source: mm/damon/core.c, damon_set_attrs().
inline constexpr std::uint64_t kFewestRegions = 3;

/// How often a worker takes note that the size of all ranges, or their least number of regions, is
/// another; by default a minute. A commit puts it off, so it is shorter than the time between two.
/// Source: mm/damon/core.c, kdamond_fn(); fvaddr has no other updates.
inline constexpr Microseconds kUpdate{1'000'000};

/// A target has about one region in each so many bytes of its ranges at least, where that is not
/// more than PlanOptions::min_regions. docs/design/idle-time.md has the evidence.
inline constexpr std::uint64_t kLeastRegionBytes = 2U << 20U;

/// How many regions a target adds to the least number that its kdamond has: 1 to `most`, by the
/// size of its ranges. Regions are what looks cost, and a small process needs few.
std::uint64_t least_regions(const Target& target, std::uint64_t most);

/// Writes that go before one commit, and what the kdamond holds after it.
struct Commit {
    Seats seats;
    std::vector<Write> writes;
    std::vector<Scheme> schemes{}; ///< that page out
};

/// Cuts ranges (rising, apart, whole pages) into neighbours of about equal size: at most
/// kFirstRegions in all where there are no more ranges than that.
std::vector<Range> cut(std::span<const Range> ranges);

/// The same for a target that stays: what it already had in each range is one piece, and what is
/// new before and behind that is cut, in pieces as cut() would make. `held` is as `ranges`.
std::vector<Range> cut_new(std::span<const Range> ranges, std::span<const Range> held);

/// The writes that make an idle slot's context, so that `on` starts it with `wanted` (at most
/// PlanOptions::targets).
Commit plan_start(std::span<const Target> wanted, const PlanOptions& options);

/// The changes, one commit each, that take a running slot from `held` to `wanted` (at most
/// PlanOptions::targets): none where nothing changes, and two only where a new target must sit
/// where an old one still sits. Targets that stay keep their index, and with it what the kernel
/// knows.
std::vector<Commit> plan_changes(const Seats& held, std::span<const Target> wanted,
                                 const PlanOptions& options);

/// The commit that leaves a running slot's targets as they are: for intervals that have changed.
Commit plan_same(const Seats& held, const PlanOptions& options);

/// Which slot watches what.
struct Placement {
    std::vector<std::vector<Target>> slots;
    std::vector<TargetKey> no_room;
};

/// Spreads `wanted` over the slots that hold `held`: what is held stays where it is, the rest goes
/// to the first slot with room, those that run before those that are idle.
Placement place(std::span<const Seats> held, std::vector<Target> wanted, std::size_t targets);

/// True where the kernel takes such a target: a key and a pid, and ranges that are not empty, whole
/// pages, above kNowhere, rising and apart. One bad target would spoil the commit of its whole
/// slot.
bool is_valid(const Target& target);

} // namespace cgtide::damon
