#pragma once

#include "engine/model/decision.hpp"

#include <optional>
#include <vector>

namespace cgtide::core {

/// What was decided for one container, why, and what came of it: a bounded ring. Equal decisions of
/// an app in a row that ask for nothing are one entry with a count, the latest inputs and both
/// times.
class Journal {
public:
    static constexpr std::size_t kCapacity = 96;

    /// Records a decision. `acted` says that an outcome will follow. \returns its sequence number,
    /// which settle() takes.
    std::uint64_t add(const model::Decision& decision, bool acted, std::int64_t wall_ms);

    /// Adds the outcome to the entry; nothing happens where the ring has let it go.
    void settle(std::uint64_t sequence, const model::Outcome& outcome);

    /// The last `limit` entries, oldest first; 0 means all.
    std::vector<model::JournalEntry> last(std::size_t limit) const;

    /// The newest entry.
    std::optional<model::JournalEntry> newest() const;

    /// Entries that the ring has let go.
    std::uint64_t dropped() const { return dropped_; }

    /// Bytes that outcomes report as taken, since the container was registered; moves between
    /// memory tiers take none.
    Bytes taken() const { return taken_; }

private:
    std::vector<model::JournalEntry> ring_; ///< grows to kCapacity, then wraps at next_
    std::size_t next_ = 0;
    std::uint64_t sequence_ = 0;
    std::uint64_t dropped_ = 0;
    Bytes taken_;

    model::JournalEntry* newest_entry(model::AppName app);
};

} // namespace cgtide::core
