#include "engine/monitor/physical.hpp"

#include "engine/damon/lru_gen.hpp"
#include "engine/monitor/memcgs.hpp"

#include <algorithm>
#include <utility>

namespace cgtide::monitor {

namespace {

Bytes unmapped_file(const Charged& charged) {
    return charged.file - std::min(charged.file, charged.file_mapped);
}

/// Which pages can be told. Where MGLRU hides their uses those that nobody maps are left out.
std::vector<damon::PageClass> classes_of(PhysicalUse use, bool is_mglru, bool unmapped) {
    using damon::PageClass;
    if (use == PhysicalUse::nothing) {
        return {};
    }
    if (use == PhysicalUse::page_cache) {
        return is_mglru || !unmapped ? std::vector<PageClass>{}
                                     : std::vector{PageClass::unmapped_file};
    }
    if (!is_mglru) {
        return {PageClass::anon, PageClass::file};
    }
    return unmapped ? std::vector{PageClass::anon, PageClass::mapped_file}
                    : std::vector{PageClass::anon};
}

model::PageCache page_cache_of(PhysicalUse use, bool is_mglru, const PhysicalSupport& support) {
    using model::PageCache;
    if (use == PhysicalUse::nothing) {
        return PageCache::off;
    }
    if (support.memory == Bytes{} || (use == PhysicalUse::page_cache && !support.unmapped)) {
        return PageCache::unsupported;
    }
    return is_mglru ? PageCache::mglru : PageCache::seen;
}

} // namespace

Physical::Physical(Dir sys, damon::Intervals intervals, Clock clock)
    : sys_(std::move(sys)), intervals_(intervals), clock_(std::move(clock)),
      ages_(AgesOptions{.interleaved = true}), resolution_(intervals.aggregation) {}

bool Physical::hides_reads() const {
    const auto enabled = sys_.read("kernel/mm/lru_gen/enabled");
    if (!enabled) { // only a kernel without MGLRU surely hides none
        return enabled.error().code != std::errc::no_such_file_or_directory;
    }
    return damon::is_mglru_on(*enabled);
}

void Physical::look(const Wish& wish, Watched& watched, TimePoint now) const {
    // Where it has ended its event comes by another way.
    if (auto cgroups = largest_memcgs(wish, watched.cgroups)) {
        watched.looked = now;
        watched.cgroups = std::move(*cgroups);
    }
}

void Physical::set_use(PhysicalUse use) {
    const bool is_mglru = hides_reads();
    use_ = use;
    page_cache_ = page_cache_of(use, is_mglru, support_);
    auto classes = support_.memory == Bytes{} ? std::vector<damon::PageClass>{}
                                              : classes_of(use, is_mglru, support_.unmapped);
    if (classes != classes_) {
        classes_ = std::move(classes);
        containers_.clear(); // what was counted of them is of other pages
    }
}

std::vector<PhysicalNeed> Physical::needs(const std::vector<PhysicalWish>& wishes) {
    std::vector<PhysicalNeed> needs;
    for (const PhysicalWish& one : wishes) {
        const Bytes bytes = use_ == PhysicalUse::page_cache ? unmapped_file(one.charged)
                                                            : one.charged.anon + one.charged.file;
        needs.push_back({one.wish.id, bytes, classes_.size(), containers_.contains(one.wish.id)});
        left_out_[one.wish.id] =
            is_little(needs.back()) ? model::PageCache::little : model::PageCache::no_room;
    }
    return needs;
}

damon::PhysicalWatch Physical::watch() const {
    damon::PhysicalWatch watch;
    watch.period = period_;
    for (const auto& [id, watched] : containers_) {
        for (const damon::PageClass pages : classes_) {
            if (!watched.cgroups.empty()) {
                watch.counts.push_back({id, pages, watched.cgroups});
            }
        }
    }
    return watch;
}

damon::PhysicalWatch Physical::plan(const std::vector<PhysicalWish>& wishes, PhysicalUse use) {
    set_use(use);
    left_out_.clear();
    if (classes_.empty()) {
        return {};
    }
    const PhysicalChoice choice = choose_physical(needs(wishes), support_.memory);
    period_ = choice.period;
    const TimePoint now = clock_();
    std::map<CgroupId, Watched> kept;
    for (const PhysicalWish& one : wishes) {
        if (!std::binary_search(choice.chosen.begin(), choice.chosen.end(), one.wish.id)) {
            continue;
        }
        auto node = containers_.extract(one.wish.id);
        Watched watched = node.empty() ? Watched{} : std::move(node.mapped());
        if (now - watched.looked >= kLookPeriod) {
            look(one.wish, watched, now);
        }
        left_out_[one.wish.id] = model::PageCache::pending;
        kept.emplace(one.wish.id, std::move(watched));
    }
    containers_ = std::move(kept);
    return watch();
}

void Physical::add(const damon::Round& round) {
    ages_.add(round, intervals_.aggregation);
    idle_ = ages_.idle();
}

void Physical::take(damon::PhysicalReading reading, bool by_files) {
    if (by_files) {
        add(reading.round);
    }
    resolution_ =
        by_files ? std::max(intervals_.aggregation, ages_.step()) : intervals_.aggregation;
    const TimePoint at = reading.round.at;
    for (damon::Counted& counted : reading.counts) {
        const auto found = containers_.find(counted.container);
        if (found == containers_.end()) {
            continue;
        }
        if (std::find(classes_.begin(), classes_.end(), counted.pages) == classes_.end()) {
            continue; // of a plan that is no more
        }
        Watched& watched = found->second;
        std::uint64_t sum = 0;
        for (const damon::CountedRegion& region : counted.regions) {
            sum += region.bytes;
        }
        Placed& placed = watched.placed[counted.pages];
        placed.presence.add(sum, at);
        placed.regions = std::move(counted.regions);
        if (watched.first == TimePoint{}) {
            watched.first = at;
        } else if (at > watched.last) { // once for all classes
            watched.step = std::chrono::duration_cast<Microseconds>(at - watched.last);
        }
        watched.last = at;
    }
}

bool Physical::is_current(const Watched& watched) const {
    constexpr int kMostMissed = 3;
    const TimePoint now = clock_();
    return watched.last > watched.first &&
           now - watched.last < kMostMissed * std::max(period_, watched.step) &&
           now - ages_.at() < kMostMissed * std::max(resolution_, Microseconds(2'000'000));
}

PhysicalFrame Physical::frame(const Watched& watched) const {
    const auto since_first = std::chrono::duration_cast<Microseconds>(ages_.at() - watched.first);
    return {.at = ages_.at(),
            .resolution = resolution_,
            .watched = std::max(std::min(ages_.watched(), since_first), Microseconds{0}),
            .idle = idle_};
}

std::shared_ptr<const model::IdleView> Physical::view(CgroupId id, const Charged& charged) const {
    const auto found = containers_.find(id);
    if (use_ != PhysicalUse::everything || found == containers_.end() ||
        !is_current(found->second)) {
        return nullptr;
    }
    std::vector<PlacedPages> pages;
    for (const auto& [kind, placed] : found->second.placed) {
        pages.push_back({kind, placed.regions, placed.presence.steps()});
    }
    auto view = physical_view(pages, charged, frame(found->second));
    view.page_cache = page_cache_;
    return std::make_shared<const model::IdleView>(std::move(view));
}

std::shared_ptr<const model::IdleView>
Physical::complete(const std::shared_ptr<const model::IdleView>& view, CgroupId id,
                   const Charged& charged) const {
    if (view == nullptr || page_cache_ == model::PageCache::off ||
        view->source == model::IdleSource::physical) {
        return view;
    }
    const auto found = containers_.find(id);
    if (view->source == model::IdleSource::regions && found != containers_.end() &&
        is_current(found->second)) {
        const auto placed = found->second.placed.find(damon::PageClass::unmapped_file);
        if (placed != found->second.placed.end()) {
            const PlacedPages pages{placed->first, placed->second.regions,
                                    placed->second.presence.steps()};
            return std::make_shared<const model::IdleView>(
                with_page_cache(*view, pages, charged, frame(found->second)));
        }
    }
    auto told = *view;
    const auto why = left_out_.find(id);
    told.page_cache = page_cache_ != model::PageCache::seen ? page_cache_
                      : why != left_out_.end()              ? why->second
                                                            : model::PageCache::pending;
    return std::make_shared<const model::IdleView>(std::move(told));
}

} // namespace cgtide::monitor
