#pragma once

#include "engine/damon/physical_slot.hpp"
#include "engine/monitor/ages.hpp"
#include "engine/monitor/idle_view.hpp"
#include "engine/monitor/presence.hpp"

#include <span>

namespace cgtide::monitor {

/// Pages of one class of a container, as last counted.
struct PlacedPages {
    damon::PageClass pages = damon::PageClass::file;
    std::span<const damon::CountedRegion> regions; ///< rising
    std::span<const Presence::Step> presence;      ///< of the sum of `regions`
};

/// What is known of physical memory.
struct PhysicalFrame {
    TimePoint at{};             ///< of `idle`
    Microseconds resolution{0}; ///< over 0
    Microseconds watched{0};
    std::span<const IdleRange> idle; ///< Ages::idle(), interleaved
};

/// A container's idle memory by physical address. Pure.
///
/// Which of the bytes of a region are the container's is not known, nor which parts of it they lie
/// in. So they count as the youngest part of the region, and are unsure where the oldest part is
/// older; what was not there yet counts as having come at the last count before which it was
/// missing. What is charged and not counted is `unseen`.
model::IdleView physical_view(std::span<const PlacedPages> pages, const Charged& charged,
                              const PhysicalFrame& frame);

/// `view`, which is of regions, with page cache that no process maps taken from `unseen`. Pure.
model::IdleView with_page_cache(const model::IdleView& view, const PlacedPages& unmapped,
                                const Charged& charged, const PhysicalFrame& frame);

} // namespace cgtide::monitor
