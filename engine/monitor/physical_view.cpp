#include "engine/monitor/physical_view.hpp"

#include "engine/monitor/slices.hpp"

#include <algorithm>
#include <vector>

namespace cgtide::monitor {

namespace {

/// Bytes with the bounds of their idle time.
struct Part {
    std::uint64_t bytes = 0;
    Microseconds least{0};
    Microseconds most{0};
};

/// Bytes of one time: idle for so long, or there for so long.
struct Piece {
    std::uint64_t bytes = 0;
    Microseconds time{0};
};

std::uint64_t sum_of(std::span<const Part> parts) {
    std::uint64_t sum = 0;
    for (const Part& part : parts) {
        sum += part.bytes;
    }
    return sum;
}

/// Lays two rows of bytes beside each other: `visit(bytes, first, second)` up to the shorter's end.
template <class First, class Second, class Visit>
void zip(std::span<const First> first, std::span<const Second> second, Visit visit) {
    std::size_t i = 0;
    std::size_t j = 0;
    std::uint64_t of_first = 0; // that were visited
    std::uint64_t of_second = 0;
    while (i < first.size() && j < second.size()) {
        const std::uint64_t bytes =
            std::min(first[i].bytes - of_first, second[j].bytes - of_second);
        if (bytes > 0) {
            visit(bytes, first[i], second[j]);
        }
        of_first += bytes;
        of_second += bytes;
        if (of_first == first[i].bytes) {
            ++i;
            of_first = 0;
        }
        if (of_second == second[j].bytes) {
            ++j;
            of_second = 0;
        }
    }
}

/// The pieces of `range` by their least or their most idle time, rising. What is not watched is
/// `unknown`.
std::vector<Piece> pieces_in(const damon::Range& range, std::span<const IdleRange> idle,
                             Microseconds IdleRange::*bound, Microseconds unknown) {
    std::vector<Piece> pieces;
    std::uint64_t left = range.end - range.start;
    auto piece = std::partition_point(idle.begin(), idle.end(), [&](const IdleRange& one) {
        return one.range.end <= range.start;
    });
    for (; piece != idle.end() && piece->range.start < range.end; ++piece) {
        const std::uint64_t bytes =
            std::min(piece->range.end, range.end) - std::max(piece->range.start, range.start);
        pieces.push_back({bytes, (*piece).*bound});
        left -= bytes;
    }
    pieces.push_back({left, unknown});
    std::sort(pieces.begin(), pieces.end(),
              [](const Piece& a, const Piece& b) { return a.time < b.time; });
    return pieces;
}

/// The youngest that the bytes of a region can be, each beside the oldest.
void place(const damon::CountedRegion& region, const PhysicalFrame& frame,
           std::vector<Part>& parts) {
    const std::uint64_t length = region.range.end - region.range.start;
    const std::uint64_t bytes = std::min(region.bytes, length); // the last page may be a huge one
    const auto youngest = pieces_in(region.range, frame.idle, &IdleRange::idle, Microseconds{0});
    auto oldest = pieces_in(region.range, frame.idle, &IdleRange::most, frame.watched);
    std::uint64_t others = length - bytes;
    for (Piece& piece : oldest) {
        const std::uint64_t passed = std::min(others, piece.bytes);
        piece.bytes -= passed;
        others -= passed;
    }
    zip(std::span<const Piece>(youngest), std::span<const Piece>(oldest),
        [&](std::uint64_t count, const Piece& least, const Piece& most) {
            parts.push_back({count, least.time, std::max(least.time, most.time)});
        });
}

/// For how long as many bytes as there are have been there at most, rising.
std::vector<Piece> stays(std::span<const Presence::Step> presence, TimePoint at,
                         std::uint64_t bytes) {
    std::vector<Piece> all;
    std::uint64_t known = 0;
    for (const Presence::Step& step : presence) {
        const auto stay = std::chrono::duration_cast<Microseconds>(at - step.since);
        all.push_back({step.bytes - known, std::max(stay, Microseconds{0})});
        known = step.bytes;
    }
    all.push_back({bytes - std::min(bytes, known), Microseconds{0}});
    std::reverse(all.begin(), all.end());
    return all;
}

/// No more bytes can have been idle for a time than there were.
std::vector<Part> with_most(std::vector<Part> parts, std::span<const Piece> stays) {
    std::sort(parts.begin(), parts.end(),
              [](const Part& a, const Part& b) { return a.most > b.most; });
    const std::vector<Piece> longest(stays.rbegin(), stays.rend());
    std::vector<Part> bounded;
    zip(std::span<const Part>(parts), std::span<const Piece>(longest),
        [&](std::uint64_t bytes, const Part& part, const Piece& stay) {
            bounded.push_back({bytes, part.least, std::min(part.most, stay.time)});
        });
    return bounded;
}

/// Those that came may be the ones in the places that have been idle for longest. So of C bytes in
/// places that have been idle for a time, C less those that came within it are: which is to say
/// that of all idle times and all stays the shorter half counts.
std::vector<Part> bounded(std::vector<Part> parts, std::span<const Presence::Step> presence,
                          TimePoint at) {
    std::uint64_t left = sum_of(parts);
    const std::vector<Piece> all_stays = stays(presence, at, left);
    parts = with_most(std::move(parts), all_stays);
    std::sort(parts.begin(), parts.end(), [](const Part& a, const Part& b) {
        return a.least != b.least ? a.least < b.least : a.most < b.most;
    });
    std::vector<Part> kept;
    std::vector<Piece> came;
    auto part = parts.begin();
    for (auto stay = all_stays.begin(); left > 0;) {
        const bool is_part =
            part != parts.end() && (stay == all_stays.end() || part->least <= stay->time);
        const std::uint64_t bytes = std::min(left, is_part ? part->bytes : stay->bytes);
        left -= bytes;
        if (is_part) {
            kept.push_back({bytes, part->least, std::max(part->least, part->most)});
            part->bytes -= bytes;
            part += part->bytes == 0 ? 1 : 0;
        } else {
            came.push_back({bytes, stay->time});
            ++stay;
        }
    }
    // The others have as many bytes as those that came.
    std::vector<Part> others(part, parts.end());
    std::sort(others.begin(), others.end(),
              [](const Part& a, const Part& b) { return a.most < b.most; });
    zip(std::span<const Part>(others), std::span<const Piece>(came),
        [&](std::uint64_t bytes, const Part& other, const Piece& stay) {
            kept.push_back({bytes, stay.time, std::max(stay.time, other.most)});
        });
    return kept;
}

void add(Slices& slices, const PlacedPages& pages, const PhysicalFrame& frame) {
    std::vector<Part> parts;
    for (const damon::CountedRegion& region : pages.regions) {
        place(region, frame, parts);
    }
    for (const Part& part : bounded(std::move(parts), pages.presence, frame.at)) {
        const Bytes bytes{part.bytes};
        const ToldIdle told = told_idle(part.least, part.most, frame.resolution);
        const Bytes unsure = told.is_sure ? Bytes{} : bytes;
        slices.add(told.idle, pages.pages == damon::PageClass::anon
                                  ? KindBytes{bytes, {}, unsure, {}}
                                  : KindBytes{{}, bytes, {}, unsure});
    }
}

} // namespace

model::IdleView physical_view(std::span<const PlacedPages> pages, const Charged& charged,
                              const PhysicalFrame& frame) {
    Slices slices(frame.resolution);
    for (const PlacedPages& one : pages) {
        add(slices, one, frame);
    }
    slices.scale_down({charged.anon, charged.file});
    const KindBytes seen = slices.sum();
    model::IdleView view;
    view.source = model::IdleSource::physical;
    view.at = frame.at;
    view.resolution = frame.resolution;
    view.watched = frame.watched;
    view.slices = slices.at_most(model::IdleView::kMaxSlices);
    view.unseen = (charged.anon - seen.anon) + (charged.file - seen.file);
    return view;
}

model::IdleView with_page_cache(const model::IdleView& view, const PlacedPages& unmapped,
                                const Charged& charged, const PhysicalFrame& frame) {
    Bytes seen;
    for (const model::IdleSlice& slice : view.slices) {
        seen = seen + slice.file;
    }
    Slices found(view.resolution);
    add(found, unmapped, frame);
    found.scale_down({{}, std::min(charged.file - seen, view.unseen)});
    const Bytes more = found.sum().file;
    for (const model::IdleSlice& slice : view.slices) {
        found.add(slice.idle, {slice.anon, slice.file, slice.unsure, {}});
    }
    model::IdleView whole = view;
    whole.source = model::IdleSource::regions_and_physical;
    whole.slices = found.at_most(model::IdleView::kMaxSlices);
    whole.unseen = view.unseen - more;
    whole.page_cache = model::PageCache::seen;
    return whole;
}

} // namespace cgtide::monitor
