#include "engine/core/journal.hpp"

#include <algorithm>

namespace cgtide::core {

namespace {

bool repeats(const model::JournalEntry& before, const model::Decision& decision, bool acted) {
    return !acted && !before.acted && before.app == decision.app &&
           before.reason.code() == decision.reason.code();
}

} // namespace

/// An app's newest entry, where no other app has two after it: apps that decide by turns would else
/// fill the ring with what they repeat.
model::JournalEntry* Journal::newest_entry(model::AppName app) {
    const std::size_t count = std::min(ring_.size(), model::kApps.size());
    for (std::size_t back = 1; back <= count; ++back) {
        model::JournalEntry& entry = ring_[(next_ + ring_.size() - back) % ring_.size()];
        if (entry.app == app) {
            return &entry;
        }
    }
    return nullptr;
}

std::uint64_t Journal::add(const model::Decision& decision, bool acted, std::int64_t wall_ms) {
    if (model::JournalEntry* before = newest_entry(decision.app);
        before != nullptr && repeats(*before, decision, acted)) {
        ++before->repeats;
        before->last_ms = wall_ms;
        before->reason = decision.reason;
        return before->sequence;
    }
    model::JournalEntry entry{.sequence = ++sequence_,
                              .wall_ms = wall_ms,
                              .last_ms = wall_ms,
                              .app = decision.app,
                              .acted = acted,
                              .actuator = decision.actuator,
                              .ask = decision.ask,
                              .reason = decision.reason,
                              .outcome = std::nullopt};
    if (ring_.size() < kCapacity) {
        ring_.push_back(entry);
        next_ = ring_.size() % kCapacity;
    } else {
        ring_[next_] = entry;
        next_ = (next_ + 1) % kCapacity;
        ++dropped_;
    }
    return sequence_;
}

void Journal::settle(std::uint64_t sequence, const model::Outcome& outcome) {
    if (!outcome.move) {
        taken_ = taken_ + outcome.taken;
    }
    const auto entry = std::find_if(ring_.begin(), ring_.end(), [&](const auto& candidate) {
        return candidate.sequence == sequence;
    });
    if (entry != ring_.end()) {
        entry->actuator = outcome.actuator; // another one may have stood in
        entry->outcome = outcome;
    }
}

std::vector<model::JournalEntry> Journal::last(std::size_t limit) const {
    const std::size_t count = limit == 0 ? ring_.size() : std::min(limit, ring_.size());
    std::vector<model::JournalEntry> entries;
    entries.reserve(count);
    for (std::size_t back = count; back > 0; --back) {
        entries.push_back(ring_[(next_ + ring_.size() - back) % ring_.size()]);
    }
    return entries;
}

std::optional<model::JournalEntry> Journal::newest() const {
    if (ring_.empty()) {
        return std::nullopt;
    }
    return last(1).front();
}

} // namespace cgtide::core
