#include "engine/monitor/regions.hpp"

#include "cgroup/page_nodes.hpp"

#include <algorithm>
#include <utility>

namespace cgtide::monitor {

Regions::Regions(Dir proc, std::optional<damon::Stream> stream, damon::Intervals intervals,
                 std::shared_ptr<Handover> handover)
    : proc_(std::move(proc)), stream_(std::move(stream)), intervals_(intervals),
      handover_(std::move(handover)) {}

bool Regions::must_look(CgroupId id, const Watched& watched, TimePoint now) const {
    return changed_.contains(id) || now - watched.looked >= kLookPeriod;
}

void Regions::look(const Wish& wish, Watched& watched, TimePoint now) {
    cgroup::SubtreeOptions how;
    how.excluded = wish.excluded;
    how.with_pids = true;
    watched.looked = now;
    // What befalls it within the window after a change is not told again: then it stays changed.
    if (const auto changed = changed_.find(wish.id);
        changed != changed_.end() && now - changed->second > damon::Stream::kChangeWindow) {
        changed_.erase(changed);
    }
    const auto subtree = cgroup::walk_subtree(wish.group->dir(), wish.path, how);
    if (!subtree) {
        return; // it has ended: its event comes by another way
    }
    watched.processes->refresh(*subtree, last_key_);
    files_.set(wish.id, watched.processes->spaces());
    for (const Space& space : watched.processes->spaces()) {
        if (const auto known = ages_.find(space.key); known != ages_.end()) {
            known->second.came(space.came, now);
        }
    }
}

std::vector<damon::Target> Regions::refresh(const std::vector<Wish>& wishes) {
    std::map<CgroupId, Watched> kept;
    std::vector<CgroupId> ids;
    std::vector<damon::Target> targets;
    std::unordered_set<damon::TargetKey> keys;
    const TimePoint now = std::chrono::steady_clock::now();
    for (const Wish& wish : wishes) {
        auto node = containers_.extract(wish.id);
        const bool is_new = node.empty();
        Watched watched =
            is_new ? Watched{std::make_unique<Processes>(proc_), {}} : std::move(node.mapped());
        if (is_new || must_look(wish.id, watched, now)) {
            look(wish, watched, now);
        }
        for (const Space& space : watched.processes->spaces()) {
            keys.insert(space.key);
            targets.push_back({space.key, space.pid, space.pid_start, space.ranges});
        }
        ids.push_back(wish.id);
        kept.emplace(wish.id, std::move(watched));
    }
    for (const auto& [id, ended] : containers_) { // those that are left have no wish
        files_.forget(id);
    }
    containers_ = std::move(kept);
    std::erase_if(changed_, [&](const auto& entry) { return !containers_.contains(entry.first); });
    std::erase_if(ages_, [&](const auto& entry) { return !keys.contains(entry.first); });
    for (const damon::TargetKey key : keys) {
        ages_.try_emplace(key);
    }
    if (ids != watched_cgroups_) {
        watched_cgroups_ = std::move(ids);
        // What finds no room is looked at every kLookPeriod, like all others.
        if (stream_) {
            static_cast<void>(stream_->watch(watched_cgroups_));
        }
    }
    return targets;
}

void Regions::catch_up(const Wish& wish) {
    const auto found = containers_.find(wish.id);
    if (found != containers_.end() && changed_.contains(wish.id)) {
        look(wish, found->second, std::chrono::steady_clock::now());
    }
}

void Regions::adopt(const PoolState& state) {
    unwatched_ = {state.unwatched.begin(), state.unwatched.end()};
    for (const int kdamond : kdamonds_) {
        if (std::find(state.kdamonds.begin(), state.kdamonds.end(), kdamond) ==
            state.kdamonds.end()) {
            decoder_.forget(kdamond);
        }
    }
    if (kdamonds_ != state.kdamonds) {
        kdamonds_ = state.kdamonds;
        // What finds no room is missed by the decoder, which counts it.
        if (stream_) {
            static_cast<void>(stream_->watch(kdamonds_));
        }
    }
}

void Regions::drain() {
    events_.clear();
    changes_.clear();
    if (stream_) {
        stream_->drain(events_, changes_);
    }
    // After the stream: an event of a commit is never older than the news of it.
    for (CommitNews& news : handover_->take()) {
        if (news.epoch) {
            decoder_.end(std::move(*news.epoch));
        } else {
            decoder_.begin(news.kdamond, news.begin);
        }
    }
    std::vector<damon::Round> rounds;
    decoder_.feed(events_, rounds);
    for (const damon::Change& change : changes_) {
        changed_[change.cgroup] = change.at;
    }
    take(rounds);
}

void Regions::take(const std::vector<damon::Round>& rounds) {
    for (const damon::Round& round : rounds) {
        if (round.key == damon::kPhysical) {
            if (physical_ != nullptr) {
                physical_->add(round);
            }
        } else if (const auto known = ages_.find(round.key); known != ages_.end()) {
            known->second.add(round, intervals_.aggregation);
        }
    }
}

std::shared_ptr<const model::IdleView> Regions::view(CgroupId id, const Charged& charged) const {
    const auto found = containers_.find(id);
    if (found == containers_.end()) {
        return nullptr;
    }
    const Processes& processes = *found->second.processes;
    ViewFrame frame{.at = TimePoint::max(),
                    .resolution = intervals_.aggregation,
                    .watched = Microseconds(0),
                    .processes = 0,
                    .unwatched = processes.unwatched()};
    std::vector<std::vector<IdleRange>> idle;
    std::vector<const Space*> told;
    for (const Space& space : processes.spaces()) {
        const auto ages = ages_.find(space.key);
        if (unwatched_.contains(space.key)) {
            ++frame.unwatched;
        } else if (ages != ages_.end() && ages->second.watched().count() > 0) {
            frame.at = std::min(frame.at, ages->second.at());
            frame.watched = std::max(frame.watched, ages->second.watched());
            frame.resolution = std::max(frame.resolution, resolution_of(ages->second));
            idle.push_back(ages->second.idle());
            told.push_back(&space);
        }
    }
    if (told.empty()) {
        return nullptr;
    }
    const auto common = files_.of(id);
    frame.common = common;
    frame.processes = static_cast<std::uint32_t>(told.size());
    frame.counted = found->second.looked;
    std::vector<SeenSpace> spaces;
    for (std::size_t i = 0; i < told.size(); ++i) {
        spaces.push_back(
            {idle[i], told[i]->present, told[i]->mappings, ages_.at(told[i]->key).looks()});
    }
    return std::make_shared<const model::IdleView>(idle_view(spaces, charged, frame));
}

/// Without a stream idle times are no finer than the time between two readings.
Microseconds Regions::resolution_of(const Ages& ages) const {
    return stream_ ? intervals_.aggregation : std::max(intervals_.aggregation, ages.step());
}

/// What of a container is watched, and has been looked at.
std::vector<Regions::Told> Regions::told(CgroupId id) const {
    std::vector<Told> all;
    const auto found = containers_.find(id);
    if (found == containers_.end()) {
        return all;
    }
    for (const Space& space : found->second.processes->spaces()) {
        const auto ages = ages_.find(space.key);
        if (!unwatched_.contains(space.key) && ages != ages_.end() &&
            ages->second.watched().count() > 0) {
            all.push_back({&space, &ages->second});
        }
    }
    return all;
}

std::vector<model::ColdSpace> Regions::ranges(CgroupId id, const RangesOf& of) const {
    std::vector<model::ColdSpace> spaces;
    for (const Told& one : told(id)) {
        const std::vector<IdleRange> times = one.ages->idle();
        auto found =
            of({times, one.space->present, one.space->mappings, one.ages->looks()}, *one.ages);
        if (!found.empty()) {
            spaces.push_back({one.space->pid, one.space->pid_start, std::move(found)});
        }
    }
    return spaces;
}

std::vector<model::ColdSpace> Regions::cold(CgroupId id, Microseconds idle) const {
    return ranges(id, [&](const SeenSpace& space, const Ages& ages) {
        return ages.watched() < idle ? std::vector<model::ColdRange>()
                                     : cold_ranges(space, resolution_of(ages), idle);
    });
}

std::vector<model::ColdSpace> Regions::hot(CgroupId id, Microseconds time) const {
    return ranges(id, [&](const SeenSpace& space, const Ages& ages) {
        return hot_ranges(space, resolution_of(ages), time);
    });
}

model::Placement Regions::place(CgroupId id, const std::map<unsigned, cgroup::NodeBytes>& charged,
                                const model::Topology& topology, Microseconds cold) const {
    const std::vector<Told> all = told(id);
    std::vector<std::vector<IdleRange>> times;
    times.reserve(all.size());
    std::vector<PlacedSpace> spaces;
    PlacementOptions options;
    options.cold = cold;
    for (const Told& one : all) {
        times.push_back(one.ages->idle());
        options.resolution = std::max(options.resolution, resolution_of(*one.ages));
        spaces.push_back(
            {one.space->pid,
             {times.back(), one.space->present, one.space->mappings, one.ages->looks()}});
    }
    return monitor::place(spaces, charged, topology, options,
                          [](int pid, auto addresses, auto nodes) {
                              return cgroup::page_nodes(pid, addresses, nodes).has_value();
                          });
}

std::vector<NamedRange> Regions::cuts_of(const Space& space, model::RegionCut cut) const {
    constexpr std::size_t kMaxText = 16U << 20U;
    if (cut == model::RegionCut::mappings) {
        const auto cuts = proc_.read(std::to_string(space.pid) + "/maps", kMaxText)
                              .and_then([](const std::string& text) { return mapping_cuts(text); });
        if (cuts) {
            return *cuts;
        }
    }
    return run_cuts(space.present); // also of a process that ends just now
}

model::RegionMap Regions::map(CgroupId id, model::RegionCut cut) const {
    model::RegionMap map{intervals_.sample, intervals_.aggregation, {}};
    const auto found = containers_.find(id);
    if (found == containers_.end()) {
        return map;
    }
    std::vector<std::uint32_t> looks; // of each space's last round
    for (const Space& space : found->second.processes->spaces()) {
        const auto ages = ages_.find(space.key);
        if (unwatched_.contains(space.key) || ages == ages_.end() ||
            ages->second.watched().count() == 0) {
            continue;
        }
        map.spaces.push_back(
            {space.key, space.pid, ages->second.at(),
             region_rows(ages->second.regions(), cuts_of(space, cut), space.present)});
        looks.push_back(ages->second.looks());
    }
    align_looks(map, looks);
    return map;
}

} // namespace cgtide::monitor
