#pragma once

#include "cgroup/base/units.hpp"
#include "engine/damon/types.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <unordered_set>
#include <vector>

namespace cgtide::monitor {

/// Bounds and rules of Ages; docs/design/idle-time.md has the evidence for the numbers.
struct AgesOptions {
    std::size_t max_pieces = 2048; ///< more only where a round has more ranges that lie apart
    int patience = 2; ///< aggregations after which a use that nothing explains counts for all of it
    int firm = 10;    ///< uses in a row that no later round takes back
    std::uint32_t whole = 18; ///< looks in 20 that found it in use, in a row, after which all was
    /// Pages of several uses lie side by side in each region, as in physical memory: a use in one
    /// part explains nothing of another, and it is beyond doubt only where `whole` looks of one
    /// aggregation found it.
    bool interleaved = false;
};

/// How long one range has been idle: for `idle` at least, for `most` at most. The two differ where
/// it was seen in use together with its neighbours, and nothing tells yet which of them was.
struct IdleRange {
    damon::Range range;
    Microseconds idle{0}; ///< since it was last seen in use; below 0: in use for so long already
    Microseconds most{0}; ///< since it was last in use beyond doubt

    bool operator==(const IdleRange&) const = default;
};

/// ... and what the last aggregation saw of it.
struct IdleRegion {
    damon::Range range;
    Microseconds idle{0};
    std::uint32_t accesses = 0; ///< looks that found it in use

    bool operator==(const IdleRegion&) const = default;
};

/// When each byte of one watched address space was last seen in use. Pure: neither an action nor a
/// commit that makes DAMON count anew reaches it.
///
/// A region with accesses says that a part of it was in use, not which. So uses in a row are
/// undecided at first. They are taken back from a part that is seen idle while another part of the
/// region is in use again, for that one explains them; where none is, they count for the whole
/// region after `patience` rounds. From `firm` uses in a row on, all but the last are decided. What
/// is undecided, or was decided for a whole region of which few looks found it in use, counts as
/// used, but not beyond doubt.
class Ages {
public:
    explicit Ages(AgesOptions options = {}) : options_(options) {}

    /// Takes a round of an aggregation of `interval`. A range that was not in the round before
    /// counts as used when this round began; one that is not in this round is forgotten. Where
    /// rounds were lost in between, idleness counts as far as DAMON's own age of a region proves
    /// it. A round that is no younger than the last is dropped.
    void add(const damon::Round& round, Microseconds interval);

    /// Pages that came since they were last looked at: used at `at`, whatever DAMON saw.
    void came(std::span<const damon::Range> fresh, TimePoint at);

    /// As of at(), by rising address; neighbours differ.
    std::vector<IdleRange> idle() const;

    /// Idle times at least, with accesses: neighbours differ in either.
    std::vector<IdleRegion> regions() const;

    /// The end of the last round; the epoch before the first.
    TimePoint at() const { return at_; }

    /// For how long it has been watched at at().
    Microseconds watched() const;

    /// Time between the ends of the last two rounds.
    Microseconds step() const { return step_; }

    /// How often the last round looked at each of its regions; 0 before the first.
    std::uint32_t looks() const { return looks_; }

    std::size_t pieces() const { return pieces_.size(); }

private:
    struct Piece {
        damon::Range range;
        TimePoint used{};               ///< end of the last aggregation with a decided use
        TimePoint sure{};               ///< ... with a use beyond doubt
        std::optional<TimePoint> since; ///< begin of the unbroken use that lasts until `used`
        // Uses in a row that are undecided:
        std::optional<TimePoint> maybe; ///< end of the last one's aggregation
        TimePoint first{};              ///< begin of the first one's aggregation
        int uses = 0;                   ///< at most `firm`: earlier ones are decided
        std::uint32_t found = 0;        ///< looks in 20 that found it in use; at most `whole`
        std::uint64_t region = 0;       ///< which region the last one was seen in
        std::uint32_t accesses = 0;     ///< of the last round
    };

    /// What a round says of a piece.
    struct Look {
        TimePoint at{};
        Microseconds interval{0};
        std::uint32_t accesses = 0;
        std::uint32_t found = 0; ///< accesses in 20 looks
        std::uint64_t region = 0;
        bool explained = false; ///< another part of the region of `maybe` is in use again
    };

    static bool same_times(const Piece& a, const Piece& b);
    static void absorb(Piece& piece, const Piece& next);
    static void decide(Piece& piece, TimePoint used, bool is_sure);
    void use(Piece& piece, const Look& look) const;
    void miss(Piece& piece, const Look& look) const;
    void step(Piece& piece, const Look& look) const;
    void bridge_loss(Piece& piece, const damon::Region& region, const Look& look) const;
    std::unordered_set<std::uint64_t> seen_again(const damon::Round& round) const;
    Microseconds idle_of(const Piece& piece) const;
    Microseconds most_of(const Piece& piece) const;
    void bound();

    AgesOptions options_;
    std::vector<Piece> pieces_; ///< rising, apart
    TimePoint begin_{};
    TimePoint at_{};
    Microseconds step_{0};
    std::uint32_t looks_ = 0;
    std::uint64_t regions_ = 0; ///< numbered so far
};

} // namespace cgtide::monitor
