#include "engine/act/migrate.hpp"

#include "engine/act/meter.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include <sys/syscall.h>
#include <unistd.h>

namespace cgtide::act {

namespace {

using cgroup::Present;
using model::Move;
using model::OutcomeEnd;

constexpr std::uint64_t kPage = 4096;

/// Addresses that are scanned for present pages at a time.
constexpr std::uint64_t kWindow = 64U << 20U;

/// The kernel would leave what another process maps too.
constexpr cgroup::PagemapOptions kTellShared{.tell_shared_anon = true};

bool has_code(const Error& error, int code) {
    return error.code.category() == std::generic_category() && error.code.value() == code;
}

/// Whether the process that a descriptor names still lives: then its number is its own.
bool lives(const UniqueFd& process) {
    return ::syscall(SYS_pidfd_send_signal, process.get(), 0, nullptr, 0) == 0;
}

/// Moves piece by piece.
class Mover {
public:
    Mover(const model::Decision& decision, const MoveTargets& targets, PageMover& kernel,
          MoveLog& log, Interrupt& interrupt, model::Outcome& outcome)
        : decision_(decision), targets_(targets), kernel_(kernel), log_(log), interrupt_(interrupt),
          outcome_(outcome), way_(*decision.move), room_(targets.room) {}

    /// \returns false where nothing more is to be done.
    bool take(HeldSpace& held, SpaceId space, const model::ColdRange& range) {
        for (const AddressRange& part : log_.movable(space, {range.start, range.end}, now())) {
            for (std::uint64_t at = part.start; at < part.end;
                 at += std::min(kWindow, part.end - at)) {
                if (is_over()) {
                    return false;
                }
                runs_.clear();
                if (!held.pages.scan(at, std::min(part.end, at + kWindow), kTellShared, runs_)) {
                    return true; // the process has ended: the others may go on
                }
                if (!take_runs(held, space)) {
                    return false;
                }
            }
        }
        return left().count > 0;
    }

    /// Whether time is over, or who works is to end.
    bool is_over() {
        if (interrupt_.stopped()) {
            outcome_.end = OutcomeEnd::interrupted;
            return true;
        }
        return false;
    }

    /// What has not moved yet of what was asked for.
    Bytes left() const { return decision_.ask - moved_; }

    Bytes moved() const { return moved_; }

private:
    static TimePoint now() { return std::chrono::steady_clock::now(); }

    /// All that is present of a window, a chunk at a time.
    bool take_runs(HeldSpace& held, SpaceId space) {
        addresses_.clear();
        for (const Present& run : runs_) {
            if (run.kind == cgroup::PageKind::anon_shared) {
                continue; // another process maps it too: the kernel would leave it
            }
            for (std::uint64_t at = run.start; at < run.end; at += kPage) {
                addresses_.push_back(at);
                if (addresses_.size() * kPage >= kMoveChunk.count && !send(held, space)) {
                    return false;
                }
            }
        }
        return send(held, space);
    }

    /// Whether some of the pages are where they should not be, by one in so many that a chunk has
    /// kSamples: most of what is hot is in place, and asking for each page costs as much as a move.
    bool has_misplaced(SpaceId space, const std::vector<std::uint64_t>& pages) {
        constexpr std::size_t kSamples = 16;
        std::vector<std::uint64_t> some;
        const std::size_t step = std::max<std::size_t>(pages.size() / kSamples, 1);
        // Others each time: single pages that none of them hits now are hit by a later move.
        for (std::size_t i = static_cast<std::size_t>(now().time_since_epoch().count()) % step;
             i < pages.size(); i += step) {
            some.push_back(pages[i]);
        }
        std::vector<int> nodes(some.size(), -1);
        return !kernel_.where(space.pid, some, nodes) ||
               std::any_of(nodes.begin(), nodes.end(),
                           [this](int node) { return is_source(node); });
    }

    bool is_source(int node) const {
        return node >= 0 && targets_.of.contains(static_cast<unsigned>(node));
    }

