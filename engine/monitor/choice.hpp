#pragma once

#include "engine/model/idle.hpp"
#include "engine/model/policy.hpp"
#include "engine/monitor/idle_view.hpp"
#include "engine/monitor/physical.hpp"

#include <memory>

namespace cgtide::monitor {

/// The views of one container; null where a sensor has none.
struct IdleViews {
    std::shared_ptr<const model::IdleView> regions;
    std::shared_ptr<const model::IdleView> generations;
    std::shared_ptr<const model::IdleView> physical{};
};

/// Which view a container is told by, with its reason; null where there is none. Pure.
///
/// Regions tell idle times to a second, file memory too, and cost less; so they are taken unless
/// they see less of the container than generations do. Physical regions tell least of a container
/// and cost most, and are left where there is nothing else. A sensor that has just begun knows no
/// idle time: it takes over from the other once it has watched for as long, or for a minute.
/// Source: docs/design/idle-time.md.
std::shared_ptr<const model::IdleView> choose(const IdleViews& views, model::IdleSensor sensor);

/// Whether a container is worth walks of generations: always where they alone may tell, never where
/// regions alone may; else where regions see less than 4/5 of its anonymous memory. Where it is
/// walked already (`views.generations`) it goes on to be until regions see 9/10 and could take
/// over, for what the walks have learned is lost at their end. `regions_work` says whether there
/// are regions on this node; `lived` for how long the container has been watched: regions need a
/// moment to begin. Pure.
bool wants_generations(model::IdleSensor sensor, bool regions_work, const IdleViews& views,
                       const Charged& charged, Microseconds lived);

/// What physical regions are to tell beside the sensors that work on this node. Pure.
PhysicalUse physical_use(model::IdleSensor sensor, bool regions_work, bool generations_work);

} // namespace cgtide::monitor
