#include "engine/monitor/ages.hpp"

#include <algorithm>
#include <limits>

namespace cgtide::monitor {

namespace {

using damon::Range;
using damon::Region;

/// Calls `visit(range, piece or nullptr, region's index)` for each part of the regions, cut where
/// pieces begin and end. What a region repeats of the one before it is skipped.
template <class Piece, class Visit>
void overlay(const std::vector<Piece>& pieces, const std::vector<Region>& regions, Visit visit) {
    std::size_t first = 0;
    std::uint64_t told = 0;
    for (std::size_t i = 0; i < regions.size(); ++i) {
        Range left{std::max(regions[i].range.start, told), regions[i].range.end};
        told = std::max(told, left.end);
        while (first < pieces.size() && pieces[first].range.end <= left.start) {
            ++first;
        }
        for (std::size_t j = first; left.start < left.end; ++j) {
            if (j == pieces.size() || pieces[j].range.start >= left.end) {
                visit(left, static_cast<const Piece*>(nullptr), i);
                break;
            }
            const Range& piece = pieces[j].range;
            if (piece.start > left.start) {
                visit(Range{left.start, piece.start}, static_cast<const Piece*>(nullptr), i);
                left.start = piece.start;
            }
            const std::uint64_t end = std::min(left.end, piece.end);
            visit(Range{left.start, end}, &pieces[j], i);
            left.start = end;
        }
    }
}

/// Adds it to the ones before; what differs from the last in its range alone goes on from there.
template <class Told>
void append(std::vector<Told>& all, Told next) {
    if (!all.empty() && all.back().range.end == next.range.start) {
        Told longer = all.back();
        longer.range = next.range;
        if (longer == next) {
            all.back().range.end = next.range.end;
            return;
        }
    }
    all.push_back(next);
}

/// How many of 20 looks it would have been.
std::uint32_t in_twenty(std::uint32_t accesses, std::uint32_t looks) {
    constexpr std::uint32_t kAll = 20;
    return looks == 0 ? 0 : std::min(accesses, looks) * kAll / looks;
}

Microseconds span(TimePoint from, TimePoint to) {
    return std::chrono::duration_cast<Microseconds>(to - from);
}

} // namespace

bool Ages::same_times(const Piece& a, const Piece& b) {
    return a.accesses == b.accesses && a.used == b.used && a.sure == b.sure && a.since == b.since &&
           a.maybe == b.maybe &&
           (!a.maybe ||
            (a.region == b.region && a.first == b.first && a.uses == b.uses && a.found == b.found));
}

void Ages::absorb(Piece& piece, const Piece& next) {
    piece.range.end = next.range.end;
    piece.accesses = std::max(piece.accesses, next.accesses);
    piece.used = std::max(piece.used, next.used);
    piece.sure = std::min(piece.sure, next.sure);
    if (next.since) {
        piece.since = piece.since ? std::min(*piece.since, *next.since) : *next.since;
    }
    if (next.maybe && (!piece.maybe || *piece.maybe < *next.maybe)) {
        piece.maybe = next.maybe;
        piece.first = next.first;
        piece.uses = next.uses;
        piece.found = next.found;
        piece.region = next.region;
    }
}

std::unordered_set<std::uint64_t> Ages::seen_again(const damon::Round& round) const {
    std::unordered_set<std::uint64_t> again;
    overlay(pieces_, round.regions, [&](const Range&, const Piece* piece, std::size_t i) {
        if (piece != nullptr && piece->maybe && round.regions[i].accesses > 0) {
            again.insert(piece->region);
        }
    });
    return again;
}

void Ages::decide(Piece& piece, TimePoint used, bool is_sure) {
    if (!piece.since) {
        piece.since = piece.first;
    }
    piece.used = std::max(piece.used, used);
    if (is_sure) {
        piece.sure = std::max(piece.sure, used);
    }
}

void Ages::use(Piece& piece, const Look& look) const {
    if (!piece.maybe) {
        piece.first = look.at - look.interval;
        piece.uses = 0;
        piece.found = 0;
    } else if (!options_.interleaved && piece.uses + 1 >= options_.firm) {
        decide(piece, *piece.maybe, true); // all but the one that is seen now
    }
    piece.uses = std::min(piece.uses + 1, options_.firm);
    if (options_.interleaved) {
        if (look.found >= options_.whole) {
            decide(piece, look.at, true);
        }
    } else {
        piece.found = std::min(piece.found + look.found, options_.whole);
    }
    piece.maybe = look.at;
    piece.region = look.region;
}

void Ages::miss(Piece& piece, const Look& look) const {
    if (look.explained) {
        piece.maybe.reset();
    } else if (look.at - *piece.maybe > look.interval * options_.patience - look.interval / 2) {
        decide(piece, *piece.maybe, piece.found >= options_.whole);
        piece.maybe.reset();
    }
}

void Ages::step(Piece& piece, const Look& look) const {
    piece.accesses = look.accesses;
    if (look.accesses > 0) {
        use(piece, look);
    } else if (piece.maybe) {
        miss(piece, look);
    }
    // One look may miss, and of uses in a row the last one is undecided. Half an interval of slack:
    // aggregations end a little early or late.
    const int most = piece.maybe ? 2 : 1;
    if (piece.since && look.at - piece.used > look.interval * most + look.interval / 2) {
        piece.since.reset();
    }
}

void Ages::bridge_loss(Piece& piece, const Region& region, const Look& look) const {
    const auto lost = look.at - look.interval - at_;
    if (region.accesses > 0) {
        if (piece.since) { // in use before and after
            piece.sure += piece.sure == piece.used ? lost : TimePoint::duration{};
            piece.used += lost;
        }
        return;
    }
    constexpr std::uint32_t kMostAge = 1'000'000; // far beyond any loss, and no overflow
    const auto age = static_cast<std::int64_t>(std::min(region.age, kMostAge));
    const TimePoint proven = look.at - look.interval * (age + 1);
    if (proven > at_) {
        piece.used = std::max(piece.used, std::min(proven, look.at - look.interval));
    }
}

void Ages::add(const damon::Round& round, Microseconds interval) {
    const bool first = at_ == TimePoint{};
    if (interval <= Microseconds{0} || (!first && round.at <= at_)) {
        return;
    }
    if (first) {
        begin_ = round.at - interval;
    }
    const bool lost = !first && round.at - at_ > interval + interval / 2;
    const auto again = seen_again(round);
    std::vector<Piece> next;
    next.reserve(pieces_.size() + round.regions.size());
    overlay(pieces_, round.regions, [&](const Range& range, const Piece* before, std::size_t i) {
        const Region& region = round.regions[i];
        Piece piece = before != nullptr ? *before : Piece{};
        if (before == nullptr) {
            piece.used = round.at - interval;
            piece.sure = piece.used;
        }
        piece.range = range;
        const Look look{.at = round.at,
                        .interval = interval,
                        .accesses = region.accesses,
                        .found = in_twenty(region.accesses, round.looks),
                        .region = regions_ + i,
                        .explained =
                            piece.maybe && !options_.interleaved && again.contains(piece.region)};
        if (lost && before != nullptr) {
            bridge_loss(piece, region, look);
        }
        step(piece, look);
        if (!next.empty() && next.back().range.end == range.start &&
            same_times(next.back(), piece)) {
            next.back().range.end = range.end;
        } else {
            next.push_back(piece);
        }
    });
    regions_ += round.regions.size();
    pieces_ = std::move(next);
    step_ = first ? interval : span(at_, round.at);
    at_ = round.at;
    looks_ = round.looks;
    bound();
}

Microseconds Ages::idle_of(const Piece& piece) const {
    if (piece.since) {
        return -span(*piece.since, at_);
    }
    if (piece.maybe && piece.uses > 1) {
        return -span(piece.first, at_);
    }
    return std::max(Microseconds{0},
                    span(std::max(piece.maybe.value_or(piece.used), piece.used), at_));
}

Microseconds Ages::most_of(const Piece& piece) const {
    const Microseconds idle = idle_of(piece);
    if (piece.since && piece.sure == piece.used) {
        return idle;
    }
    return std::max(idle, span(piece.sure, at_));
}

void Ages::bound() {
    if (pieces_.size() <= options_.max_pieces) {
        return;
    }
    constexpr auto kApart = std::numeric_limits<std::int64_t>::max();
    const auto distance = [&](const Piece& a, const Piece& b) {
        return a.range.end != b.range.start ? kApart : std::abs((idle_of(a) - idle_of(b)).count());
    };
    std::size_t surplus = pieces_.size() - options_.max_pieces;
    std::vector<std::int64_t> distances;
    distances.reserve(pieces_.size());
    for (std::size_t i = 1; i < pieces_.size(); ++i) {
        distances.push_back(distance(pieces_[i - 1], pieces_[i]));
    }
    std::vector<std::int64_t> sorted = distances;
    const auto last =
        sorted.begin() + static_cast<std::ptrdiff_t>(std::min(surplus, sorted.size()) - 1);
    std::nth_element(sorted.begin(), last, sorted.end());
    std::size_t kept = 0;
    for (std::size_t i = 1; i < pieces_.size(); ++i) {
        const std::int64_t apart = distances[i - 1];
        if (surplus > 0 && apart <= *last && apart != kApart) {
            absorb(pieces_[kept], pieces_[i]);
            --surplus;
        } else {
            pieces_[++kept] = pieces_[i];
        }
    }
    pieces_.resize(kept + 1);
}

void Ages::came(std::span<const Range> fresh, TimePoint at) {
    std::vector<Piece> next;
    next.reserve(pieces_.size() + 2 * fresh.size());
    std::size_t j = 0;
    for (const Piece& piece : pieces_) {
        Piece left = piece;
        while (j < fresh.size() && fresh[j].end <= left.range.start) {
            ++j;
        }
        for (std::size_t k = j; k < fresh.size() && fresh[k].start < left.range.end; ++k) {
            if (fresh[k].start > left.range.start) {
                next.push_back(left);
                next.back().range.end = fresh[k].start;
            }
            Piece used = left;
            used.range = {std::max(left.range.start, fresh[k].start),
                          std::min(left.range.end, fresh[k].end)};
            used.used = std::max(used.used, at);
            used.sure = used.used;
            next.push_back(used);
            left.range.start = used.range.end;
        }
        if (left.range.start < left.range.end) {
            next.push_back(left);
        }
    }
    pieces_ = std::move(next);
    bound();
}

std::vector<IdleRegion> Ages::regions() const {
    std::vector<IdleRegion> regions;
    regions.reserve(pieces_.size());
    for (const Piece& piece : pieces_) {
        append(regions, {piece.range, idle_of(piece), piece.accesses});
    }
    return regions;
}

std::vector<IdleRange> Ages::idle() const {
    std::vector<IdleRange> ranges;
    for (const Piece& piece : pieces_) {
        append(ranges, {piece.range, idle_of(piece), most_of(piece)});
    }
    return ranges;
}

Microseconds Ages::watched() const {
    return span(begin_, at_);
}

} // namespace cgtide::monitor
