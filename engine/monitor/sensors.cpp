#include "engine/monitor/sensors.hpp"

#include <unistd.h>

namespace cgtide::monitor {

namespace {

using cgroup::File;

/// Keeps a value that could be read; \returns an error only where the cgroup is gone.
template <class Value>
Result<void> keep(std::optional<Value>& field, Result<Value> value) {
    if (value) {
        field = std::move(*value);
        return {};
    }
    if (is_gone(value.error())) {
        return tl::unexpected(value.error());
    }
    return {};
}

bool stat_is_known(const Subject& subject, Bytes usage) {
    return subject.needs.seldom && subject.before != nullptr && subject.before->stat &&
           subject.before->usage == usage;
}

Result<void> read_counters(const Subject& subject, bool swap_in_use, model::Snapshot& snapshot) {
    cgroup::Group& group = *subject.group;
    if (!stat_is_known(subject, snapshot.usage)) {
        if (auto done = keep(snapshot.stat, cgroup::read_memory_stat(group)); !done) {
            return done;
        }
    }
    if (!swap_in_use) {
        snapshot.swap_usage = Bytes{0};
        return {};
    }
    return keep(snapshot.swap_usage, cgroup::read_amount(group, File::memory_swap_current));
}

Result<void> read_pressures(cgroup::Group& group, model::Snapshot& snapshot) {
    if (auto done = keep(snapshot.events, cgroup::read_memory_events(group)); !done) {
        return done;
    }
    if (auto done =
            keep(snapshot.memory_pressure, cgroup::read_pressure(group, File::memory_pressure));
        !done) {
        return done;
    }
    return keep(snapshot.io_pressure, cgroup::read_pressure(group, File::io_pressure));
}

} // namespace

Result<Counters> Counters::open(const Dir& cgroup, const Dir& proc, bool recursive) {
    auto node = cgroup::NodeReader::open(proc);
    if (!node) {
        return tl::unexpected(node.error());
    }
    auto root = cgroup.sub("");
    if (!root) {
        return tl::unexpected(root.error());
    }
    return Counters(std::move(*node), cgroup::ProtectionReader(std::move(*root), recursive));
}

Result<model::NodeView> Counters::begin_period(TimePoint at) {
    limits_.begin_period();
    const auto info = node_.read();
    if (!info) {
        return tl::unexpected(info.error());
    }
    swap_in_use_ = info->swap_free < info->swap_total;
    model::NodeView view;
    view.at = at;
    view.page_size = Bytes{static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE))};
    view.memory_total = info->total;
    view.memory_available = info->available;
    view.swap_total = info->swap_total;
    view.swap_free = info->swap_free;
    return view;
}

Result<model::Snapshot> Counters::sample(const Subject& subject, TimePoint at) {
    model::Snapshot snapshot;
    snapshot.id = subject.group->id();
    snapshot.at = at;
    snapshot.lived = subject.lived;
    snapshot.frozen = subject.frozen;
    snapshot.has_nested = subject.has_nested;
    const auto usage = cgroup::read_amount(*subject.group, File::memory_current);
    if (!usage) {
        return tl::unexpected(usage.error());
    }
    snapshot.usage = *usage;
    if (subject.needs.counters) {
        if (auto done = read_counters(subject, swap_in_use_, snapshot); !done) {
            return tl::unexpected(done.error());
        }
    }
    if (subject.needs.pressure) {
        if (auto done = read_pressures(*subject.group, snapshot); !done) {
            return tl::unexpected(done.error());
        }
    }
    if (subject.needs.protection) {
        const auto limits = limits_.of(subject.path, *subject.group, snapshot.usage);
        if (!limits) {
            return tl::unexpected(limits.error());
        }
        snapshot.protection = limits->protection;
        snapshot.swap_limit = limits->swap_headroom;
    }
    return snapshot;
}

} // namespace cgtide::monitor