    /// Moves what was gathered. \returns false where nothing more is to be done.
    bool send(HeldSpace& held, SpaceId space) {
        const std::vector<std::uint64_t> gathered = std::exchange(addresses_, {});
        if (gathered.empty()) {
            return true;
        }
        if (is_over()) {
            return false;
        }
        if (!lives(held.process) || !has_misplaced(space, gathered)) {
            return true;
        }
        std::vector<int> nodes(gathered.size(), -1);
        if (auto told = kernel_.where(space.pid, gathered, nodes); !told) {
            return fail(told.error());
        }
        std::map<unsigned, std::vector<std::uint64_t>> by_node;
        Bytes found;
        for (std::size_t i = 0; i < nodes.size() && found < left(); ++i) {
            if (is_source(nodes[i])) {
                by_node[static_cast<unsigned>(nodes[i])].push_back(gathered[i]);
                found = found + Bytes{kPage};
            }
        }
        outcome_.found = outcome_.found + found;
        for (const auto& [node, pages] : by_node) {
            if (!send_from(held, space, node, pages)) {
                return false;
            }
        }
        return left().count > 0;
    }

    /// How many pages a target takes now.
    std::size_t pages_for(unsigned target) const {
        const auto room = room_.find(target);
        return refused_.contains(target) ? 0
               : room == room_.end()     ? SIZE_MAX
                                         : static_cast<std::size_t>(room->second.count / kPage);
    }

    /// Whether any node's pages find room somewhere.
    bool has_room() const {
        return std::any_of(targets_.of.begin(), targets_.of.end(), [this](const auto& way) {
            return std::any_of(way.second.begin(), way.second.end(),
                               [this](unsigned target) { return pages_for(target) > 0; });
        });
    }

    /// Moves pages of one node to the first of its targets that take them. \returns false where
    /// no node has any that takes more.
    bool send_from(HeldSpace& held, SpaceId space, unsigned node,
                   std::vector<std::uint64_t> pages) {
        bool has_target = false;
        for (const unsigned target : targets_.of.at(node)) {
            const std::size_t most = std::min(pages_for(target), pages.size());
            if (most == 0) {
                continue;
            }
            if (!lives(held.process)) {
                return true;
            }
            const std::vector<std::uint64_t> some(
                pages.begin(), pages.begin() + static_cast<std::ptrdiff_t>(most));
            const auto done = kernel_.move(space.pid, some, target);
            if (!done && is_end_of_process(done.error())) {
                return true;
            }
            const bool is_refused =
                !done && (has_code(done.error(), EACCES) || has_code(done.error(), ENOMEM) ||
                          is_gone(done.error()));
            if (!done && !is_refused) {
                return fail(done.error());
            }
            // A cpuset is one process's, a node that is full or went away is all processes'.
            if (is_refused && !has_code(done.error(), EACCES)) {
                refused_.insert(target);
            } else {
                has_target = true;
            }
            const std::vector<std::uint64_t> left = settle(space, node, some, target);
            pages.erase(pages.begin(), pages.begin() + static_cast<std::ptrdiff_t>(most));
            if (is_refused) { // the others may take them
                pages.insert(pages.begin(), left.begin(), left.end());
            } else {
                stay(space, left);
            }
            if (pages.empty()) {
                return true;
            }
        }
        if (has_target) {
            stay(space, pages);
        } else if (!has_room()) {
            outcome_.end = OutcomeEnd::partial;
            return false; // all are full, or away
        }
        return true;
    }

    /// Books what of the pages is not on `node` any more. \returns the others.
    std::vector<std::uint64_t> settle(SpaceId space, unsigned node,
                                      const std::vector<std::uint64_t>& pages, unsigned target) {
        std::vector<std::uint64_t> left;
        std::vector<int> nodes(pages.size(), -1);
        if (!kernel_.where(space.pid, pages, nodes)) {
            return left;
        }
        const TimePoint at = now();
        Bytes sum;
        for (std::size_t i = 0; i < pages.size(); ++i) {
            const AddressRange page{pages[i], pages[i] + kPage};
            if (nodes[i] >= 0 && static_cast<unsigned>(nodes[i]) != node) {
                sum = sum + Bytes{kPage};
                outcome_.returned = outcome_.returned + log_.would_return(space, page, way_, at);
                log_.moved(space, page, way_, at);
            } else if (nodes[i] >= 0) {
                left.push_back(pages[i]);
            }
        }
        moved_ = moved_ + sum;
        if (const auto room = room_.find(target); room != room_.end()) {
            room->second = room->second - sum;
        }
        return left;
    }

