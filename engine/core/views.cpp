#include "engine/apps/reclaim.hpp"
#include "engine/core/engine.hpp"

#include <algorithm>

namespace cgtide::core {

namespace {

model::ContainerSummary summarise(const Container& container) {
    model::ContainerSummary row;
    row.name = container.policy.name;
    row.id = container.record.id;
    row.cgroup = container.id;
    row.path = container.record.cgroup_path;
    row.apps = container.apps();
    row.ended = container.ended();
    row.dry_run = container.policy.dry_run;
    if (container.snapshot) {
        row.usage = container.snapshot->usage;
        row.swap = container.snapshot->swap_usage;
    }
    if (container.stat) {
        row.memory_pressure = container.stat->memory_pressure;
    }
    row.taken = container.journal.taken();
    row.registered_ms = container.registered_ms;
    row.last = container.journal.newest();
    row.faults = container.policy.faults.size();
    return row;
}

} // namespace

std::vector<model::ContainerSummary> Engine::list(bool all) const {
    std::vector<model::ContainerSummary> rows;
    for (const Pointer& container : registry_.list(all)) {
        rows.push_back(summarise(*container));
    }
    return rows;
}

std::vector<model::RefusedRecord> Engine::refused() const {
    return registry_.refused();
}

Result<model::ContainerDetail> Engine::inspect(std::string_view name) const {
    const auto found = registry_.find(name);
    if (!found) {
        return tl::unexpected(found.error());
    }
    const Container& container = **found;
    model::ContainerDetail detail;
    detail.summary = summarise(container);
    detail.bundle = container.record.bundle;
    detail.pid = container.record.pid;
    detail.policy = container.policy;
    detail.attached = container.attachment.added;
    detail.detached = container.attachment.removed;
    detail.snapshot = container.snapshot;
    detail.stat = container.stat;
    if (container.snapshot) {
        detail.floor = apps::reclaim_floor(container.policy, *container.snapshot);
    }
    detail.period = container.policy.profile.period;
    return detail;
}

Result<Explanation> Engine::explain(std::string_view name, std::size_t limit) const {
    const auto found = registry_.find(name);
    if (!found) {
        return tl::unexpected(found.error());
    }
    const Container& container = **found;
    return Explanation{summarise(container), container.journal.last(limit),
                       container.journal.dropped()};
}

std::vector<model::Capability> Engine::capabilities() const {
    return options_.capabilities;
}

} // namespace cgtide::core
