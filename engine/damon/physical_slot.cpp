#include "engine/damon/physical_slot.hpp"

#include <algorithm>
#include <utility>

namespace cgtide::damon {

namespace {

constexpr std::string_view kOp = "count physical memory";
constexpr Microseconds kLeastLead{1'000'000};
constexpr Microseconds kMostLead{4'000'000}; // so long DAMON's thread waits at most

TimePoint now() {
    return std::chrono::steady_clock::now();
}

/// Of the first scheme the regions are known.
Result<std::vector<CountedRegion>> passed_of_first(const Tree& tree, const std::string& folder,
                                                   const std::vector<Region>& regions) {
    std::vector<CountedRegion> counted;
    counted.reserve(regions.size());
    for (const Region& region : regions) {
        const auto bytes =
            tree.number(folder + std::to_string(counted.size()) + "/sz_filter_passed");
        if (!bytes) {
            return tl::unexpected(bytes.error());
        }
        counted.push_back({region.range, *bytes});
    }
    return counted;
}

/// Schemes may have been applied at different moments, between which regions were split.
Result<std::vector<CountedRegion>> passed_of(const Tree& tree, const std::string& folder) {
    std::vector<CountedRegion> counted;
    for (;;) {
        const std::string region = folder + std::to_string(counted.size()) + "/";
        const auto start = tree.number(region + "start");
        if (!start && start.error().code == std::errc::no_such_file_or_directory) {
            break;
        }
        const auto end = tree.number(region + "end");
        const auto bytes = tree.number(region + "sz_filter_passed");
        for (const auto* number : {&start, &end, &bytes}) {
            if (!*number) {
                return tl::unexpected(number->error());
            }
        }
        const std::uint64_t last = counted.empty() ? 0 : counted.back().range.end;
        if (*start < last || *end <= *start) {
            return fail(Errc::malformed, kOp, region + " is not behind the region before it");
        }
        counted.push_back({{*start, *end}, *bytes});
    }
    if (counted.empty()) { // after a commit that failed the folders are those of its plan
        return fail(Errc::malformed, kOp, folder + " has no regions");
    }
    return counted;
}

} // namespace

bool PhysicalSlot::holds(const Slot& slot, const PoolOptions& options,
                         const PhysicalWatch& watch) const {
    const bool runs = slot.worker() != 0;
    return watch.counts.empty() ? !runs
                                : runs && watch == held_ && slot.intervals() == options.intervals;
}

void PhysicalSlot::apply(Slot& slot, Ownership& ownership, const PoolOptions& options,
                         const PhysicalWatch& watch, Applied& applied) {
    const bool must_wait = slot.worker() != 0 && !watch.counts.empty() && !had_turn_;
    if (must_wait || holds(slot, options, watch)) {
        return;
    }
    if (auto done = change(slot, ownership, options, watch, applied); !done) {
        applied.failed.push_back({ownership.slots() - 1, done.error(), {}});
    }
}

Result<void> PhysicalSlot::change(Slot& slot, Ownership& ownership, const PoolOptions& options,
                                  const PhysicalWatch& watch, Applied& applied) {
    if (watch.counts.empty()) {
        return slot.stop(ownership, applied);
    }
    const PhysicalOptions how{
        .memory = options.memory, .sentinel = ownership.engine(), .intervals = options.intervals};
    Result<void> done;
    if (slot.worker() == 0) {
        is_odd_ = false;
        done =
            slot.start(ownership, options, plan_physical_start(count_schemes(watch), how), applied);
    } else {
        is_odd_ = !is_odd_;
        done = slot.commit(ownership, options,
                           plan_physical_change(count_schemes(watch), how, is_odd_), applied);
    }
    if (done) {
        held_ = watch;
        counted_ = now();
        period_ = watch.period;
        lead_ = kLeastLead;
        was_read_ = false;
        had_turn_ = false;
    }
    return done;
}

std::optional<TimePoint> PhysicalSlot::due(const Slot& slot) const {
    if (slot.worker() == 0 || held_.counts.empty()) {
        return std::nullopt;
    }
    return counted_ + period_ - lead_;
}

bool PhysicalSlot::is_time(const Slot& slot, TimePoint now) {
    const auto from = due(slot);
    if (!from || now < *from) {
        return false;
    }
    if (now < counted_ + period_) {
        return true;
    }
    // Whoever waits now waits for a whole period, and DAMON's thread with him: the next one is
    // waited for earlier.
    counted_ += (now - counted_) / period_ * period_;
    was_read_ = false;
    had_turn_ = true;
    lead_ = std::min(2 * lead_, kMostLead);
    return false;
}

Result<TriedRegions> PhysicalSlot::wait(Tree& tree, std::size_t slot) {
    auto tried = read_tried_regions(tree, slot);
    const TimePoint at = tried ? tried->at : now();
    // A worker that is late is as late the next time.
    if (tried && was_read_) {
        const auto took = std::chrono::duration_cast<Microseconds>(at - counted_);
        period_ = std::clamp(took, held_.period, 2 * held_.period);
    }
    counted_ = at;
    was_read_ = tried.has_value();
    had_turn_ = true;
    lead_ = tried ? kLeastLead : lead_;
    return tried;
}

Result<PhysicalReading> PhysicalSlot::read_counts(const Slot& slot, Tree& tree, std::size_t number,
                                                  const TriedRegions& tried) const {
    auto rounds = rounds_of(slot.seats(), tried);
    if (!rounds) {
        return tl::unexpected(rounds.error());
    }
    PhysicalReading reading{std::move(rounds->front()), {}};
    reading.round.looks = slot.intervals().looks();
    for (std::size_t i = 0; i < held_.counts.size(); ++i) {
        const PageCount& count = held_.counts[i];
        const std::string folder =
            slot_path(number, "contexts/0/schemes/" + std::to_string(i) + "/tried_regions/");
        auto regions =
            i == 0 ? passed_of_first(tree, folder, tried.regions) : passed_of(tree, folder);
        if (!regions) {
            return tl::unexpected(regions.error());
        }
        reading.counts.push_back({count.container, count.pages, std::move(*regions)});
    }
    return reading;
}

Result<std::optional<PhysicalReading>> PhysicalSlot::read(const Slot& slot, Ownership& ownership,
                                                          TimePoint now) {
    if (!is_time(slot, now)) {
        return std::nullopt;
    }
    Tree& tree = ownership.tree();
    const std::size_t number = ownership.slots() - 1;
    const auto worker = tree.worker(number);
    if (worker && *worker != slot.worker()) {
        return fail(Errc::conflict, kOp, "slot " + std::to_string(number) + " is not ours");
    }
    const auto tried = wait(tree, number);
    if (!tried) {
        return tl::unexpected(tried.error());
    }
    auto reading = read_counts(slot, tree, number, *tried);
    // A folder for each region of each scheme would stay in the kernel until the next reading.
    const auto cleared = tree.write(slot_path(number, "state"), "clear_schemes_tried_regions");
    if (!reading || !cleared) {
        return tl::unexpected(reading ? cleared.error() : reading.error());
    }
    return std::optional(std::move(*reading));
}

} // namespace cgtide::damon
