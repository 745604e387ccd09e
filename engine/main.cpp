#include "cgroup/hierarchy/hierarchy.hpp"
#include "cgroup/membership.hpp"
#include "engine/core/engine.hpp"
#include "engine/core/log.hpp"
#include "engine/core/sandbox.hpp"
#include "engine/core/settings.hpp"
#include "engine/monitor/capabilities.hpp"
#include "engine/monitor/generations.hpp"
#include "engine/monitor/region_pool.hpp"
#include "engine/monitor/regions.hpp"
#include "engine/serve/peer.hpp"
#include "engine/serve/render.hpp"
#include "engine/serve/server.hpp"

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <optional>

#include <CLI/CLI.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <nlohmann/json.hpp>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>

namespace asio = boost::asio;
using cgtide::Result;

namespace {

namespace log = cgtide::core::log;

struct Arguments {
    std::string root = "/";
    std::string run_dir = std::string(cgtide::oci::kDefaultRunDir);
    std::string config = "/etc/cgtide/cgtide.toml";
    std::string socket; ///< empty: in the run folder
    std::string sandbox = "enforce";
    bool probe = false;
    bool cleanup = false;
    bool config_given = false;
};

constexpr const char* kExamples =
    "Examples:\n"
    "  cgtided                                 run with /etc/cgtide/cgtide.toml\n"
    "  cgtided --config node.toml              run with settings of your own\n"
    "  cgtided --probe                         print what this kernel offers as JSON, and exit\n"
    "  cgtided --cleanup                       after a crash: give DAMON back as it was found\n\n"
    "SIGHUP reads the configuration again, SIGTERM stops. Exit status: 0 stopped, 1 could not "
    "start, 2 usage.";

/// \returns the exit status where the program ends here.
std::optional<int> parse(int argc, char** argv, Arguments& arguments) {
    CLI::App app("cgtided: gives every annotated container a memory manager of its own");
    app.footer(kExamples);
    app.set_version_flag("--version", std::string("cgtided ") + CGTIDE_VERSION);
    app.add_option("--root", arguments.root, "Folder that stands for / (sys, proc), for tests");
    app.add_option("--run-dir", arguments.run_dir, "Folder of registrations and the socket");
    auto* config = app.add_option("--config", arguments.config,
                                  "Settings; a default file that is missing is no error");
    app.add_option("--socket", arguments.socket, "Socket (default: cgtide.sock in the run folder)");
    app.add_option("--sandbox", arguments.sandbox, "enforce, or log what would be denied")
        ->check(CLI::IsMember({"enforce", "log"}));
    auto* probe = app.add_flag("--probe", arguments.probe, "Print capabilities as JSON and exit");
    app.add_flag("--cleanup", arguments.cleanup,
                 "Undo what an engine that was killed has left in DAMON, and exit")
        ->excludes(probe);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        constexpr int kUsage = 2;
        return app.exit(error) == 0 ? 0 : kUsage;
    }
    arguments.config_given = config->count() > 0;
    if (arguments.socket.empty()) {
        arguments.socket = arguments.run_dir + "/" + std::string(cgtide::oci::kSocketName);
    }
    return std::nullopt;
}

/// A thousand containers hold six descriptors each.
void raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        ::setrlimit(RLIMIT_NOFILE, &limit);
    }
}

Result<cgtide::model::Settings> load_settings(const Arguments& arguments) {
    const std::size_t slash = arguments.config.find_last_of('/');
    const std::string folder =
        slash == std::string::npos ? "." : arguments.config.substr(0, slash + 1);
    const std::string name = arguments.config.substr(slash == std::string::npos ? 0 : slash + 1);
    const auto dir = cgtide::Dir::open(folder);
    const auto text = dir ? dir->read(name) : tl::unexpected(dir.error());
    if (!text) {
        if (is_gone(text.error()) && !arguments.config_given) {
            return cgtide::model::default_settings();
        }
        return cgtide::fail_errno(text.error().code.value(), "read settings", arguments.config);
    }
    return cgtide::core::parse_settings(*text);
}

