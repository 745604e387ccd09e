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
    const std::uint64_t total = seen(view).count;
    std::uint64_t passed = 0;
    std::size_t p = 0;
    for (const IdleSlice& slice : view.slices) {
        passed += size(slice).count;
        while (size(slice).count > 0 && p < values.size() && passed >= share_of(total, p)) {
            values.at(p) = proven(view, slice);
            ++p;
        }
    }
    return values;
}

model::ColdBytes cold_bytes(const IdleView& view, Microseconds age) {
    model::ColdBytes cold{.age = age, .anon = {}, .file = {}};
    for (const IdleSlice& slice : view.slices) {
        if (proven(view, slice) >= age) {
            cold.anon = cold.anon + slice.anon;
            cold.file = cold.file + slice.file;
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
                               .unseen = view.unseen,
                               .processes = view.processes,
                               .unwatched = view.unwatched,
                               .choice = view.choice};
    for (const Microseconds age : model::kColdAges) {
        summary.cold.push_back(cold_bytes(view, age));
    }
    return summary;
}

} // namespace cgtide::apps
