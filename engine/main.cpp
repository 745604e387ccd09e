#include "engine/core/engine.hpp"
#include "engine/core/log.hpp"
#include "engine/core/sandbox.hpp"
#include "engine/monitor/page_capabilities.hpp"
#include "engine/monitor/region_pool.hpp"
#include "engine/serve/peer.hpp"
#include "engine/serve/render.hpp"
#include "engine/serve/server.hpp"
#include "engine/startup.hpp"

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
using cgtide::Arguments;
using cgtide::Result;

namespace {

namespace log = cgtide::core::log;

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

/// A thousand containers hold up to ten descriptors each.
void raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        ::setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int print_probe(const Arguments& arguments) {
    nlohmann::json list = nlohmann::json::array();
    const auto node = open_node(arguments);
    if (node) {
        auto rows = capabilities_of(*node);
        for (auto& row : cgtide::monitor::probe_types(node->roots)) {
            rows.push_back(std::move(row));
        }
        for (const auto& capability : rows) {
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
    cgtide::open_sensors(arguments, *options);
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
