#include "engine/core/container.hpp"

#include "engine/apps/table.hpp"

#include <algorithm>
#include <utility>

namespace cgtide::core {

namespace {

bool contains(const std::vector<model::AppName>& apps, model::AppName app) {
    return std::find(apps.begin(), apps.end(), app) != apps.end();
}

} // namespace

bool is_share_refused(const Container& container) {
    const auto& faults = container.policy.faults;
    return std::any_of(faults.begin(), faults.end(), [](const model::PolicyFault& fault) {
        return fault.app == model::AppName::tier && fault.key.ends_with("tier.fast");
    });
}

std::vector<model::AppName> Container::apps() const {
    std::vector<model::AppName> running;
    for (const model::AppName app : model::kApps) {
        const bool wanted = policy.runs(app) || contains(attachment.added, app);
        if (wanted && !contains(attachment.removed, app)) {
            running.push_back(app);
        }
    }
    return running;
}

std::optional<TimePoint> Container::due() const {
    std::optional<TimePoint> first;
    for (const auto& tenant : tenants) {
        if (tenant && (!first || tenant->due < *first)) {
            first = tenant->due;
        }
    }
    return first;
}

void Container::postpone(TimePoint now) {
    for (const model::App& app : apps::table()) {
        auto& tenant = tenants[static_cast<std::size_t>(app.name)];
        if (tenant && tenant->due <= now) {
            tenant->due = next_due(now, app.needs(policy).period);
        }
    }
}

model::Needs Container::needs(TimePoint now) const {
    std::optional<model::Needs> all;
    for (const model::App& app : apps::table()) {
        const auto& tenant = tenants[static_cast<std::size_t>(app.name)];
        if (tenant && tenant->due <= now) {
            const model::Needs needs = app.needs(policy);
            all = all ? model::merge(*all, needs) : needs;
        }
    }
    if (!all) {
        return {};
    }
    if (all->seldom) {
        // Ids lie as far apart as a cgroup has files, which may be a multiple of kSeldom.
        constexpr std::uint64_t kGolden = 0x9E3779B97F4A7C15U;
        const auto step = static_cast<std::uint64_t>(now.time_since_epoch() / all->period);
        all->seldom =
            pressure_readings >= 2 && (step + (id.value * kGolden >> 32U)) % model::kSeldom != 0;
        all->pressure = all->pressure && !all->seldom;
        all->protection = all->protection && !all->seldom;
    }
    return *all;
}

void Container::note(const model::Decision& decision, TimePoint now) {
    const model::ReasonCode code = decision.reason.code();
    if (decision.ask.count > 0) {
        waiting.reset();
    } else if (code == model::ReasonCode::budget || code == model::ReasonCode::no_swap) {
        waiting = waiting.value_or(now);
    }
}

void Container::keep(model::Snapshot now, const model::Needs& needs) {
    pressure_readings += needs.pressure && pressure_readings < 2 ? 1 : 0;
    if (snapshot && !needs.pressure) {
        now.events = snapshot->events;
        now.memory_pressure = snapshot->memory_pressure;
        now.io_pressure = snapshot->io_pressure;
    }
    if (snapshot && needs.seldom && !now.stat && now.usage == snapshot->usage) {
        now.stat = snapshot->stat;
    }
    if (snapshot && !needs.protection) {
        now.protection = snapshot->protection;
        now.swap_limit = snapshot->swap_limit;
    }
    if (snapshot && !needs.placement) {
        now.placement = snapshot->placement;
    }
    if (snapshot && !needs.homing) {
        now.homing = snapshot->homing;
    }
    snapshot = std::move(now);
}

TimePoint next_due(TimePoint now, Microseconds period) {
    const auto length = std::chrono::duration_cast<Nanoseconds>(period);
    return TimePoint(((now.time_since_epoch() + length / 2) / length + 1) * length);
}

TimePoint next_beat(TimePoint now, Microseconds period) {
    const auto length = std::chrono::duration_cast<Nanoseconds>(period);
    return TimePoint((now.time_since_epoch() / length + 1) * length);
}

void settle_tenants(Container& container, TimePoint now) {
    const auto running = container.apps();
    for (const model::App& app : apps::table()) {
        auto& tenant = container.tenants[static_cast<std::size_t>(app.name)];
        if (!contains(running, app.name)) {
            tenant.reset();
        } else if (!tenant) {
            tenant = Tenant{.state = app.init(container.policy, now), .due = now, .inbox = {}};
            container.pressure_readings = 0;
        }
    }
}

} // namespace cgtide::core
