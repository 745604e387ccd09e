#include "engine/act/evict.hpp"

#include "engine/act/meter.hpp"

#include <algorithm>
#include <cerrno>
#include <string>

namespace cgtide::act {

namespace {

using model::ColdGenerations;
using model::OutcomeEnd;

constexpr std::uint64_t kPage = 4096;

/// A cgroup's generations; null where the reading has none.
const damon::GroupGenerations* find(const damon::LruGenerations& reading,
                                    const ColdGenerations& cold) {
    const auto group = reading.find(cold.path);
    return group == reading.end() ? nullptr : &group->second;
}

/// ... on one node.
const std::vector<damon::Generation>* generations_of(const damon::GroupGenerations* group,
                                                     unsigned node) {
    if (group == nullptr) {
        return nullptr;
    }
    const auto found = std::find_if(group->nodes.begin(), group->nodes.end(),
                                    [&](const auto& one) { return one.node == node; });
    return found == group->nodes.end() ? nullptr : &found->generations;
}

/// Anonymous pages of the generations up to `last`.
std::uint64_t pages_up_to(const std::vector<damon::Generation>& generations, std::uint64_t last) {
    std::uint64_t pages = 0;
    for (const damon::Generation& one : generations) {
        pages += one.number <= last ? one.anon_pages : 0;
    }
    return pages;
}

/// Evicts one cgroup's generations after the other's.
class Evictor {
public:
    Evictor(const EvictionSite& site, Bytes ask, Interrupt& interrupt, Meter& meter)
        : site_(site), ask_(ask), interrupt_(interrupt), meter_(meter) {}

    /// \returns false where nothing more is to be done.
    bool take(const ColdGenerations& cold) {
        std::uint64_t proven = cold.pages; // that may still leave
        std::optional<Command> before;
        for (;;) {
            const auto reading = look();
            if (!reading) {
                return false;
            }
            const Pages now = pages_of(*reading, cold);
            const bool moved = !before || settle(*before, now, proven);
            if (!before) {
                found_ += std::min(proven, now.old);
                meter_.outcome().found = Bytes{found_ * kPage};
            }
            if (missing().count == 0) {
                return false;
            }
            if (interrupt_.stopped()) {
                meter_.outcome().end = OutcomeEnd::interrupted;
                return false;
            }
            const std::uint64_t wanted = (missing().count + kPage - 1) / kPage;
            const auto next =
                next_eviction(*reading, cold, std::min({proven, now.old, wanted}), site_.anon_only);
            if (!next || !moved) { // what did not move will not now
                return true;
            }
            const auto done = site_.kernel.evict(*next);
            if (!done && done.error().code != std::errc::interrupted) {
                return passes_over(cold, done.error());
            }
            before = Command{now, next->pages};
        }
    }

    /// What has not left yet of what was asked for. Pages that became young count as left, or a
    /// cgroup that grows meanwhile would lose more than was asked for.
    Bytes missing() const { return ask_ - std::max(fallen_, moved_); }

private:
    /// A cgroup's anonymous pages on one node.
    struct Pages {
        std::uint64_t old = 0;      ///< in the generations that were proven; 0 where it is gone
        std::uint64_t youngest = 0; ///< number of the youngest generation
    };
    /// A command, and what was there before it.
    struct Command {
        Pages before;
        std::uint64_t asked = 0;
    };

    /// Books what a command has moved. \returns false where it has moved nothing.
    bool settle(const Command& command, const Pages& now, std::uint64_t& proven) {
        if (now.youngest != command.before.youngest) {
            // Generations may have been merged into younger ones: nobody knows what left.
            proven -= std::min(proven, command.asked);
            return true;
        }
        const std::uint64_t gone = command.before.old - std::min(command.before.old, now.old);
        proven -= std::min(proven, gone);
        moved_ = moved_ + Bytes{gone * kPage};
        return gone > 0;
    }

    /// What the generations are, and how much the cgroup has fallen. \returns nullopt where that
    /// cannot be told: the outcome has ended.
    std::optional<damon::LruGenerations> look() {
        auto reading = site_.kernel.read();
        // After it: where the cgroup is still there, the reading does not tell of its namesake.
        const auto fallen = meter_.fallen();
        if (!reading || !fallen) {
            meter_.end_with(fallen ? reading.error() : fallen.error());
            return std::nullopt;
        }
        fallen_ = *fallen;
        return std::move(*reading);
    }

    Pages pages_of(const damon::LruGenerations& reading, const ColdGenerations& cold) const {
        const auto* generations = generations_of(find(reading, cold), cold.node);
        if (generations == nullptr || !is_the_proven(cold)) {
            return {};
        }
        return {pages_up_to(*generations, cold.last), generations->back().number};
    }

    /// Whether the path is still that of the cgroup whose generations were proven.
    bool is_the_proven(const ColdGenerations& cold) const {
        if (!cold.path.starts_with(site_.path)) {
            return false;
        }
        const std::string below = cold.path.substr(site_.path.size());
        const auto group = site_.group.sub(below.substr(below.starts_with('/') ? 1 : 0));
        const auto id = group ? group->id() : tl::unexpected(group.error());
        return id && *id == cold.group;
    }

    /// After a command that failed: EINVAL is also what comes of a cgroup that has ended. \returns
    /// true where that was an inner one; else the outcome has ended.
    bool passes_over(const ColdGenerations& cold, const Error& error) {
        if (error.code == std::errc::invalid_argument) {
            if (const auto fallen = meter_.fallen(); !fallen) {
                meter_.end_with(fallen.error());
                return false;
            }
            if (!is_the_proven(cold)) {
                return true;
            }
        }
        meter_.end_with(error);
        return false;
    }

    const EvictionSite& site_;
    const Bytes ask_;
    Interrupt& interrupt_;
    Meter& meter_;
    std::uint64_t found_ = 0; ///< proven pages
    Bytes fallen_;            ///< of memory.current
    Bytes moved_;             ///< out of their generations
};

} // namespace

std::optional<damon::Eviction> next_eviction(const damon::LruGenerations& reading,
                                             const ColdGenerations& cold, std::uint64_t pages,
                                             bool anon_only) {
    constexpr std::uint64_t kYoungest = 2; // generations that the kernel does not evict
    const auto* group = find(reading, cold);
    const auto* generations = generations_of(group, cold.node);
    if (generations == nullptr || generations->back().number < kYoungest) {
        return std::nullopt;
    }
    std::uint64_t last = std::min(cold.last, generations->back().number - kYoungest);
    if (!anon_only) {
        last = std::min(last, generations->front().number);
    }
    pages = std::min({pages, pages_up_to(*generations, last), kEvictionChunk.count / kPage});
    if (pages == 0) {
        return std::nullopt;
    }
    return damon::Eviction{group->id, cold.node, last, pages, anon_only};
}

model::Outcome evict(const EvictionSite& site, const model::Decision& decision,
                     std::span<const ColdGenerations> cold, Microseconds deadline,
                     Interrupt& interrupt) {
    Meter meter(site.group, decision);
    if (!meter.failed()) {
        interrupt.arm(deadline);
        Evictor evictor(site, decision.ask, interrupt, meter);
        const bool tried_all = std::all_of(cold.begin(), cold.end(),
                                           [&](const auto& one) { return evictor.take(one); });
        if (tried_all && evictor.missing().count > 0) {
            meter.outcome().end = OutcomeEnd::partial;
        }
        interrupt.disarm();
    }
    return meter.finish();
}

} // namespace cgtide::act