    void stay(SpaceId space, const std::vector<std::uint64_t>& pages) {
        const TimePoint at = now();
        for (const std::uint64_t page : pages) {
            log_.stayed(space, {page, page + kPage}, at);
        }
        outcome_.stuck = outcome_.stuck + Bytes{pages.size() * kPage};
    }

    /// A process that has ended and was not waited for yet has no memory: EINVAL.
    static bool is_end_of_process(const Error& error) {
        return has_code(error, ESRCH) || has_code(error, EINVAL);
    }

    /// \returns true where it concerns one process alone, which is left out.
    bool fail(const Error& error) {
        if (is_end_of_process(error) || is_gone(error)) {
            return true;
        }
        outcome_.end = OutcomeEnd::failed;
        outcome_.error =
            error.code.category() == std::generic_category() ? error.code.value() : EIO;
        return false;
    }

    const model::Decision& decision_;
    const MoveTargets& targets_;
    PageMover& kernel_;
    MoveLog& log_;
    Interrupt& interrupt_;
    model::Outcome& outcome_;
    Move way_;
    std::vector<Present> runs_;
    std::vector<std::uint64_t> addresses_; ///< the chunk
    std::set<unsigned> refused_;           ///< targets that take no more
    std::map<unsigned, Bytes> room_;       ///< what is left of the targets' room
    Bytes moved_;
};

/// All ranges in the order in which they should move.
std::vector<ColdPiece> in_order(std::span<const model::ColdSpace> spaces, Move way) {
    std::vector<ColdPiece> pieces = by_age(spaces);
    if (way != Move::demote) {
        std::reverse(pieces.begin(), pieces.end());
    }
    return pieces;
}

void migrate_all(const PageoutSite& site, std::span<const model::ColdSpace> spaces, Move way,
                 OwnPlacements& own, Mover& mover, Meter& meter) {
    forget_old(own, std::chrono::steady_clock::now());
    std::vector<std::optional<HeldSpace>> held(spaces.size());
    for (std::size_t i = 0; i < spaces.size(); ++i) {
        auto space = hold(site, spaces[i]);
        if (space) {
            held[i] = std::move(*space);
        } else if (has_code(space.error(), EACCES)) {
            meter.fail_with(space.error());
            return;
        }
    }
    for (const ColdPiece& piece : in_order(spaces, way)) {
        const model::ColdSpace& space = spaces[piece.space];
        if (!held[piece.space]) {
            continue;
        }
        if (mover.is_over()) {
            return;
        }
        for (const auto& part : left_to_kernel(own, site.proc, space, piece.range)) {
            if (!mover.take(*held[piece.space], {space.pid, space.pid_start}, part)) {
                return;
            }
        }
    }
    if (mover.left().count > 0) {
        meter.outcome().end = OutcomeEnd::partial;
    }
}

} // namespace

model::Outcome migrate(const PageoutSite& site, const model::Decision& decision,
                       std::span<const model::ColdSpace> spaces, const MoveTargets& targets,
                       PageMover& mover, MoveMemory& memory, Microseconds deadline,
                       Interrupt& interrupt) {
    Meter meter(site.group, decision);
    meter.outcome().move = decision.move;
    Bytes moved;
    if (deadline.count() <= 0) {
        meter.outcome().end = OutcomeEnd::interrupted;
    } else if (!meter.failed() && decision.move) {
        memory.log.remember_for(deadline);
        interrupt.arm(deadline);
        Mover work(decision, targets, mover, memory.log, interrupt, meter.outcome());
        migrate_all(site, spaces, *decision.move, memory.own, work, meter);
        moved = work.moved();
        if (moved.count == 0) {
            memory.own.looks.clear(); // it may all be placed by its process, and not for long
        }
        interrupt.disarm();
        memory.log.forget(std::chrono::steady_clock::now());
    }
    model::Outcome outcome = meter.finish();
    outcome.taken = moved;
    return outcome;
}

} // namespace cgtide::act
