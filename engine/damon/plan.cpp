#include "engine/damon/plan.hpp"

#include "engine/damon/scheme_plan.hpp"

#include <algorithm>
#include <iterator>
#include <unordered_map>

namespace cgtide::damon {

namespace {

Target nobody(const PlanOptions& options) {
    return {.key = kSentinel, .pid = options.sentinel, .pid_start = 0, .ranges = {kNowhere}};
}

bool is_hole(const Target& seat) {
    return seat.key == kSentinel;
}

void add_regions(std::vector<Write>& writes, const std::string& target,
                 std::span<const Range> ranges) {
    writes.push_back({target + "regions/nr_regions", std::to_string(ranges.size())});
    for (std::size_t i = 0; i < ranges.size(); ++i) {
        const std::string region = target + "regions/" + std::to_string(i) + "/";
        writes.push_back({region + "start", std::to_string(ranges[i].start)});
        writes.push_back({region + "end", std::to_string(ranges[i].end)});
    }
}

std::uint64_t total(std::span<const Range> ranges) {
    std::uint64_t bytes = 0;
    for (const Range& range : ranges) {
        bytes += range.end - range.start;
    }
    return bytes;
}

/// How large pieces are that a target's ranges are cut in: each range has at most one piece more
/// than its share of kFirstRegions.
std::uint64_t piece_size(std::span<const Range> ranges) {
    constexpr std::uint64_t kPage = 4096;
    const std::uint64_t pieces = std::max<std::uint64_t>(
        kFirstRegions - std::min<std::uint64_t>(kFirstRegions, ranges.size()), 1);
    const std::uint64_t least = std::max(total(ranges) / pieces + 1, kLeastFirstRegion);
    return (least + kPage - 1) / kPage * kPage;
}

void add_pieces(std::vector<Range>& cuts, const Range& range, std::uint64_t size) {
    for (std::uint64_t start = range.start; start < range.end; start += size) {
        cuts.push_back({start, std::min(start + size, range.end)});
    }
}

/// Both numbers hold for all targets of a slot together, so they are sums over them. Of the first
/// the kernel makes the size that no region exceeds by merging: all bytes by this number. Holes
/// have no share in it, or they would make the regions of the others smaller.
void add_region_counts(std::vector<Write>& writes, const Seats& seats, const PlanOptions& options) {
    std::uint64_t least = 0;
    std::uint64_t most = 0;
    for (const Target& seat : seats) {
        least += is_hole(seat) ? 0 : least_regions(seat, options.min_regions);
        most += is_hole(seat) ? 1 : options.max_regions;
    }
    const std::uint64_t min = std::max(least, kFewestRegions);
    const std::uint64_t max = std::max(most, min);
    const std::string folder = "contexts/0/monitoring_attrs/nr_regions/";
    writes.push_back({folder + "min", std::to_string(min)});
    writes.push_back({folder + "max", std::to_string(max)});
}

void add_intervals(std::vector<Write>& writes, const Intervals& intervals) {
    const std::string folder = "contexts/0/monitoring_attrs/intervals/";
    writes.push_back({folder + "sample_us", std::to_string(intervals.sample.count())});
    writes.push_back({folder + "aggr_us", std::to_string(intervals.aggregation.count())});
    writes.push_back({folder + "update_us", std::to_string(kUpdate.count())});
}

/// Every commit lists all targets anew: a write to nr_targets empties them all. One without regions
/// keeps the regions that it has, so the ranges are written only where they differ from `held`.
/// Those of a target that comes are cut, and what is new of one that stays.
std::vector<Write> writes_for(const Seats& seats, const Seats& held, const PlanOptions& options) {
    std::vector<Write> writes;
    add_intervals(writes, options.intervals);
    add_region_counts(writes, seats, options);
    const std::string targets = "contexts/0/targets/";
    writes.push_back({targets + "nr_targets", std::to_string(seats.size())});
    for (std::size_t i = 0; i < seats.size(); ++i) {
        const std::string target = targets + std::to_string(i) + "/";
        writes.push_back({target + "pid_target", std::to_string(seats[i].pid)});
        if (i >= held.size() || seats[i].key != held[i].key) {
            add_regions(writes, target, cut(seats[i].ranges));
        } else if (seats[i].ranges != held[i].ranges) {
            add_regions(writes, target, cut_new(seats[i].ranges, held[i].ranges));
        }
    }
    return writes;
}

/// Seats after those that leave have left and those that stay have their new ranges.
Seats after_leaving(const Seats& held, const std::unordered_map<TargetKey, const Target*>& wanted,
                    const PlanOptions& options) {
    Seats seats = held;
    for (Target& seat : seats) {
        if (is_hole(seat)) {
            continue;
        }
        const auto entry = wanted.find(seat.key);
        seat = entry == wanted.end() ? nobody(options) : *entry->second;
    }
    return seats;
}

/// A commit drops the targets beyond those it lists.
void drop_last_holes(Seats& seats) {
    while (seats.size() > 1 && is_hole(seats.back())) {
        seats.pop_back();
    }
}

} // namespace

std::uint64_t least_regions(const Target& target, std::uint64_t most) {
    const std::uint64_t bytes = total(target.ranges);
    return std::clamp<std::uint64_t>((bytes + kLeastRegionBytes - 1) / kLeastRegionBytes, 1, most);
}

std::vector<Range> cut(std::span<const Range> ranges) {
    std::vector<Range> cuts;
    const std::uint64_t size = piece_size(ranges);
    for (const Range& range : ranges) {
        add_pieces(cuts, range, size);
    }
    return cuts;
}

std::vector<Range> cut_new(std::span<const Range> ranges, std::span<const Range> held) {
    std::vector<Range> cuts;
    const std::uint64_t size = piece_size(ranges);
    auto first = held.begin();
    for (const Range& range : ranges) {
        first = std::find_if(first, held.end(),
                             [&](const Range& old) { return old.end > range.start; });
        // The kernel stretches the regions at a range's ends over all of it, and drops the others'
        // ages where a border goes through them: all that was held here stays one range.
        auto last = first;
        while (last != held.end() && last->start < range.end) {
            ++last;
        }
        if (first == last) {
            add_pieces(cuts, range, size);
            continue;
        }
        const Range known{std::max(first->start, range.start),
                          std::min(std::prev(last)->end, range.end)};
        add_pieces(cuts, {range.start, known.start}, size);
        cuts.push_back(known);
        add_pieces(cuts, {known.end, range.end}, size);
    }
    return cuts;
}

Commit plan_start(std::span<const Target> wanted, const PlanOptions& options) {
    Commit change;
    change.seats.push_back(nobody(options));
    change.seats.insert(change.seats.end(), wanted.begin(), wanted.end());
    change.writes = {{"contexts/nr_contexts", "1"}, {"contexts/0/operations", "fvaddr"}};
    const auto targets = writes_for(change.seats, {}, options);
    change.writes.insert(change.writes.end(), targets.begin(), targets.end());
    if (options.with_scheme) {
        const auto scheme = stat_scheme();
        change.writes.insert(change.writes.end(), scheme.begin(), scheme.end());
    }
    return change;
}

std::vector<Commit> plan_changes(const Seats& held, std::span<const Target> wanted,
                                 const PlanOptions& options) {
    std::unordered_map<TargetKey, const Target*> by_key;
    for (const Target& target : wanted) {
        by_key.emplace(target.key, &target);
    }
    std::vector<const Target*> coming;
    for (const Target& target : wanted) {
        const bool stays = std::any_of(held.begin(), held.end(),
                                       [&](const Target& seat) { return seat.key == target.key; });
        if (!stays) {
            coming.push_back(&target);
        }
    }
    std::vector<Commit> changes;
    const auto commit = [&](const Seats& seats) {
        const Seats& before = changes.empty() ? held : changes.back().seats;
        if (seats != before) {
            changes.push_back({seats, writes_for(seats, before, options), {}});
        }
    };

    Seats seats = after_leaving(held, by_key, options);
    // A seat that is left in this commit keeps its regions, and their ages, wherever they intersect
    // those of who sits down on it: only one that was a hole already is free.
    const auto sit = [&](const Seats& free_in) {
        for (std::size_t i = 1; i < seats.size() && !coming.empty(); ++i) {
            if (is_hole(seats[i]) && is_hole(free_in[i])) {
                seats[i] = *coming.back();
                coming.pop_back();
            }
        }
    };
    std::reverse(coming.begin(), coming.end());
    sit(held);
    while (!coming.empty() && seats.size() <= options.targets) {
        seats.push_back(*coming.back());
        coming.pop_back();
    }
    if (coming.empty()) {
        drop_last_holes(seats);
        commit(seats);
        return changes;
    }
    commit(seats);
    const Seats emptied = seats;
    sit(emptied);
    commit(seats);
    return changes;
}

Commit plan_same(const Seats& held, const PlanOptions& options) {
    return {held, writes_for(held, held, options), {}};
}

Placement place(std::span<const Seats> held, std::vector<Target> wanted, std::size_t targets) {
    std::unordered_map<TargetKey, std::size_t> home;
    for (std::size_t slot = 0; slot < held.size(); ++slot) {
        for (const Target& seat : held[slot]) {
            home.emplace(seat.key, slot);
        }
    }
    Placement placement;
    placement.slots.resize(held.size());
    std::vector<Target> coming;
    for (Target& target : wanted) {
        if (const auto entry = home.find(target.key); entry != home.end()) {
            placement.slots[entry->second].push_back(std::move(target));
        } else {
            coming.push_back(std::move(target));
        }
    }
    std::vector<std::size_t> order;
    for (const bool idle : {false, true}) {
        for (std::size_t slot = 0; slot < held.size(); ++slot) {
            // A slot that everyone leaves is as good as idle: it is turned off.
            if (placement.slots[slot].empty() == idle) {
                order.push_back(slot);
            }
        }
    }
    auto slot = order.begin();
    for (Target& target : coming) {
        while (slot != order.end() && placement.slots[*slot].size() >= targets) {
            ++slot;
        }
        if (slot == order.end()) {
            placement.no_room.push_back(target.key);
        } else {
            placement.slots[*slot].push_back(std::move(target));
        }
    }
    return placement;
}

bool is_valid(const Target& target) {
    constexpr std::uint64_t kPage = 4096;
    if (target.key == kSentinel || target.pid <= 0 || target.ranges.empty()) {
        return false;
    }
    std::uint64_t last = kNowhere.end;
    for (const Range& range : target.ranges) {
        if (range.start < last || range.end <= range.start || range.start % kPage != 0 ||
            range.end % kPage != 0) {
            return false;
        }
        last = range.end;
    }
    return true;
}

} // namespace cgtide::damon