/// What is known of the node before the engine is built.
struct Node {
    cgtide::hierarchy::Layout layout;
    cgtide::KernelRoots roots;
    std::unique_ptr<cgtide::hierarchy::OwnGroup> own_group; ///< none below a service manager
    std::string engine_path;
    cgtide::act::ReclaimSupport reclaim;
    cgtide::act::PageoutSupport pageout{};
};

/// The engine's cgroup: what systemd gave it, or one of its own. A probe makes none.
Result<void> take_own_group(const Arguments& arguments, cgtide::hierarchy::Hierarchy& hierarchy,
                            Node& node) {
    const bool service = std::getenv("INVOCATION_ID") != nullptr;
    if (!arguments.probe && !service) {
        auto own = hierarchy.make_own_group("cgtide");
        if (!own) {
            return tl::unexpected(own.error());
        }
        node.own_group = std::move(*own);
        node.engine_path = node.own_group->path();
    } else if (auto path = cgtide::cgroup::pid_cgroup(node.roots.proc, ::getpid())) {
        node.engine_path = *path;
    }
    const auto group = cgtide::cgroup::open_group(
        node.roots.cgroup, node.engine_path.empty() ? "/" : node.engine_path);
    if (group) {
        node.reclaim = cgtide::act::probe_reclaim(*group);
    }
    node.pageout = cgtide::act::probe_pageout();
    return {};
}

Result<Node> open_node(const Arguments& arguments) {
    const bool real = arguments.root == "/";
    auto hierarchy = real ? cgtide::hierarchy::kernel_hierarchy()
                          : cgtide::hierarchy::file_hierarchy(arguments.root);
    auto layout = hierarchy->discover();
    if (!layout) {
        return tl::unexpected(layout.error());
    }
    auto roots = cgtide::KernelRoots::open(arguments.root, layout->mount.substr(1));
    if (!roots) {
        return tl::unexpected(roots.error());
    }
    Node node{std::move(*layout), std::move(*roots), nullptr, {}, {}};
    if (auto done = take_own_group(arguments, *hierarchy, node); !done) {
        return tl::unexpected(done.error());
    }
    return node;
}

