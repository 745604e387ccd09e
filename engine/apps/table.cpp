#include "engine/apps/table.hpp"

#include "engine/apps/numa.hpp"
#include "engine/apps/reclaim.hpp"
#include "engine/apps/stat.hpp"
#include "engine/apps/tier.hpp"

#include <array>

namespace cgtide::apps {

std::span<const model::App> table() {
    static const std::array<model::App, 4> apps{stat_app(), tier_app(), numa_app(), reclaim_app()};
    return apps;
}

const model::App& find(model::AppName name) {
    return table()[static_cast<std::size_t>(name)];
}

} // namespace cgtide::apps
