#include "engine/monitor/generations.hpp"

#include "engine/monitor/slices.hpp"

#include <algorithm>
#include <chrono>
#include <ctime>

namespace cgtide::monitor {

namespace {

constexpr std::uint64_t kPage = 4096;

TimePoint now() {
    return std::chrono::steady_clock::now();
}

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
    std::uint64_t shared = charged.shmem.count;
    for (const UsedUntil& time : anon) {
        const std::uint64_t bytes = time.pages * kPage;
        const std::uint64_t taken = std::min(bytes, shared);
        shared -= taken;
        slices.add(between(time.used, figures.at), {Bytes{bytes - taken}, Bytes{}});
    }
    slices.scale_down({charged.anon, charged.file});
    model::IdleView view;
    view.source = model::IdleSource::generations;
    view.at = figures.at;
    view.resolution = std::max(figures.resolution, kStep);
    view.watched = figures.watched;
    view.slices = slices.at_most(model::IdleView::kMaxSlices);
    view.unseen = charged.anon + charged.file - model::seen(view);
    return view;
}

Result<void> Generations::walk(const std::vector<Wish>& wishes) {
    std::map<CgroupId, Watched> kept;
    std::vector<const Wish*> due;
    for (const Wish& wish : wishes) {
        auto node = containers_.extract(wish.id);
        const auto entry =
            node.empty() ? kept.try_emplace(wish.id).first : kept.insert(std::move(node)).position;
        if (entry->second.due <= now()) {
            due.push_back(&wish);
        }
    }
    containers_ = std::move(kept);
    if (due.empty()) {
        return {};
    }
    auto reading = file_.read();
    if (!reading) {
        return tl::unexpected(reading.error());
    }
    reading_ = std::move(*reading);
    struct Round {
        Watched* watched;
        std::vector<Walked> walked;
        TimePoint begin;
        Microseconds cost;
    };
    std::vector<Round> rounds;
    for (const Wish* wish : due) {
        cgroup::SubtreeOptions how;
        how.excluded = wish->excluded;
        const auto subtree = cgroup::walk_subtree(wish->group->dir(), wish->path, how);
        if (!subtree) {
            continue; // it has ended: its event comes by another way
        }
        const TimePoint begin = now();
        const Microseconds before = cpu_time();
        auto walked = age(*subtree);
        rounds.push_back(
            {&containers_.at(wish->id), std::move(walked), begin, cpu_time() - before});
    }
    reading = file_.read();
    if (!reading) {
        return tl::unexpected(reading.error());
    }
    reading_ = std::move(*reading);
    read_ = now();
    for (const Round& round : rounds) {
        take(*round.watched, round.walked, round.begin, round.cost);
    }
    return {};
}

std::vector<Generations::Walked> Generations::age(const cgroup::Subtree& subtree) {
    std::vector<Walked> walked;
    for (const cgroup::SubtreeNode& group : subtree.nodes) {
        const auto known = reading_.find(group.path);
        if (known == reading_.end()) {
            continue; // it came after the reading, or its path stands twice
        }
        for (const damon::NodeGenerations& node : known->second.nodes) {
            // Reclaim may have begun a generation since: then that one is the youngest.
            constexpr int kAttempts = 3;
            const std::uint64_t youngest = node.generations.back().number;
            for (int attempt = 0; attempt < kAttempts; ++attempt) {
                const auto next = youngest + static_cast<std::uint64_t>(attempt);
                const TimePoint from = now();
                if (file_.age(known->second.id, node.node, next)) {
                    walked.push_back({{group.id, node.node}, group.path, next + 1, from, now()});
                    break;
                }
            }
        }
    }
    return walked;
}

void Generations::take(Watched& watched, const std::vector<Walked>& walked, TimePoint begin,
                       Microseconds cost) {
    const auto wait = std::chrono::duration_cast<Microseconds>(cost / kShare);
    watched.due = begin + std::clamp(wait, kLeastPeriod, kMostPeriod);
    std::map<Key, GenerationLedger> ledgers;
    for (const Walked& one : walked) {
        const auto* reading = find(reading_, one.path, one.key.node);
        if (reading == nullptr || !was_begun(*reading, one.begun, between(one.from, read_))) {
            continue; // what is not walked proves nothing: its ledger begins anew
        }
        const auto known = watched.ledgers.find(one.key);
        GenerationLedger ledger =
            known == watched.ledgers.end() ? GenerationLedger() : std::move(known->second);
        ledger.add(*reading, one.at, read_);
        ledgers.emplace(one.key, std::move(ledger));
    }
    watched.ledgers = std::move(ledgers);
    if (watched.ledgers.empty()) {
        watched.figures = nullptr;
        return;
    }
    const auto figures = std::make_shared<GenerationFigures>();
    figures->at = begin;
    figures->cost = cost;
    for (const auto& [key, ledger] : watched.ledgers) {
        const auto pages = ledger.pages();
        figures->anon.insert(figures->anon.end(), pages.begin(), pages.end());
    }
    if (watched.figures == nullptr) {
        watched.first = begin;
    } else {
        figures->resolution = between(watched.figures->at, figures->at);
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
