#include "engine/act/move_log.hpp"

#include <algorithm>
#include <iterator>

namespace cgtide::act {

namespace {

/// The first note that ends after `start`.
template <class Notes>
auto first_over(Notes& notes, std::uint64_t start) {
    auto at = notes.upper_bound(start);
    if (at != notes.begin() && std::prev(at)->second.end > start) {
        --at;
    }
    return at;
}

} // namespace

/// Cuts what the notes hold of the range, and puts the new one there; neighbours that say the same
/// are joined.
void MoveLog::put(SpaceId space, AddressRange range, const Note& note) {
    Notes& notes = spaces_[space];
    for (auto at = first_over(notes, range.start); at != notes.end() && at->first < range.end;) {
        const std::uint64_t start = at->first;
        const Note old = at->second;
        at = notes.erase(at);
        if (start < range.start) {
            Note head = old;
            head.end = range.start;
            notes.emplace(start, head);
        }
        if (old.end > range.end) {
            at = notes.emplace(range.end, old).first;
        }
    }
    const auto before = notes.lower_bound(range.start);
    if (before != notes.begin()) {
        Note& last = std::prev(before)->second;
        if (last.end == range.start && last.at == note.at && last.way == note.way &&
            last.has_moved == note.has_moved) {
            last.end = range.end;
            return;
        }
    }
    Note kept = note;
    kept.end = range.end;
    notes.emplace(range.start, kept);
}

void MoveLog::remember_for(Microseconds period) {
    remember_ = std::max(kRemember, kSettle + 2 * period);
}

void MoveLog::moved(SpaceId space, AddressRange range, model::Move way, TimePoint at) {
    put(space, range, {range.end, at, way, true});
}

void MoveLog::stayed(SpaceId space, AddressRange range, TimePoint at) {
    put(space, range, {range.end, at, model::Move::promote, false});
}

std::vector<AddressRange> MoveLog::movable(SpaceId space, AddressRange range, TimePoint at) const {
    std::vector<AddressRange> parts;
    std::uint64_t from = range.start;
    if (const auto notes = spaces_.find(space); notes != spaces_.end()) {
        for (auto note = first_over(notes->second, range.start);
             note != notes->second.end() && note->first < range.end; ++note) {
            if (at - note->second.at >= kSettle) {
                continue;
            }
            if (note->first > from) {
                parts.push_back({from, note->first});
            }
            from = std::max(from, note->second.end);
        }
    }
    if (from < range.end) {
        parts.push_back({from, range.end});
    }
    return parts;
}

Bytes MoveLog::would_return(SpaceId space, AddressRange range, model::Move way,
                            TimePoint at) const {
    Bytes sum;
    const auto notes = spaces_.find(space);
    if (notes == spaces_.end()) {
        return sum;
    }
    for (auto note = first_over(notes->second, range.start);
         note != notes->second.end() && note->first < range.end; ++note) {
        const bool is_back = note->second.way != way && way != model::Move::home &&
                             note->second.way != model::Move::home;
        if (note->second.has_moved && is_back && at - note->second.at < remember_) {
            sum = sum +
                  Bytes{std::min(note->second.end, range.end) - std::max(note->first, range.start)};
        }
    }
    return sum;
}

void MoveLog::forget_before(TimePoint at) {
    for (auto& [space, notes] : spaces_) {
        std::erase_if(notes, [&](const auto& entry) { return entry.second.at < at; });
    }
    std::erase_if(spaces_, [](const auto& entry) { return entry.second.empty(); });
}

void MoveLog::forget(TimePoint at) {
    forget_before(at - remember_);
    if (size() > kMostRanges) {
        forget_before(at - remember_ / 2);
    }
    if (size() > kMostRanges) {
        spaces_.clear();
    }
}

std::size_t MoveLog::size() const {
    std::size_t count = 0;
    for (const auto& [space, notes] : spaces_) {
        count += notes.size();
    }
    return count;
}

} // namespace cgtide::act
