#include "engine/monitor/placement.hpp"

#include "engine/monitor/slices.hpp"
#include "engine/monitor/topology.hpp"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

namespace cgtide::monitor {

namespace {

using cgroup::PageKind;
using cgroup::Present;
using model::Heat;

constexpr std::uint64_t kPage = 4096;

std::uint64_t present_pages(std::span<const PlacedSpace> spaces) {
    std::uint64_t pages = 0;
    for (const PlacedSpace& space : spaces) {
        for (const Present& run : space.seen.present) {
            pages += (run.end - run.start) / kPage;
        }
    }
    return pages;
}

/// Bytes of one tier that were seen.
struct Seen {
    model::HeatBytes heat;
    Bytes proven_hot;      ///< of one process
    Bytes shared_hot;      ///< of several
    model::HeatBytes anon; ///< of one process
};

/// Asks for one page of `stride` of what is seen.
class Looker {
public:
    Looker(const model::Topology& topology, const PlacementOptions& options,
           const NodesOf& nodes_of, std::uint64_t stride)
        : options_(options), nodes_of_(nodes_of), stride_(stride * kPage) {
        for (const model::MemoryNode& node : topology.tiers.front().nodes) {
            fast_.insert(node.id);
        }
    }

    void look(const PlacedSpace& space) {
        std::size_t first = 0;
        for (const Present& run : space.seen.present) {
            while (first < space.seen.idle.size() &&
                   space.seen.idle[first].range.end <= run.start) {
                ++first;
            }
            for (std::size_t i = first;
                 i < space.seen.idle.size() && space.seen.idle[i].range.start < run.end; ++i) {
                gather(space.seen.idle[i], run);
            }
        }
        ask(space.pid);
    }

    const Seen& fast() const { return seen_[1]; }
    const Seen& slow() const { return seen_[0]; }

private:
    /// Of a page that is asked for.
    struct Known {
        Microseconds idle;
        PageKind kind;
    };

    void gather(const IdleRange& piece, const Present& run) {
        const Microseconds idle = told_idle(piece.idle, piece.most, options_.resolution).idle;
        std::uint64_t at = std::max(piece.range.start, run.start) + skip_;
        const std::uint64_t end = std::min(piece.range.end, run.end);
        for (; at < end; at += stride_) {
            addresses_.push_back(at / kPage * kPage);
            known_.push_back({idle, run.kind});
        }
        skip_ = at - end; // so that many small ranges are not each asked for a page
    }

    void ask(int pid) {
        nodes_.assign(addresses_.size(), -1);
        if (!addresses_.empty() && nodes_of_(pid, addresses_, nodes_)) {
            for (std::size_t i = 0; i < nodes_.size(); ++i) {
                if (nodes_[i] >= 0) {
                    note(seen_[fast_.contains(static_cast<unsigned>(nodes_[i])) ? 1 : 0],
                         known_[i]);
                }
            }
        }
        addresses_.clear();
        known_.clear();
    }

    void note(Seen& seen, const Known& known) const {
        const Heat heat = model::heat_of(known.idle, options_.cold);
        seen.heat[heat] = seen.heat[heat] + Bytes{stride_};
        const bool is_shared = known.kind == PageKind::anon_shared;
        if (is_shared && heat == Heat::hot) {
            seen.shared_hot = seen.shared_hot + Bytes{stride_};
        }
        if (!is_shared && known.idle <= -kProvenHot) {
            seen.proven_hot = seen.proven_hot + Bytes{stride_};
        }
        if (known.kind == PageKind::anon) {
            seen.anon[heat] = seen.anon[heat] + Bytes{stride_};
        }
    }

    const PlacementOptions& options_;
    const NodesOf& nodes_of_;
    std::uint64_t stride_;
    std::uint64_t skip_ = 0;
    std::set<unsigned> fast_;
    std::vector<std::uint64_t> addresses_;
    std::vector<Known> known_;
    std::vector<int> nodes_;
    std::array<Seen, 2> seen_{};
};

Bytes scaled(Bytes bytes, double by) {
    return {static_cast<std::uint64_t>(static_cast<double>(bytes.count) * by)};
}

/// What was seen is no more than what is charged, for pages of others are mapped too; what was not
/// seen is cool. \returns what of `seen` counts.
double fit(const Seen& seen, Bytes charged, model::HeatBytes& heat) {
    const Bytes sum = seen.heat.sum();
    const double by =
        sum > charged ? static_cast<double>(charged.count) / static_cast<double>(sum.count) : 1.0;
    for (std::size_t i = 0; i < model::kHeats; ++i) {
        heat.of.at(i) = scaled(seen.heat.of.at(i), by);
    }
    heat[Heat::cool] = heat[Heat::cool] + (charged - heat.sum());
    return by;
}

} // namespace

model::Placement place(std::span<const PlacedSpace> spaces,
                       const std::map<unsigned, cgroup::NodeBytes>& charged,
                       const model::Topology& topology, const PlacementOptions& options,
                       const NodesOf& nodes_of) {
    model::Placement placement;
    const std::vector<Bytes> tiers = by_tier(topology, charged);
    if (tiers.empty()) {
        return placement;
    }
    Bytes slow;
    for (std::size_t i = 1; i < tiers.size(); ++i) {
        slow = slow + tiers[i];
    }
    const std::uint64_t pages = present_pages(spaces);
    Looker looker(topology, options, nodes_of,
                  std::max<std::uint64_t>((pages + options.looks - 1) / options.looks, 1));
    for (const PlacedSpace& space : spaces) {
        looker.look(space);
    }
    const double on_fast = fit(looker.fast(), tiers.front(), placement.fast);
    const double on_slow = fit(looker.slow(), slow, placement.slow);
    placement.promotable = scaled(looker.slow().proven_hot, on_slow);
    placement.shared_slow = scaled(looker.slow().shared_hot, on_slow);
    placement.demotable = scaled(looker.fast().heat.sum() - looker.fast().heat[Heat::hot], on_fast);
    for (std::size_t i = 0; i < model::kHeats; ++i) {
        placement.fast_anon.of.at(i) = scaled(looker.fast().anon.of.at(i), on_fast);
    }
    placement.is_known = looker.fast().heat.sum() + looker.slow().heat.sum() > Bytes{};
    return placement;
}

} // namespace cgtide::monitor
