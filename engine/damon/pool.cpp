#include "engine/damon/pool.hpp"

#include <algorithm>
#include <iterator>

namespace cgtide::damon {

namespace {

constexpr std::string_view kOp = "use DAMON:";

Result<void> check_options(const PoolOptions& options) {
    const Intervals& intervals = options.intervals;
    if (intervals.sample.count() <= 0 || intervals.aggregation < intervals.sample ||
        options.targets_per_slot == 0 || options.min_regions_per_target < kFewestRegions ||
        options.max_regions_per_target < options.min_regions_per_target) {
        return fail(Errc::out_of_range, kOp,
                    "the aggregation is at least one sample, a slot has at least one target, and a "
                    "target at least 3 regions");
    }
    return {};
}

} // namespace

Pool::Pool(Ownership& ownership, PoolOptions options, Support support)
    : ownership_(&ownership), options_(std::move(options)), support_(support) {
    slots_.reserve(ownership.slots());
    for (std::size_t slot = 0; slot < ownership.slots(); ++slot) {
        slots_.emplace_back(slot);
    }
}

Result<Pool> Pool::open(Ownership& ownership, PoolOptions options) {
    if (auto done = check_options(options); !done) {
        return tl::unexpected(done.error());
    }
    constexpr std::size_t kProbed = 0;
    const auto support = ownership.starting(kProbed)
                             .and_then([&] { return probe_support(ownership.tree(), kProbed); })
                             .and_then([&](Support found) {
                                 return ownership.stopped(kProbed).map([&] { return found; });
                             });
    if (!support) {
        return tl::unexpected(support.error());
    }
    if (options.with_scheme && !support->tried_regions) {
        return fail(Errc::unsupported, kOp, "it has no tried_regions");
    }
    options.with_goals = support->goal_tuner;
    Pool pool(ownership, std::move(options), *support);
    if (!support->fvaddr && !pool.watches_memory()) {
        return fail(Errc::unsupported, kOp, "it has no operations fvaddr");
    }
    return pool;
}

std::size_t Pool::target_slots() const {
    const std::size_t others = (watches_memory() ? 1U : 0U) + (moves_memory() ? 1U : 0U);
    return support_.fvaddr ? slots_.size() - others : 0;
}

bool Pool::watches_memory() const {
    return !options_.memory.empty() && slots_.size() > 1 && support_.paddr &&
           support_.tried_regions && support_.passed_bytes;
}

bool Pool::moves_memory() const {
    constexpr std::size_t kFewest = 3; // one is for targets
    return options_.with_moves && watches_memory() && slots_.size() >= kFewest &&
           support_.max_nr_snapshots && support_.fail_charge && support_.unmapped;
}

std::vector<int> Pool::kdamonds() const {
    std::vector<int> pids;
    for (const Slot& slot : slots_) {
        if (slot.worker() != 0) {
            pids.push_back(slot.worker());
        }
    }
    return pids;
}

Result<Applied> Pool::apply(std::vector<Target> wanted) {
    auto applied = check();
    if (!applied) {
        return applied;
    }
    std::erase_if(wanted, [&](const Target& target) {
        const bool invalid = !is_valid(target);
        if (invalid) {
            applied->invalid.push_back(target.key);
        }
        return invalid;
    });
    std::vector<Seats> held;
    held.reserve(target_slots());
    for (std::size_t i = 0; i < target_slots(); ++i) {
        held.push_back(slots_[i].seats());
    }
    Placement placement = place(held, std::move(wanted), options_.targets_per_slot);
    applied->no_room = std::move(placement.no_room);
    for (std::size_t i = 0; i < placement.slots.size(); ++i) {
        slots_[i].apply(*ownership_, options_, std::move(placement.slots[i]), page_outs_, *applied);
    }
    return applied;
}

Result<Applied> Pool::page_out(std::vector<PageOut> wanted) {
    page_outs_.insert(page_outs_.end(), std::make_move_iterator(wanted.begin()),
                      std::make_move_iterator(wanted.end()));
    return commit_schemes();
}

Result<Applied> Pool::end_page_out(CgroupId container) {
    std::erase_if(page_outs_, [&](const PageOut& out) { return out.container == container; });
    return commit_schemes();
}

/// Slots that have the schemes that they should are left as they are.
Result<Applied> Pool::commit_schemes() {
    auto applied = check();
    if (!applied) {
        return applied;
    }
    for (std::size_t i = 0; i < target_slots(); ++i) {
        std::vector<Target> targets;
        std::copy_if(slots_[i].seats().begin(), slots_[i].seats().end(),
                     std::back_inserter(targets),
                     [](const Target& seat) { return seat.key != kSentinel; });
        slots_[i].apply(*ownership_, options_, std::move(targets), page_outs_, *applied);
    }
    return applied;
}

std::size_t Pool::paging_out(CgroupId container) const {
    std::size_t schemes = 0;
    for (const Slot& slot : slots_) {
        schemes += static_cast<std::size_t>(
            std::count_if(slot.schemes().begin(), slot.schemes().end(), [&](const Scheme& scheme) {
                return scheme.what.container == container;
            }));
    }
    return schemes;
}

Result<void> Pool::tell_stall(CgroupId container, std::uint64_t measured) {
    if (!lost_.empty() || !options_.with_goals) {
        return {};
    }
    for (PageOut& out : page_outs_) {
        if (out.container == container) {
            out.stall.measured = measured;
        }
    }
    Result<void> first;
    for (std::size_t i = 0; i < target_slots(); ++i) {
        auto done = slots_[i].tell_stall(*ownership_, options_, container, measured);
        if (!done && first) {
            first = std::move(done);
        }
    }
    return first;
}

Result<Applied> Pool::watch_memory(const PhysicalWatch& watch) {
    if (!watches_memory() || (lost_.empty() && memory_.holds(slots_.back(), options_, watch))) {
        return Applied();
    }
    auto applied = check();
    if (applied) {
        memory_.apply(slots_.back(), *ownership_, options_, watch, *applied);
    }
    return applied;
}

Result<std::optional<PhysicalReading>> Pool::read_memory(TimePoint now) {
    return memory_.read(slots_.back(), *ownership_, now);
}

Result<Applied> Pool::watch_moves(bool wanted) {
    if (!moves_memory()) {
        return Applied();
    }
    auto applied = check();
    if (applied) {
        moves_.watch(move_slot(), *ownership_, options_, wanted, *applied);
    }
    return applied;
}

Result<Applied> Pool::begin_move(const std::vector<PhysicalMove>& moves) {
    auto applied = check();
    if (applied) {
        moves_.begin(move_slot(), *ownership_, options_, moves, *applied);
    }
    return applied;
}

bool Pool::move_is_over() {
    return !lost_.empty() || moves_.is_over(move_slot(), *ownership_);
}

Result<Pool::MoveEnd> Pool::end_move() {
    auto applied = check();
    if (!applied) {
        return tl::unexpected(applied.error());
    }
    MoveEnd ended;
    ended.bytes = moves_.end(move_slot(), *ownership_, options_, *applied);
    ended.applied = std::move(*applied);
    return ended;
}

Result<std::string> Pool::find_stranger(Applied& applied) {
    const auto count = ownership_->tree().number("nr_kdamonds");
    if (!count) {
        return tl::unexpected(count.error());
    }
    if (*count != slots_.size()) {
        return "its slots are " + std::to_string(*count) + ", ours were " +
               std::to_string(slots_.size());
    }
    std::vector<Slot*> ended;
    for (std::size_t i = 0; i < slots_.size(); ++i) {
        const auto worker = ownership_->tree().worker(i);
        if (!worker) {
            return tl::unexpected(worker.error());
        }
        if (*worker != 0 && *worker != slots_[i].worker()) {
            return "kdamond " + std::to_string(*worker) + " in slot " + std::to_string(i) +
                   " is not ours";
        }
        if (*worker == 0 && slots_[i].worker() != 0) {
            ended.push_back(&slots_[i]);
        }
    }
    for (Slot* slot : ended) {
        if (auto done = slot->ended(*ownership_, applied); !done) {
            return tl::unexpected(done.error());
        }
    }
    return std::string();
}

tl::unexpected<Error> Pool::lose(std::string why) {
    lost_ = std::move(why);
    for (std::size_t i = 0; i < slots_.size(); ++i) {
        const auto worker = ownership_->tree().worker(i);
        if (worker && *worker != 0 && *worker == slots_[i].worker()) {
            (void)ownership_->tree().write(slot_path(i, "state"), "off");
        }
        slots_[i] = Slot(i);
    }
    (void)ownership_->lose();
    return fail(Errc::conflict, kOp, "somebody else does: " + lost_);
}

Result<Applied> Pool::check() {
    if (!lost_.empty()) {
        return fail(Errc::conflict, kOp, "somebody else does: " + lost_);
    }
    Applied applied;
    auto stranger = find_stranger(applied);
    if (!stranger) {
        return tl::unexpected(stranger.error());
    }
    if (!stranger->empty()) {
        return lose(std::move(*stranger));
    }
    return applied;
}

Result<std::vector<Round>> Pool::read(std::size_t slot) {
    return slots_.at(slot).read(*ownership_);
}

Result<Applied> Pool::stop() {
    auto applied = check();
    if (!applied) {
        return applied;
    }
    Result<void> first;
    for (Slot& slot : slots_) {
        auto done = slot.stop(*ownership_, *applied);
        if (!done && first) {
            first = std::move(done);
        }
    }
    return first.map([&] { return std::move(*applied); });
}

} // namespace cgtide::damon