std::vector<cgtide::model::Capability> capabilities_of(const Node& node) {
    auto all = cgtide::monitor::probe_kernel(node.roots, node.layout.recursive_protection);
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

int print_probe(const Arguments& arguments) {
    nlohmann::json list = nlohmann::json::array();
    const auto node = open_node(arguments);
    if (node) {
        for (const auto& capability : capabilities_of(*node)) {
            list.push_back(cgtide::serve::render(capability));
        }
    } else {
        list.push_back(cgtide::serve::render(
            cgtide::model::Capability{"memory controller (v2)", false, "/proc/self/mountinfo",
                                      node.error().message(), "cgtided does not start", true}));
    }
    std::cout << nlohmann::json{{"capabilities", std::move(list)}}.dump() << '\n';
    return 0;
}

Result<cgtide::core::EngineOptions> engine_options(const Arguments& arguments, Node& node) {
    auto settings = load_settings(arguments);
    if (!settings) {
        return tl::unexpected(settings.error());
    }
    auto run = cgtide::core::RunDir::open(arguments.run_dir);
    if (!run) {
        return tl::unexpected(run.error());
    }
    auto boot_id = node.roots.proc.read("sys/kernel/random/boot_id");
    if (!boot_id) {
        return tl::unexpected(boot_id.error());
    }
    boot_id->erase(boot_id->find_last_not_of('\n') + 1);
    auto counters = cgtide::monitor::Counters::open(node.roots.cgroup, node.roots.proc,
                                                    node.layout.recursive_protection);
    if (!counters) {
        return tl::unexpected(counters.error());
    }
    auto watcher = cgtide::cgroup::EventWatcher::open();
    if (!watcher) {
        return tl::unexpected(watcher.error());
    }
    auto capabilities = capabilities_of(node);
    return cgtide::core::EngineOptions{.roots = std::move(node.roots),
                                       .run = std::move(*run),
                                       .settings = std::move(*settings),
                                       .counters = std::move(*counters),
                                       .watcher = std::move(*watcher),
                                       .engine_path = node.engine_path,
                                       .boot_id = std::move(*boot_id),
                                       .reclaim = node.reclaim,
                                       .eviction = {},
                                       .actuators = {.pageout = node.pageout.present},
                                       .capabilities = std::move(capabilities),
                                       .sensor = {},
                                       .generations = nullptr};
}

/// Attaches the programs that tell of regions, where there is DAMON to tell of.
cgtide::core::RegionSensor open_regions(const Arguments& arguments,
                                        cgtide::core::EngineOptions& options) {
    cgtide::core::RegionSensor sensor;
    cgtide::damon::SampleBounds sampling;
    sampling.cpu = options.settings.damon_cpu;
    if (const auto fixed = options.settings.damon_sample) {
        sampling.least = *fixed;
        sampling.most = *fixed;
    }
    if (options.settings.sensor == cgtide::model::IdleSensor::generations) {
        return sensor;
    }
    sensor.handover = std::make_shared<cgtide::monitor::Handover>();
    sensor.pool_options = {arguments.run_dir,
                           options.settings.takeover == cgtide::model::Takeover::modules, sampling,
                           options.settings.sensor != cgtide::model::IdleSensor::regions};
    sensor.pool_options.with_moves = options.settings.mover == cgtide::model::Actuator::damos;
    auto proc = options.roots.proc.sub("");
    auto stream = cgtide::monitor::find_damon(options.roots).and_then([](const cgtide::Dir&) {
        return cgtide::damon::Stream::open();
    });
    if (proc && (stream || cgtide::monitor::find_damon(options.roots))) {
        std::optional<cgtide::damon::Stream> told_by;
        if (stream) {
            told_by = std::move(*stream);
        } else {
            sensor.pool_options.by_files = true;
            sensor.no_stream = stream.error().message();
            log::warning("regions are read from DAMON's files, more slowly: {}", sensor.no_stream);
        }
        sensor.regions = std::make_unique<cgtide::monitor::Regions>(
            std::move(*proc), std::move(told_by), cgtide::damon::Intervals{}, sensor.handover);
        sensor.physical = std::make_unique<cgtide::monitor::Physical>(
            options.roots.sys.sub("").value_or(cgtide::Dir()), cgtide::damon::Intervals{});
        sensor.regions->tell_physical(*sensor.physical);
        return sensor;
    }
    auto told = cgtide::monitor::region_capability();
    told.detail = proc ? stream.error().message() : proc.error().message();
    log::info("no idle times by regions: {}", told.detail);
    options.capabilities.push_back(std::move(told));
    return sensor;
}

/// Opens MGLRU's file, where generations may tell idle times.
void open_generations(cgtide::core::EngineOptions& options) {
    if (options.settings.sensor == cgtide::model::IdleSensor::regions ||
        options.settings.sensor == cgtide::model::IdleSensor::physical) {
        return;
    }
    auto told = cgtide::monitor::generation_capability();
    auto file = cgtide::damon::LruGen::open(options.roots.sys);
    told.present = file.has_value();
    if (file) {
        options.eviction = cgtide::damon::probe_eviction(*file);
        options.actuators.generations = options.eviction.present;
        options.actuators.generations_anon = options.eviction.anon_only;
        options.generations = std::make_unique<cgtide::monitor::Generations>(
            std::make_unique<cgtide::damon::LruGen>(std::move(*file)));
    } else {
        told.detail = file.error().message();
        log::info("no idle times by generations: {}", told.detail);
    }
    options.capabilities.push_back(std::move(told));
}

int clean_up(const Arguments& arguments) {
    const auto roots = cgtide::KernelRoots::open(arguments.root);
    const auto done = roots ? cgtide::monitor::clean_up_regions(*roots, arguments.run_dir)
                            : tl::unexpected(roots.error());
    if (!done) {
        std::cerr << "cgtided: " << done.error().message() << '\n';
        return EXIT_FAILURE;
    }
    std::cout << *done << '\n';
    return EXIT_SUCCESS;
}

/// Serves until SIGTERM or SIGINT.
asio::awaitable<void> serve(const Arguments& arguments, cgtide::core::Engine& engine,
                            cgtide::serve::Server& server, asio::signal_set& signals) {
    // The socket listens already: who registers meanwhile waits in its queue, or leaves a file. Who
    // asks is answered when all that the folder holds is known.
    co_await engine.start();
    server.start();
    ::sd_notify(0, "READY=1");
    log::info("cgtided {} serves {}", CGTIDE_VERSION, arguments.socket);
    for (;;) {
        boost::system::error_code error;
        const int signal =
            co_await signals.async_wait(asio::redirect_error(asio::use_awaitable, error));
        if (error || signal != SIGHUP) {
            break;
        }
        ::sd_notify(0, "RELOADING=1");
        if (auto settings = load_settings(arguments)) {
            engine.reload(std::move(*settings));
            log::info("settings read again from {}", arguments.config);
        } else {
            log::error("settings kept as they were: {}", settings.error().message());
        }
        ::sd_notify(0, "READY=1");
    }
    ::sd_notify(0, "STOPPING=1");
    co_await server.stop();
    co_await engine.stop();
}

Result<cgtide::serve::Listener> listen(const Arguments& arguments, std::optional<gid_t> readers) {
    if (::sd_listen_fds(1) == 1) {
        return cgtide::serve::Listener::adopt(cgtide::UniqueFd(SD_LISTEN_FDS_START));
    }
    return cgtide::serve::Listener::bind(arguments.socket, readers);
}

Result<void> run(const Arguments& arguments) {
    raise_descriptor_limit();
    cgtide::act::install_interrupt_handler();
    auto node = open_node(arguments);
    if (!node) {
        return tl::unexpected(node.error());
    }
    auto options = engine_options(arguments, *node);
    if (!options) {
        return tl::unexpected(options.error());
    }
    const auto readers = cgtide::serve::group_id(std::string(cgtide::serve::kReaderGroup));
    auto listener = listen(arguments, readers);
    if (!listener) {
        return tl::unexpected(listener.error());
    }
    options->sensor = open_regions(arguments, *options);
    open_generations(*options);
    const auto privileges = cgtide::core::drop_privileges();
    if (!privileges) {
        return tl::unexpected(privileges.error());
    }
    for (const auto& privilege : *privileges) {
        if (!privilege.held) {
            log::warning("{} is missing: {}", privilege.name, privilege.without);
        }
        options->capabilities.push_back(
            {privilege.name, privilege.held, "/proc/self/status", "", privilege.without, false});
    }
    {
        asio::io_context io(1);
        cgtide::core::Engine engine(io, std::move(*options));
        cgtide::serve::Server server(io.get_executor(), engine, std::move(*listener),
                                     {.readers = readers, .limits = {}});
        asio::signal_set signals(io, SIGTERM, SIGINT, SIGHUP);
        if (auto done = cgtide::core::enter_sandbox(arguments.sandbox == "log"); !done) {
            return done;
        }
        std::exception_ptr failure;
        asio::co_spawn(io, serve(arguments, engine, server, signals),
                       [&](const std::exception_ptr& error) { failure = error; });
        io.run();
        if (failure) {
            std::rethrow_exception(failure);
        }
    }
    if (node->own_group) {
        if (auto done = node->own_group->remove(); !done) {
            log::warning("{}", done.error().message());
        }
    }
    log::info("stopped");
    return {};
}

} // namespace

int main(int argc, char** argv) {
    Arguments arguments;
    if (const auto status = parse(argc, argv, arguments)) {
        return *status;
    }
    if (arguments.probe) {
        return print_probe(arguments);
    }
    if (arguments.cleanup) {
        return clean_up(arguments);
    }
    cgtide::core::log::open(std::getenv("JOURNAL_STREAM") != nullptr,
                            cgtide::core::log::Level::info);
    const auto done = run(arguments);
    if (!done) {
        cgtide::core::log::error("cannot start: {}", done.error().message());
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
