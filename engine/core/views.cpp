#include "engine/apps/age_proof.hpp"
#include "engine/apps/reclaim.hpp"
#include "engine/apps/table.hpp"
#include "engine/core/engine.hpp"
#include "engine/core/offload.hpp"

#include <algorithm>
#include <chrono>

namespace cgtide::core {

model::ContainerSummary Engine::summarise(const Container& container) {
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

namespace {

Microseconds age_of(const model::IdleSummary& idle) {
    const auto age = std::chrono::steady_clock::now() - idle.at;
    return std::max(std::chrono::duration_cast<Microseconds>(age), Microseconds(0));
}

/// The last figures of `stat`, and how old they are now.
std::optional<model::IdleFigures> figures_of(const Container& container) {
    if (!container.stat || !container.stat->idle) {
        return std::nullopt;
    }
    return model::IdleFigures{*container.stat->idle, age_of(*container.stat->idle)};
}

model::StatRow stat_row(const Container& container) {
    model::StatRow row;
    row.name = container.policy.name;
    row.id = container.record.id;
    row.ended = container.ended();
    if (container.snapshot) {
        row.usage = container.snapshot->usage;
        row.swap = container.snapshot->swap_usage;
        row.kinds = container.snapshot->stat;
    }
    if (container.stat) {
        row.memory_pressure = container.stat->memory_pressure;
        row.io_pressure = container.stat->io_pressure;
        row.refaults_per_second = container.stat->refaults_per_second;
        row.idle = container.stat->idle;
    }
    if (row.idle) {
        row.idle_age = age_of(*row.idle);
    }
    return row;
}

} // namespace

/// Why there are no figures, and what to do about it.
std::string Engine::why_no_idle(const Container& container) const {
    const std::string no_regions = why_no_regions();
    const std::string& name = container.policy.name;
    if (container.ended()) {
        return name + " has ended, and no sensor told of it before";
    }
    const auto running = container.apps();
    if (std::find(running.begin(), running.end(), model::AppName::stat) == running.end()) {
        return "app stat is not attached to " + name + "; cgtide attach " + name +
               " stat attaches it";
    }
    const Microseconds period = apps::find(model::AppName::stat).needs(container.policy).period;
    return "no sensor has told of " + name + " yet; the first figures come within " +
           format_duration(2 * period) +
           " of attaching stat, on a node with a sensor for idle times: see cgtide doctor" +
           (no_regions.empty() ? "" : "; no regions: " + no_regions);
}

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

std::vector<model::StatRow> Engine::stats(bool all) const {
    std::vector<model::StatRow> rows;
    for (const Pointer& container : registry_.list(all)) {
        rows.push_back(stat_row(*container));
    }
    return rows;
}

Result<model::StatRow> Engine::stat(std::string_view name) const {
    return registry_.find(name).map([](const Pointer& found) { return stat_row(*found); });
}

Result<PastTimes> Engine::history(std::string_view name) const {
    return registry_.find(name).map([](const Pointer& found) {
        return PastTimes{summarise(*found), found->history.points()};
    });
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
    detail.idle = figures_of(container);
    if (container.snapshot) {
        detail.floor = apps::reclaim_floor(container.policy, *container.snapshot);
        const Microseconds idle = container.policy.reclaim.idle;
        if (container.snapshot->stat && apps::prove_age(*container.snapshot, idle).known) {
            detail.age = "proven";
        }
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

Result<IdleTimes> Engine::idle(std::string_view name) const {
    const auto found = registry_.find(name);
    if (!found) {
        return tl::unexpected(found.error());
    }
    const Container& container = **found;
    auto figures = figures_of(container);
    if (!figures) {
        return fail(Errc::unsupported, "idle", std::string(kNoIdleView) + why_no_idle(container));
    }
    return IdleTimes{summarise(container), std::move(*figures), why_no_regions()};
}

boost::asio::awaitable<Result<RegionTimes>> Engine::regions(std::string name,
                                                            model::RegionCut cut) {
    const auto found = registry_.find(name);
    if (!found) {
        co_return tl::unexpected(found.error());
    }
    const Pointer& container = *found;
    const auto refuse = [&](const std::string& why) {
        return fail(Errc::unsupported, "regions", std::string(kNoIdleView) + why);
    };
    if (container->ended()) {
        co_return refuse(container->policy.name + " has ended: its memory is gone");
    }
    if (!watching_) {
        const std::string why = why_no_regions();
        co_return refuse("no container is watched by regions: " +
                         (why.empty() ? "see cgtide doctor" : why));
    }
    const auto look = [&] {
        return options_.sensor.regions->map(container->id, cut);
    };
    auto map = co_await offload(sensors_, look);
    if (map.spaces.empty()) {
        co_return refuse(why_no_idle(*container));
    }
    co_return RegionTimes{summarise(*container), std::move(map)};
}

} // namespace cgtide::core
