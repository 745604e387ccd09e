#pragma once

#include "engine/damon/lru_gen.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace cgtide::monitor {

/// Pages that were in use no later than a time.
struct UsedUntil {
    TimePoint used{};
    std::uint64_t pages = 0;

    bool operator==(const UsedUntil&) const = default;
};

/// The oldest generations, of which all pages but few were not used after a time.
struct ProvenGenerations {
    std::uint64_t last = 0;  ///< the number of the youngest of them
    std::uint64_t pages = 0; ///< not used after that time, of all of them together

    bool operator==(const ProvenGenerations&) const = default;
};

/// Whether the generation `number` was begun within `since` before the reading, give or take a tick
/// of the kernel's clock: so that a command was a walk. Linux 6.12 takes a command and walks
/// nothing where reclaim has begun that generation before.
bool was_begun(const damon::NodeGenerations& reading, std::uint64_t number, Microseconds since);

/// Since when the anonymous pages of one cgroup on one node have been idle. The kernel keeps four
/// generations; what is older is remembered here. Pure.
///
/// A full walk of the page tables puts what was used since the walk before into the generation that
/// was the youngest, and begins a new one. So a page that sits in an older generation has not been
/// used since the generation above its own was made. Which pages leave a generation is not told:
/// those that were idle for longest count as gone, and what came is young. Thus the sum of pages
/// that are told as idle for any time is never more than there are, but for pages that came
/// straight into an old generation (read ahead from swap) while as many of it were used.
class GenerationLedger {
public:
    /// Times of one generation that are kept apart at most; beyond that the closest are joined to
    /// the younger.
    static constexpr std::size_t kMaxTimes = 64;

    /// Of proven generations, one page in so many at most is not proven idle itself: fewer than
    /// what may come back of what leaves before reclaim holds (apps::kRefaultLimit). They leave
    /// last, for what was merged into a generation leaves before its own pages.
    static constexpr std::uint64_t kFewUnproven = 32;

    /// Takes what the kernel says at `read`, after a full walk that ended at `walked`. Of the first
    /// reading nothing counts as idle: unknown age is not old age.
    void add(const damon::NodeGenerations& reading, TimePoint walked, TimePoint read);

    /// When the last full walk ended; no use after it is known.
    TimePoint walked() const { return walked_; }

    /// All pages, those of the youngest generation as used at walked(). In no order.
    std::vector<UsedUntil> pages() const;

    /// The generations whose pages were not used after `until`; none of the two youngest, which the
    /// kernel does not evict.
    std::optional<ProvenGenerations> proven(TimePoint until) const;

private:
    using Times = std::vector<UsedUntil>; ///< rising

    Times carried(std::uint64_t first, std::uint64_t number) const;

    std::map<std::uint64_t, Times> held_; ///< by number of the generation
    std::uint64_t youngest_ = 0;
    TimePoint walked_{};
    bool known_ = false; ///< there was a reading before
};

} // namespace cgtide::monitor
