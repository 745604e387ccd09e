#include "engine/startup.hpp"

#include "cgroup/membership.hpp"
#include "engine/core/log.hpp"
#include "engine/core/settings.hpp"
#include "engine/monitor/capabilities.hpp"
#include "engine/monitor/generations.hpp"
#include "engine/monitor/region_pool.hpp"
#include "engine/monitor/regions.hpp"

#include <cstdlib>
#include <optional>
#include <utility>

#include <unistd.h>

namespace cgtide {

namespace {

namespace log = core::log;

/// The engine's cgroup: what systemd gave it, or one of its own. A probe makes none.
Result<void> take_own_group(const Arguments& arguments, hierarchy::Hierarchy& hierarchy,
                            Node& node) {
    const bool service = std::getenv("INVOCATION_ID") != nullptr;
    if (!arguments.probe && !service) {
        auto own = hierarchy.make_own_group("cgtide");
        if (!own) {
            return tl::unexpected(own.error());
        }
        node.own_group = std::move(*own);
        node.engine_path = node.own_group->path();
    } else if (auto path = cgroup::pid_cgroup(node.roots.proc, ::getpid())) {
        node.engine_path = *path;
    }
    const auto group =
        cgroup::open_group(node.roots.cgroup, node.engine_path.empty() ? "/" : node.engine_path);
    if (group) {
        node.reclaim = act::probe_reclaim(*group);
    }
    node.pageout = act::probe_pageout();
    return {};
}

/// Attaches the programs that tell of regions, where there is DAMON to tell of.
core::RegionSensor open_regions(const Arguments& arguments, core::EngineOptions& options) {
    core::RegionSensor sensor;
    damon::SampleBounds sampling;
    sampling.cpu = options.settings.damon_cpu;
    if (const auto fixed = options.settings.damon_sample) {
        sampling.least = *fixed;
        sampling.most = *fixed;
    }
    if (options.settings.sensor == model::IdleSensor::generations) {
        return sensor;
    }
    sensor.handover = std::make_shared<monitor::Handover>();
    sensor.pool_options = {arguments.run_dir, options.settings.takeover == model::Takeover::modules,
                           sampling, options.settings.sensor != model::IdleSensor::regions};
    sensor.pool_options.with_moves = options.settings.mover == model::Actuator::damos;
    auto proc = options.roots.proc.sub("");
    auto stream = monitor::find_damon(options.roots).and_then([](const Dir&) {
        return damon::Stream::open();
    });
    if (proc && (stream || monitor::find_damon(options.roots))) {
        std::optional<damon::Stream> told_by;
        if (stream) {
            told_by = std::move(*stream);
        } else {
            sensor.pool_options.by_files = true;
            sensor.no_stream = stream.error().message();
            log::warning("regions are read from DAMON's files, more slowly: {}", sensor.no_stream);
        }
        sensor.regions = std::make_unique<monitor::Regions>(std::move(*proc), std::move(told_by),
                                                            damon::Intervals{}, sensor.handover);
        sensor.physical = std::make_unique<monitor::Physical>(
            options.roots.sys.sub("").value_or(Dir()), damon::Intervals{});
        sensor.regions->tell_physical(*sensor.physical);
        return sensor;
    }
    auto told = monitor::region_capability();
    told.detail = proc ? stream.error().message() : proc.error().message();
    log::info("no idle times by regions: {}", told.detail);
    options.capabilities.push_back(std::move(told));
    return sensor;
}

/// Opens MGLRU's file, where generations may tell idle times.
void open_generations(core::EngineOptions& options) {
    if (options.settings.sensor == model::IdleSensor::regions ||
        options.settings.sensor == model::IdleSensor::physical) {
        return;
    }
    auto told = monitor::generation_capability();
    auto file = damon::LruGen::open(options.roots.sys);
    told.present = file.has_value();
    if (file) {
        options.eviction = damon::probe_eviction(*file);
        options.actuators.generations = options.eviction.present;
        options.actuators.generations_anon = options.eviction.anon_only;
        options.generations = std::make_unique<monitor::Generations>(
            std::make_unique<damon::LruGen>(std::move(*file)));
    } else {
        told.detail = file.error().message();
        log::info("no idle times by generations: {}", told.detail);
    }
    options.capabilities.push_back(std::move(told));
}

} // namespace

Result<Node> open_node(const Arguments& arguments) {
    const bool real = arguments.root == "/";
    auto hierarchy =
        real ? hierarchy::kernel_hierarchy() : hierarchy::file_hierarchy(arguments.root);
    auto layout = hierarchy->discover();
    if (!layout) {
        return tl::unexpected(layout.error());
    }
    auto roots = KernelRoots::open(arguments.root, layout->mount.substr(1));
    if (!roots) {
        return tl::unexpected(roots.error());
    }
    Node node{std::move(*layout), std::move(*roots), nullptr, {}, {}};
    if (auto done = take_own_group(arguments, *hierarchy, node); !done) {
        return tl::unexpected(done.error());
    }
    return node;
}

std::vector<model::Capability> capabilities_of(const Node& node) {
    auto all = monitor::probe_kernel(node.roots, node.layout.recursive_protection);
    const std::string file = "/sys/fs/cgroup" + node.engine_path + "/memory.reclaim";
    const auto& reclaim = node.reclaim;
    all.push_back(
        {"memory.reclaim", reclaim.reclaim, file, reclaim.detail, "reclaim stays off", false});
    all.push_back({"memory.reclaim swappiness=", reclaim.swappiness, file, "asked for 0 bytes",
                   "reclaim.pages = file needs a node without swap", false});
    all.push_back({"memory.reclaim swappiness=max", reclaim.swappiness_max, file,
                   "asked for 0 bytes", "reclaim.pages = anon stays off", false});
    all.push_back({"process_madvise", node.pageout.present, "process_madvise(2)",
                   node.pageout.present ? "takes MADV_PAGEOUT" : node.pageout.detail,
                   "memory that is proven idle leaves by memory.reclaim, not by address", false});
    return all;
}

Result<model::Settings> load_settings(const Arguments& arguments) {
    const std::size_t slash = arguments.config.find_last_of('/');
    const std::string folder =
        slash == std::string::npos ? "." : arguments.config.substr(0, slash + 1);
    const std::string name = arguments.config.substr(slash == std::string::npos ? 0 : slash + 1);
    const auto dir = Dir::open(folder);
    const auto text = dir ? dir->read(name) : tl::unexpected(dir.error());
    if (!text) {
        if (is_gone(text.error()) && !arguments.config_given) {
            return model::default_settings();
        }
        return fail_errno(text.error().code.value(), "read settings", arguments.config);
    }
    return core::parse_settings(*text);
}

Result<core::EngineOptions> engine_options(const Arguments& arguments, Node& node) {
    auto settings = load_settings(arguments);
    if (!settings) {
        return tl::unexpected(settings.error());
    }
    auto run = core::RunDir::open(arguments.run_dir);
    if (!run) {
        return tl::unexpected(run.error());
    }
    auto boot_id = node.roots.proc.read("sys/kernel/random/boot_id");
    if (!boot_id) {
        return tl::unexpected(boot_id.error());
    }
    boot_id->erase(boot_id->find_last_not_of('\n') + 1);
    auto counters = monitor::Counters::open(node.roots.cgroup, node.roots.proc,
                                            node.layout.recursive_protection);
    if (!counters) {
        return tl::unexpected(counters.error());
    }
    auto watcher = cgroup::EventWatcher::open();
    if (!watcher) {
        return tl::unexpected(watcher.error());
    }
    auto capabilities = capabilities_of(node);
    return core::EngineOptions{.roots = std::move(node.roots),
                               .run = std::move(*run),
                               .settings = std::move(*settings),
                               .counters = std::move(*counters),
                               .watcher = std::move(*watcher),
                               .engine_path = node.engine_path,
                               .boot_id = std::move(*boot_id),
                               .reclaim = node.reclaim,
                               .eviction = {},
                               .actuators = {.pageout = node.pageout.present,
                                             .reclaim_moves = node.reclaim.swappiness_max},
                               .capabilities = std::move(capabilities),
                               .sensor = {},
                               .generations = nullptr};
}

void open_sensors(const Arguments& arguments, core::EngineOptions& options) {
    options.sensor = open_regions(arguments, options);
    open_generations(options);
}

} // namespace cgtide
