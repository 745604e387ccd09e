#include "engine/act/damos.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace cgtide::act {

namespace {

using cgroup::Present;
using model::ColdRange;

/// Joins cold ranges that touch where one is small or both are of about one age: pages that came
/// back one by one have cut large ranges into many.
std::vector<model::ColdSpace> joined(std::span<const model::ColdSpace> spaces) {
    std::vector<model::ColdSpace> all(spaces.begin(), spaces.end());
    for (model::ColdSpace& space : all) {
        std::vector<ColdRange> ranges;
        for (const ColdRange& next : space.ranges) {
            ColdRange* const last = ranges.empty() ? nullptr : &ranges.back();
            const bool touches = last != nullptr && last->end == next.start;
            if (touches &&
                (std::min(last->end - last->start, next.end - next.start) < kJoinedGap ||
                 2 * std::min(last->idle, next.idle) >= std::max(last->idle, next.idle))) {
                last->end = next.end;
                last->idle = std::min(last->idle, next.idle);
            } else {
                ranges.push_back(next);
            }
        }
        space.ranges = std::move(ranges);
    }
    return all;
}

/// Chooses range by range.
class Chooser {
public:
    Chooser(const model::Decision& decision, std::span<const model::ColdSpace> spaces)
        : decision_(decision) {
        for (const model::ColdSpace& space : spaces) {
            portion_.spaces.push_back({space.pid, space.pid_start, {}});
        }
    }

    bool is_done() const {
        return portion_.bytes >= decision_.ask ||
               (ranges_ == kMostRanges && portion_.found >= decision_.ask);
    }

    void take(HeldSpace& held, const ColdPiece& piece) {
        runs_.clear();
        if (!held.pages.scan(piece.range.start, piece.range.end, {}, runs_)) {
            return; // it has ended: the others may go on
        }
        Candidate next{piece.space, {}, {}};
        for (const Present& run : runs_) {
            if (!is_wanted(run.kind, decision_.pages)) {
                continue;
            }
            if (next.present.count > 0 && run.start - next.range.end >= kJoinedGap) {
                settle(std::exchange(next, {piece.space, {}, {}}));
            }
            const Bytes size = std::min(Bytes{run.end - run.start}, left() - next.present);
            if (size.count == 0) {
                break;
            }
            next.range.start = next.present.count == 0 ? run.start : next.range.start;
            next.range.end = run.start + size.count;
            next.range.idle = piece.range.idle;
            next.present = next.present + size;
        }
        settle(next);
    }

    Portion portion() && {
        for (const Candidate& small : small_) {
            if (left().count > 0) {
                choose(small);
            }
        }
        for (model::ColdSpace& space : portion_.spaces) {
            std::sort(space.ranges.begin(), space.ranges.end(),
                      [](const ColdRange& a, const ColdRange& b) { return a.start < b.start; });
        }
        std::erase_if(portion_.spaces,
                      [](const model::ColdSpace& space) { return space.ranges.empty(); });
        return std::move(portion_);
    }

private:
    struct Candidate {
        std::size_t space = 0; ///< index
        ColdRange range;
        Bytes present;
    };

    Bytes left() const { return decision_.ask - portion_.bytes; }

    void settle(const Candidate& next) {
        portion_.found = std::min(portion_.found + next.present, decision_.ask);
        const Bytes share{decision_.ask.count / (2 * kMostRanges)};
        if (next.present < std::min(share, left())) {
            small_.push_back(next);
        } else {
            choose(next);
        }
    }

    void choose(const Candidate& next) {
        if (next.present.count > 0 && ranges_ < kMostRanges) {
            ++ranges_;
            portion_.spaces[next.space].ranges.push_back(next.range);
            portion_.bytes = portion_.bytes + next.present;
        }
    }

    const model::Decision& decision_;
    Portion portion_;
    std::vector<Candidate> small_;
    std::vector<Present> runs_;
    std::size_t ranges_ = 0; ///< of all spaces
};

} // namespace

Result<Portion> choose_portion(const PageoutSite& site, const model::Decision& decision,
                               std::span<const model::ColdSpace> spaces) {
    std::vector<std::optional<HeldSpace>> held(spaces.size());
    for (std::size_t i = 0; i < spaces.size(); ++i) {
        auto space = hold(site, spaces[i]);
        if (space) {
            held[i] = std::move(*space);
        } else if (space.error().code == std::errc::permission_denied) {
            return tl::unexpected(space.error());
        }
    }
    Chooser chooser(decision, spaces);
    for (const ColdPiece& piece : by_age(joined(spaces))) {
        if (chooser.is_done()) {
            break;
        }
        if (held[piece.space]) {
            chooser.take(*held[piece.space], piece);
        }
    }
    return std::move(chooser).portion();
}

Bytes present_in(const PageoutSite& site, std::span<const model::ColdSpace> spaces,
                 model::Pages pages) {
    Bytes present;
    std::vector<Present> runs;
    for (const model::ColdSpace& space : spaces) {
        auto held = hold(site, space);
        for (const ColdRange& range : space.ranges) {
            runs.clear();
            if (!held || !held->pages.scan(range.start, range.end, {}, runs)) {
                break;
            }
            for (const Present& run : runs) {
                present = present + Bytes{is_wanted(run.kind, pages) ? run.end - run.start : 0};
            }
        }
    }
    return present;
}

} // namespace cgtide::act
