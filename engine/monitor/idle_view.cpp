#include "engine/monitor/idle_view.hpp"

#include "engine/monitor/slices.hpp"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

namespace cgtide::monitor {

namespace {

using cgroup::Mapping;
using cgroup::PageKind;
using cgroup::Present;

/// How long memory has been idle, at least and at most.
struct Bounds {
    Microseconds idle{0};
    Microseconds most{0};
};

/// Where memory that may be seen twice begins and ends. Anonymous memory that a fork left shared
/// stands at one address in both processes, and has no file.
struct Shared {
    FileId file;
    std::uint64_t start = 0;
    std::uint64_t end = 0;
    Bounds bounds;
    PageKind kind = PageKind::file;
    bool is_thin = false; ///< not seen: its own looks cannot tell
};

auto identity(const Shared& shared) {
    return std::tuple(shared.kind, shared.file);
}

/// How many bytes of each neighbourhood are present: whether looks at random addresses can tell
/// anything of it.
class Density {
public:
    static constexpr std::uint64_t kNear = 16U << 20U;

    /// \p present rises.
    Density(std::span<const Present> present, std::uint32_t looks)
        : present_(present), looks_(looks) {}

    /// Whether that much is absent of the neighbourhood of `address` within `range` that fewer than
    /// two and a half looks of a round fall on what is present. Is asked by rising address.
    bool is_thin(std::uint64_t address, const damon::Range& range) {
        const damon::Range near{std::max(address / kNear * kNear, range.start),
                                std::min((address / kNear + 1) * kNear, range.end)};
        if (!(near == near_)) {
            near_ = near;
            thin_ = 2 * looks_ * present_in(near) < 5 * (near.end - near.start);
        }
        return thin_;
    }

private:
    std::uint64_t present_in(const damon::Range& near) {
        while (first_ < present_.size() && present_[first_].end <= near.start) {
            ++first_;
        }
        std::uint64_t bytes = 0;
        for (std::size_t i = first_; i < present_.size() && present_[i].start < near.end; ++i) {
            bytes += std::min(present_[i].end, near.end) - std::max(present_[i].start, near.start);
        }
        return bytes;
    }

    std::span<const Present> present_;
    std::uint64_t looks_;
    std::size_t first_ = 0;
    damon::Range near_;
    bool thin_ = false;
};

/// Cuts at the borders of neighbourhoods, so that each part has one density.
template <class Take>
void for_each_part(damon::Range range, Take take) {
    constexpr std::uint64_t kPart = Density::kNear;
    while (range.start < range.end) {
        const std::uint64_t end = std::min(range.end, (range.start / kPart + 1) * kPart);
        take(damon::Range{range.start, end});
        range.start = end;
    }
}

/// Gathers what is seen of a container's address spaces.
class Gathering {
public:
    explicit Gathering(const ViewFrame& frame)
        : frame_(frame), own_(frame.resolution), common_(own_) {}

    void take(const SeenSpace& space) {
        Density density(space.present, space.looks);
        std::size_t mapping = 0;
        std::size_t first = 0;
        for (const Present& run : space.present) {
            while (first < space.idle.size() && space.idle[first].range.end <= run.start) {
                ++first;
            }
            for (std::size_t i = first;
                 i < space.idle.size() && space.idle[i].range.start < run.end; ++i) {
                const IdleRange& piece = space.idle[i];
                const damon::Range seen{std::max(run.start, piece.range.start),
                                        std::min(run.end, piece.range.end)};
                for_each_part(seen, [&](const damon::Range& part) {
                    const bool is_thin =
                        piece.idle > Microseconds{0} && density.is_thin(part.start, piece.range);
                    if (!is_thin || run.kind == PageKind::file) {
                        note({part, {piece.idle, piece.most}, run.kind, is_thin}, space.mappings,
                             mapping);
                    }
                });
            }
        }
    }

    /// File bytes that its processes map, seen or not. After settle().
    Bytes mapped_file() const { return own_.sum().file + common_.sum().file + thin_file_; }

    /// All bytes, where no more of a kind count than are charged. After settle().
    Slices slices(const Charged& charged) && {
        const Bytes mapped = std::min(charged.file, charged.file_mapped);
        // More than a sixteenth over what is charged: which files are somebody else's is not known.
        if (const Bytes own = own_.sum().file; own.count > mapped.count + mapped.count / 16) {
            own_.doubt_files();
        }
        own_.scale_down({charged.anon, mapped});
        common_.scale_down({{}, mapped - own_.sum().file});
        own_.add_unsure(common_);
        return std::move(own_);
    }

    /// Counts what may have been seen twice, once, by the youngest use.
    void settle() {
        std::sort(shared_.begin(), shared_.end(), [](const Shared& a, const Shared& b) {
            return std::tuple(identity(a), a.start) < std::tuple(identity(b), b.start);
        });
        for (std::size_t i = 0; i < shared_.size();) {
            std::size_t last = i;
            while (last < shared_.size() && identity(shared_[last]) == identity(shared_[i])) {
                ++last;
            }
            settle_one({shared_.data() + i, last - i});
            i = last;
        }
        shared_.clear();
    }

private:
    /// Present pages of one kind and piece.
    struct Part {
        damon::Range range;
        Bounds bounds;
        PageKind kind = PageKind::anon;
        bool is_thin = false;
    };

