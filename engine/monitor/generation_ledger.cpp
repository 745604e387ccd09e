#include "engine/monitor/generation_ledger.hpp"

#include <algorithm>

namespace cgtide::monitor {

namespace {

std::uint64_t sum(const std::vector<UsedUntil>& times) {
    std::uint64_t pages = 0;
    for (const UsedUntil& time : times) {
        pages += time.pages;
    }
    return pages;
}

/// Takes pages away, those that were idle for longest first.
void take_oldest(std::vector<UsedUntil>& times, std::uint64_t pages) {
    for (UsedUntil& time : times) {
        const std::uint64_t taken = std::min(time.pages, pages);
        time.pages -= taken;
        pages -= taken;
    }
    std::erase_if(times, [](const UsedUntil& time) { return time.pages == 0; });
}

/// Joins the closest neighbours, as used at the later time.
void bound(std::vector<UsedUntil>& times, std::size_t most) {
    while (times.size() > most) {
        std::size_t closest = 1;
        for (std::size_t i = 2; i < times.size(); ++i) {
            if (times[i].used - times[i - 1].used < times[closest].used - times[closest - 1].used) {
                closest = i;
            }
        }
        times[closest].pages += times[closest - 1].pages;
        times.erase(times.begin() + static_cast<std::ptrdiff_t>(closest) - 1);
    }
}

} // namespace

bool was_begun(const damon::NodeGenerations& reading, std::uint64_t number, Microseconds since) {
    constexpr Microseconds kTick{10'000};
    return std::any_of(reading.generations.begin(), reading.generations.end(),
                       [&](const damon::Generation& generation) {
                           return generation.number == number && generation.age <= since + kTick;
                       });
}

/// What is known of a generation's pages, and where it is the first that is left, of those of the
/// generations below it, which it has taken in.
GenerationLedger::Times GenerationLedger::carried(std::uint64_t first, std::uint64_t number) const {
    Times times;
    for (const auto& [held, pages] : held_) {
        // What has come to the youngest since is not known, nor then what is left of the others.
        if (held >= youngest_ || (first == number && number >= youngest_)) {
            break;
        }
        if (held == number || (number == first && held < first)) {
            times.insert(times.end(), pages.begin(), pages.end());
        }
    }
    std::sort(times.begin(), times.end(),
              [](const UsedUntil& a, const UsedUntil& b) { return a.used < b.used; });
    return times;
}

void GenerationLedger::add(const damon::NodeGenerations& reading, TimePoint walked,
                           TimePoint read) {
    std::map<std::uint64_t, Times> next;
    const auto& generations = reading.generations;
    for (std::size_t i = 0; i < generations.size(); ++i) {
        const std::uint64_t number = generations[i].number;
        const std::uint64_t pages = generations[i].anon_pages;
        const bool is_youngest = i + 1 == generations.size();
        // No page of it was used after the next one was made.
        const TimePoint closed =
            is_youngest ? walked : std::min(walked, read - generations[i + 1].age);
        Times times;
        if (known_ && !is_youngest) {
            times = carried(generations.front().number, number);
            const std::uint64_t before = sum(times);
            take_oldest(times, before - std::min(before, pages));
        }
        const std::uint64_t more = pages - sum(times);
        if (more > 0) {
            // A generation that was closed already takes in what comes from elsewhere.
            const bool was_closed = number < youngest_;
            times.push_back({known_ && !was_closed ? closed : walked, more});
        }
        bound(times, kMaxTimes);
        next.emplace(number, std::move(times));
    }
    held_ = std::move(next);
    youngest_ = generations.empty() ? 0 : generations.back().number;
    walked_ = walked;
    known_ = true;
}

std::vector<UsedUntil> GenerationLedger::pages() const {
    std::vector<UsedUntil> all;
    for (const auto& [number, times] : held_) {
        all.insert(all.end(), times.begin(), times.end());
    }
    return all;
}

std::optional<ProvenGenerations> GenerationLedger::proven(TimePoint until) const {
    constexpr std::uint64_t kYoungest = 2;
    std::optional<ProvenGenerations> proven;
    std::uint64_t all = 0;
    std::uint64_t idle = 0;
    for (const auto& [number, times] : held_) {
        for (const UsedUntil& time : times) {
            all += time.pages;
            idle += time.used <= until ? time.pages : 0;
        }
        if (number + kYoungest > youngest_ || kFewUnproven * (all - idle) > all) {
            break;
        }
        if (idle > 0) { // an empty one may take in those below it by the time of an eviction
            proven = {number, idle};
        }
    }
    return proven;
}

} // namespace cgtide::monitor
