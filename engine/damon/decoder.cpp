#include "engine/damon/decoder.hpp"

#include <algorithm>
#include <utility>

namespace cgtide::damon {

void Decoder::begin(int kdamond, TimePoint at) {
    auto& committing = kdamonds_[kdamond].committing;
    committing = std::min(committing.value_or(at), at);
}

void Decoder::end(Epoch epoch) {
    Kdamond& kdamond = kdamonds_[epoch.kdamond];
    kdamond.committing.reset();
    if (kdamond.epochs.size() == kMaxEpochs) {
        kdamond.epochs.erase(kdamond.epochs.begin());
    }
    kdamond.epochs.push_back(std::move(epoch));
}

void Decoder::forget(int kdamond) {
    const auto found = kdamonds_.find(kdamond);
    if (found == kdamonds_.end()) {
        return;
    }
    counters_.unknown += found->second.held.size();
    break_round(found->second);
    kdamonds_.erase(found);
}

void Decoder::feed(std::span<const Event> events, std::vector<Round>& rounds) {
    for (auto& [pid, kdamond] : kdamonds_) {
        for (const Event& event : std::exchange(kdamond.held, {})) {
            sort(kdamond, event, rounds);
        }
    }
    counters_.events += events.size();
    for (const Event& event : events) {
        const auto found = kdamonds_.find(event.kdamond);
        if (found == kdamonds_.end()) {
            ++counters_.unknown;
        } else {
            sort(found->second, event, rounds);
        }
    }
}

std::size_t Decoder::waiting() const {
    std::size_t count = 0;
    for (const auto& [pid, kdamond] : kdamonds_) {
        count += kdamond.held.size() + kdamond.regions.size();
    }
    return count;
}

/// Holds what is younger than an unfinished commit; another may have begun since it was held.
void Decoder::sort(Kdamond& kdamond, const Event& event, std::vector<Round>& rounds) {
    if (kdamond.committing && event.at >= *kdamond.committing) {
        hold(kdamond, event);
    } else {
        take(kdamond, event, rounds);
    }
}

void Decoder::hold(Kdamond& kdamond, const Event& event) {
    if (kdamond.held.size() == kMaxHeld) {
        for (const Event& old : std::exchange(kdamond.held, {})) {
            starts_round(kdamond, old);
            break_round(kdamond);
            ++counters_.in_commit;
        }
    }
    kdamond.held.push_back(event);
}

void Decoder::take(Kdamond& kdamond, const Event& event, std::vector<Round>& rounds) {
    const bool starts = starts_round(kdamond, event);
    const auto later =
        std::find_if(kdamond.epochs.begin(), kdamond.epochs.end(),
                     [&event](const Epoch& epoch) { return epoch.begin > event.at; });
    if (later == kdamond.epochs.begin()) {
        break_round(kdamond);
        ++counters_.unknown;
        return;
    }
    // Events come in the order of time, so that nobody will ask for the older ones again.
    kdamond.epochs.erase(kdamond.epochs.begin(), later - 1);
    const Epoch& epoch = kdamond.epochs.front();
    if (event.at <= epoch.end) {
        break_round(kdamond);
        ++counters_.in_commit;
        return;
    }
    if (starts || kdamond.epoch != epoch.begin) {
        break_round(kdamond);
    }
    if (starts) {
        kdamond.in_step = true;
        kdamond.epoch = epoch.begin;
    }
    add(kdamond, event, epoch, rounds);
}

void Decoder::add(Kdamond& kdamond, const Event& event, const Epoch& epoch,
                  std::vector<Round>& rounds) {
    if (event.index >= epoch.keys.size()) {
        ++counters_.unknown;
        return;
    }
    const TargetKey key = epoch.keys[event.index];
    if (key == kSentinel) {
        ++counters_.sentinel;
        return;
    }
    if (!kdamond.in_step) {
        ++counters_.incomplete;
        return;
    }
    kdamond.regions.push_back(event.region);
    if (kdamond.regions.size() < event.nr_regions) {
        return;
    }
    kdamond.in_step = false;
    kdamond.finished = true;
    counters_.told += kdamond.regions.size();
    rounds.push_back({.key = key,
                      .at = event.at,
                      .regions = std::exchange(kdamond.regions, {}),
                      .looks = epoch.looks});
}

/// Follows the kdamond's sequence. True where the event is the first of a round: a kdamond tells
/// target after target and region after region by rising address, and after a gap nothing is known
/// of where it is.
bool Decoder::starts_round(Kdamond& kdamond, const Event& event) {
    const std::uint32_t gap = event.sequence - kdamond.next;
    if (kdamond.counting && gap != 0) {
        // A sequence that went back belongs to a watch that began anew.
        counters_.lost += gap < UINT32_MAX / 2 ? gap : 0;
        kdamond.last.reset();
        break_round(kdamond);
    }
    kdamond.counting = true;
    kdamond.next = event.sequence + 1;
    const std::optional<Event> before = std::exchange(kdamond.last, event);
    const bool finished = std::exchange(kdamond.finished, false);
    if (event.nr_regions == 1 || (finished && before)) {
        return true;
    }
    return before && (event.index != before->index || event.nr_regions != before->nr_regions ||
                      event.region.range.start < before->region.range.end);
}

void Decoder::break_round(Kdamond& kdamond) {
    counters_.incomplete += kdamond.regions.size();
    kdamond.regions.clear();
    kdamond.in_step = false;
}

} // namespace cgtide::damon