    void add(Slices& slices, Bytes bytes, bool is_file, const Bounds& bounds) const {
        const ToldIdle told = told_idle(bounds.idle, bounds.most, frame_.resolution);
        const Bytes unsure = told.is_sure ? Bytes{} : bytes;
        slices.add(told.idle,
                   is_file ? KindBytes{{}, bytes, {}, unsure} : KindBytes{bytes, {}, unsure, {}});
    }

    void note(const Part& seen, std::span<const Mapping> mappings, std::size_t& mapping) {
        const damon::Range& part = seen.range;
        if (seen.kind == PageKind::anon) {
            add(own_, {part.end - part.start}, false, seen.bounds);
            return;
        }
        if (seen.kind == PageKind::anon_shared) {
            shared_.push_back({{}, part.start, part.end, seen.bounds, seen.kind});
            return;
        }
        while (mapping < mappings.size() && mappings[mapping].end <= part.start) {
            ++mapping;
        }
        for (std::size_t i = mapping; i < mappings.size() && mappings[i].start < part.end; ++i) {
            const Mapping& file = mappings[i];
            const std::uint64_t start = std::max(file.start, part.start);
            const std::uint64_t bytes = std::min(file.end, part.end) - start;
            const std::uint64_t offset = file.offset + (start - file.start);
            if (offset <= UINT64_MAX - bytes) {
                shared_.push_back({{file.device, file.inode},
                                   offset,
                                   offset + bytes,
                                   seen.bounds,
                                   seen.kind,
                                   seen.is_thin});
            }
        }
    }

    /// Sweeps over one file's ranges.
    void settle_one(std::span<const Shared> ranges) {
        struct Edge {
            std::uint64_t at;
            bool opens;
            bool is_thin;
            Bounds bounds;
        };
        std::vector<Edge> edges;
        edges.reserve(2 * ranges.size());
        for (const Shared& range : ranges) {
            edges.push_back({range.start, true, range.is_thin, range.bounds});
            edges.push_back({range.end, false, range.is_thin, range.bounds});
        }
        std::sort(edges.begin(), edges.end(),
                  [](const Edge& a, const Edge& b) { return a.at < b.at; });
        std::multiset<Microseconds> idle;
        std::multiset<Microseconds> most;
        std::size_t thin = 0;
        std::uint64_t from = 0;
        const bool is_file = ranges.front().kind == PageKind::file;
        const bool is_common =
            is_file &&
            std::binary_search(frame_.common.begin(), frame_.common.end(), ranges.front().file);
        for (const Edge& edge : edges) {
            if (!idle.empty() && edge.at > from) {
                add(is_common ? common_ : own_, {edge.at - from}, is_file,
                    {*idle.begin(), *most.begin()});
            } else if (thin > 0) {
                thin_file_ = thin_file_ + Bytes{edge.at - from};
            }
            from = edge.at;
            if (edge.is_thin) {
                thin += edge.opens ? 1U : std::size_t(-1);
            } else if (edge.opens) {
                idle.insert(edge.bounds.idle);
                most.insert(edge.bounds.most);
            } else {
                idle.erase(idle.find(edge.bounds.idle));
                most.erase(most.find(edge.bounds.most));
            }
        }
    }

    const ViewFrame& frame_;
    Slices own_;
    Slices common_; ///< of files that another container maps too
    std::vector<Shared> shared_;
    Bytes thin_file_; ///< of files: present, and not seen
};

} // namespace

model::IdleView idle_view(std::span<const SeenSpace> spaces, const Charged& charged,
                          const ViewFrame& frame) {
    Gathering gathering(frame);
    for (const SeenSpace& space : spaces) {
        gathering.take(space);
    }
    gathering.settle();
    const Bytes mapped_file = gathering.mapped_file();
    const Slices slices = std::move(gathering).slices(charged);
    const KindBytes seen = slices.sum();
    model::IdleView view;
    view.source = model::IdleSource::regions;
    view.at = frame.at;
    view.resolution = frame.resolution;
    view.watched = frame.watched;
    view.slices = slices.at_most(model::IdleView::kMaxSlices);
    view.unseen = (charged.anon - seen.anon) + (charged.file - seen.file);
    view.processes = frame.processes;
    view.unwatched = frame.unwatched;
    view.counted = frame.counted;
    if (frame.unwatched == 0) {
        view.mapped_file = mapped_file;
    }
    return view;
}

std::vector<model::ColdRange> hot_ranges(const SeenSpace& space, Microseconds resolution,
                                         Microseconds time) {
    std::vector<model::ColdRange> hot;
    for (const IdleRange& piece : space.idle) {
        const Microseconds told = told_idle(piece.idle, piece.most, resolution).idle;
        if (told <= -time) {
            hot.push_back({piece.range.start, piece.range.end, told});
        }
    }
    return hot;
}

std::vector<model::ColdRange> cold_ranges(const SeenSpace& space, Microseconds resolution,
                                          Microseconds idle) {
    std::vector<model::ColdRange> cold;
    Density density(space.present, space.looks);
    for (const IdleRange& piece : space.idle) {
        const Microseconds told = told_idle(piece.idle, piece.most, resolution).idle;
        if (told < idle) {
            continue;
        }
        for_each_part(piece.range, [&](const damon::Range& part) {
            if (density.is_thin(part.start, piece.range)) {
                return;
            }
            if (!cold.empty() && cold.back().end == part.start && cold.back().idle == told) {
                cold.back().end = part.end;
            } else {
                cold.push_back({part.start, part.end, told});
            }
        });
    }
    return cold;
}

} // namespace cgtide::monitor
