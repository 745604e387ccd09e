#include "engine/monitor/generations.hpp"

#include "engine/monitor/slices.hpp"

#include <algorithm>
#include <ctime>

namespace cgtide::monitor {

namespace {

constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kNone = UINT64_MAX; ///< no generation

/// CPU time of this thread. Source: clock_gettime(2).
Microseconds cpu_time() {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return Microseconds(static_cast<std::int64_t>(time.tv_sec) * 1'000'000 + time.tv_nsec / 1000);
}

Microseconds between(TimePoint from, TimePoint to) {
    return std::chrono::duration_cast<Microseconds>(std::max(to, from) - from);
}

const damon::NodeGenerations* find(const damon::LruGenerations& reading, const std::string& path,
                                   unsigned node) {
    const auto group = reading.find(path);
    if (group == reading.end()) {
        return nullptr;
    }
    const auto& nodes = group->second.nodes;
    const auto found =
        std::find_if(nodes.begin(), nodes.end(), [&](const auto& one) { return one.node == node; });
    return found == nodes.end() ? nullptr : &*found;
}

} // namespace

model::IdleView generation_view(const GenerationFigures& figures, const Charged& charged) {
    constexpr Microseconds kStep{1'000'000};
    std::vector<UsedUntil> anon = figures.anon;
    std::sort(anon.begin(), anon.end(),
              [](const UsedUntil& a, const UsedUntil& b) { return a.used < b.used; });
    Slices slices(kStep);
    Bytes all;
    for (const UsedUntil& time : anon) {
        all = all + Bytes{time.pages * kPage};
    }
    Bytes others = std::max(charged.shmem, all - charged.anon);
    for (const UsedUntil& time : anon) {
        const Bytes bytes{time.pages * kPage};
        const Bytes taken = std::min(bytes, others);
        others = others - taken;
        slices.add(between(time.used, figures.at), {bytes - taken, Bytes{}});
    }
    model::IdleView view;
    view.source = model::IdleSource::generations;
    view.at = figures.at;
    view.counted = figures.counted;
    view.resolution = std::max(figures.resolution, kStep);
    view.watched = figures.watched;
    view.slices = slices.at_most(model::IdleView::kMaxSlices);
    view.cpu = figures.cost;
    view.unseen = charged.anon + charged.file - model::seen(view);
    return view;
}

std::vector<model::ColdGenerations> cold_generations(const GenerationFigures& figures,
                                                     Microseconds idle) {
    std::vector<model::ColdGenerations> cold;
    for (const NodeLedger& one : figures.ledgers) {
        if (const auto proven = one.ledger.proven(figures.at - idle)) {
            cold.push_back({one.group, one.path, one.node, proven->last, proven->pages});
        }
    }
    std::sort(cold.begin(), cold.end(),
              [](const auto& one, const auto& other) { return one.pages > other.pages; });
    return cold;
}

TimePoint next_turn(TimePoint begin, Microseconds cost) {
    constexpr auto kStep = Generations::kLeastPeriod;
    const Microseconds wait =
        std::min(std::chrono::duration_cast<Microseconds>(cost / Generations::kShare),
                 Generations::kMostPeriod);
    const auto steps = std::max<std::int64_t>((wait + kStep - Microseconds(1)) / kStep, 1);
    return TimePoint((begin.time_since_epoch() / kStep + steps) * kStep);
}

/// Forgets what is not wished for. \returns the wishes whose turn it is.
std::vector<const Wish*> Generations::keep(const std::vector<Wish>& wishes) {
    std::map<CgroupId, Watched> kept;
    std::vector<const Wish*> due;
    const TimePoint now = clock_();
    for (const Wish& wish : wishes) {
        auto node = containers_.extract(wish.id);
        const auto entry =
            node.empty() ? kept.try_emplace(wish.id).first : kept.insert(std::move(node)).position;
        if (entry->second.due <= now) {
            entry->second.due = next_turn(now, {}); // unless its walk says another
            due.push_back(&wish);
        }
    }
    containers_ = std::move(kept);
    return due;
}

Result<void> Generations::read() {
    const TimePoint begin = clock_();
    auto reading = kernel_->read();
    if (!reading) {
        return tl::unexpected(reading.error());
    }
    reading_ = std::move(*reading);
    asked_ = begin;
    read_ = clock_();
    return {};
}

Result<void> Generations::walk(const std::vector<Wish>& wishes) {
    const std::vector<const Wish*> due = keep(wishes);
    if (due.empty()) {
        return {};
    }
    if (auto done = read(); !done) {
        return done;
    }
    std::vector<Turn> turns;
    for (const Wish* wish : due) {
        cgroup::SubtreeOptions how;
        how.excluded = wish->excluded;
        const auto subtree = cgroup::walk_subtree(wish->group->dir(), wish->path, how);
        if (!subtree) {
            continue; // it has ended: its event comes by another way
        }
        Turn turn;
        turn.watched = &containers_.at(wish->id);
        age(*subtree, turn);
        turns.push_back(std::move(turn));
    }
    if (auto done = read(); !done) {
        return done;
    }
    for (const Turn& turn : turns) {
        take(turn);
    }
    return {};
}

void Generations::age(const cgroup::Subtree& subtree, Turn& turn) {
    turn.begin = clock_();
    const Microseconds before = cpu_time();
    for (const cgroup::SubtreeNode& group : subtree.nodes) {
        const auto known = reading_.find(group.path);
        if (known == reading_.end()) { // it came after the reading, or its path stands twice
            for (const auto& [key, held] : turn.watched->held) {
                if (key.group == group.id) {
                    turn.walked.push_back({key, group.path, {}, {}, kNone});
                }
            }
            continue;
        }
        turn.known = true;
        for (const damon::NodeGenerations& node : known->second.nodes) {
            const auto& generations = node.generations;
            if (std::all_of(generations.begin(), generations.end(),
                            [](const auto& one) { return one.anon_pages == 0; })) {
                continue; // each walk is of all page tables, whatever node the pages are on
            }
            const std::uint64_t youngest = generations.back().number;
            Walked walked{{group.id, node.node}, group.path, clock_(), {}, youngest + 1};
            // Whether it was made is seen in the next reading.
            static_cast<void>(kernel_->age(known->second.id, node.node, youngest));
            walked.end = clock_();
            turn.walked.push_back(std::move(walked));
        }
    }
    turn.cost = cpu_time() - before;
}

/// The generations after a walk; null where it cannot be told from one that reclaim made, which
/// leaves page tables out.
const damon::NodeGenerations* Generations::proof(const Walked& walked) const {
    const auto* reading = find(reading_, walked.path, walked.key.node);
    const bool made =
        reading != nullptr && was_begun(*reading, walked.made, between(walked.begin, read_));
    return made ? reading : nullptr;
}

void Generations::take(const Turn& turn) {
    Watched& watched = *turn.watched;
    watched.due = next_turn(turn.begin, turn.cost);
    std::map<Key, Held> held;
    for (const Walked& walked : turn.walked) {
        const auto known = watched.held.find(walked.key);
        const auto* reading = proof(walked);
        if (reading == nullptr &&
            (known == watched.held.end() || known->second.missed >= kMostMissed)) {
            continue;
        }
        Held entry = known == watched.held.end() ? Held{} : std::move(known->second);
        if (reading == nullptr) {
            ++entry.missed;
        } else {
            entry.path = walked.path;
            entry.ledger.add(*reading, walked.end, read_);
            entry.begun = walked.begin;
            entry.counted = asked_;
            entry.missed = 0;
        }
        held.emplace(walked.key, std::move(entry));
    }
    watched.held = std::move(held);
    if (watched.held.empty() && (!turn.known || !turn.walked.empty())) {
        watched.figures = nullptr;
        return;
    }
    const auto figures = std::make_shared<GenerationFigures>();
    figures->at = turn.begin;
    figures->counted = asked_;
    figures->cost = turn.cost;
    for (const auto& [key, one] : watched.held) {
        figures->at = std::min(figures->at, one.begun);
        figures->counted = std::min(figures->counted, one.counted);
        const auto pages = one.ledger.pages();
        figures->anon.insert(figures->anon.end(), pages.begin(), pages.end());
        figures->ledgers.push_back({key.group, one.path, key.node, one.ledger});
    }
    if (watched.figures == nullptr) {
        watched.first = figures->at;
    } else if (figures->at > watched.figures->at) {
        figures->resolution = between(watched.figures->at, figures->at);
    } else {
        figures->resolution = watched.figures->resolution;
    }
    figures->watched = between(watched.first, figures->at);
    watched.figures = figures;
}

model::Capability generation_capability() {
    return {.name = "idle times by generations",
            .present = false,
            .probed = "/sys/kernel/debug/lru_gen",
            .detail = "of anonymous memory, for containers that regions do not tell of",
            .without = "where regions do not work, idle times are unknown"};
}

std::shared_ptr<const GenerationFigures> Generations::figures(CgroupId id) const {
    const auto found = containers_.find(id);
    return found == containers_.end() ? nullptr : found->second.figures;
}

} // namespace cgtide::monitor
