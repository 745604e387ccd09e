#pragma once

#include "cgroup/base/units.hpp"
#include "engine/model/decision.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

namespace cgtide::act {

/// One address space, by a process that has it.
struct SpaceId {
    int pid = 0;
    std::uint64_t start = 0; ///< clock ticks after boot

    auto operator<=>(const SpaceId&) const = default;
};

/// Addresses; `end` is not included.
struct AddressRange {
    std::uint64_t start = 0;
    std::uint64_t end = 0;

    bool operator==(const AddressRange&) const = default;
};

/// Which addresses of a container were moved, or could not be, and when: what moved is left alone
/// for a while, and what goes back soon is told. One request at a time uses it.
class MoveLog {
public:
    /// For so long what was moved, or could not be, is left alone.
    static constexpr Microseconds kSettle{20'000'000};
    /// For so long at least a move the other way counts as a return: a hot set that comes back each
    /// minute is none.
    static constexpr Microseconds kRemember{30'000'000};
    /// Ranges that are kept; beyond, all of the earlier half of kRemember are forgotten, and then
    /// all.
    static constexpr std::size_t kMostRanges = 16'384;

    /// What decides has `period` between two looks: with long ones returns are told for longer, or
    /// none would ever be seen.
    void remember_for(Microseconds period);

    /// Notes that a range was moved at `at`; an earlier note of the same addresses is replaced.
    void moved(SpaceId space, AddressRange range, model::Move way, TimePoint at);

    /// ... or that it was tried and stayed.
    void stayed(SpaceId space, AddressRange range, TimePoint at);

    /// The parts of a range that may be moved at `at`, rising.
    std::vector<AddressRange> movable(SpaceId space, AddressRange range, TimePoint at) const;

    /// Bytes of a range that were moved the other way a short time before `at`.
    Bytes would_return(SpaceId space, AddressRange range, model::Move way, TimePoint at) const;

    /// Forgets what is too old to tell of a return, and what is too much.
    void forget(TimePoint at);

    std::size_t size() const;

private:
    struct Note {
        std::uint64_t end = 0;
        TimePoint at{};
        model::Move way = model::Move::promote;
        bool has_moved = false;
    };
    using Notes = std::map<std::uint64_t, Note>; ///< by start; apart

    void put(SpaceId space, AddressRange range, const Note& note);
    void forget_before(TimePoint at);

    std::map<SpaceId, Notes> spaces_;
    Microseconds remember_ = kRemember;
};

} // namespace cgtide::act
