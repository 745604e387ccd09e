#include "engine/apps/idle.hpp"

#include <algorithm>

namespace cgtide::apps {

namespace {

using model::IdleSlice;
using model::IdleView;
using model::seen;

Bytes size(const IdleSlice& slice) {
    return slice.anon + slice.file;
}

Microseconds proven(const IdleView& view, const IdleSlice& slice) {
    return std::min(slice.idle, view.watched);
}

/// The least number of bytes that is p % of `total`, without overflow.
std::uint64_t share_of(std::uint64_t total, std::uint64_t p) {
    return total / 100 * p + (total % 100 * p + 99) / 100;
}

} // namespace

model::IdlePercentiles percentiles(const IdleView& view) {
    model::IdlePercentiles values{};
    const Bytes sure = seen(view) - unsure(view);
    const bool by_all = sure.count == 0;
    const std::uint64_t total = by_all ? seen(view).count : sure.count;
    std::uint64_t passed = 0;
    std::size_t p = 0;
    for (const IdleSlice& slice : view.slices) {
        const Bytes counted = by_all ? size(slice) : size(slice) - slice.unsure;
        passed += counted.count;
        while (counted.count > 0 && p < values.size() && passed >= share_of(total, p)) {
            values.at(p) = proven(view, slice);
            ++p;
        }
    }
    return values;
}

model::ColdBytes cold_bytes(const IdleView& view, Microseconds age) {
    model::ColdBytes cold{.age = age, .anon = {}, .file = {}, .unsure = {}};
    for (const IdleSlice& slice : view.slices) {
        if (proven(view, slice) >= age) {
            cold.anon = cold.anon + slice.anon;
            cold.file = cold.file + slice.file;
        } else {
            cold.unsure = cold.unsure + slice.unsure;
        }
    }
    return cold;
}

Bytes working_set(const IdleView& view, Microseconds window) {
    const model::ColdBytes cold = cold_bytes(view, window);
    return seen(view) - (cold.anon + cold.file);
}

model::IdleSummary summarise(const IdleView& view) {
    model::IdleSummary summary{.source = view.source,
                               .at = view.at,
                               .resolution = view.resolution,
                               .watched = view.watched,
                               .percentiles = percentiles(view),
                               .cold = {},
                               .working_set = working_set(view, model::kWorkingSetWindow),
                               .seen = seen(view),
                               .unsure = unsure(view),
                               .unseen = view.unseen,
                               .processes = view.processes,
                               .unwatched = view.unwatched,
                               .choice = view.choice,
                               .cpu = view.cpu,
                               .page_cache = view.page_cache};
    for (const Microseconds age : model::kColdAges) {
        summary.cold.push_back(cold_bytes(view, age));
    }
    return summary;
}

} // namespace cgtide::apps
