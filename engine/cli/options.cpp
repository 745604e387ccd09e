#include "engine/cli/options.hpp"

#include "cgroup/base/text.hpp"
#include "oci/record.hpp"

#include <initializer_list>
#include <sstream>
#include <tuple>
#include <utility>

#include <CLI/CLI.hpp>

namespace cgtide::cli {

namespace {

CLI::App* add_command(CLI::App& app, Options& options, Command command, const char* name,
                      const char* what, const char* example) {
    CLI::App* sub = app.add_subcommand(name, what);
    sub->footer(std::string("Example:\n  ") + example);
    sub->fallthrough();
    sub->callback([&options, command] { options.command = command; });
    return sub;
}

void add_json(CLI::App* sub, Options& options) {
    sub->add_flag("--json", options.json, "Print the engine's reply as JSON");
}

void add_name(CLI::App* sub, Options& options) {
    sub->add_option("NAME", options.name,
                    "A container's name, its id, or a unique prefix of either")
        ->required();
}

/// An option that takes a time of 1 s or more.
void add_time(CLI::App* sub, const char* flag, Microseconds& target, const char* what) {
    sub->add_option_function<std::string>(
           flag,
           [flag, &target](const std::string& text) {
               const auto time = parse_duration(text);
               if (!time || *time < Microseconds(1'000'000)) {
                   throw CLI::ValidationError(flag,
                                              "'" + printable(text) + "' is no time of 1s or more");
               }
               target = *time;
           },
           what)
        ->type_name("TIME");
}

void add_reading(CLI::App& app, Options& options) {
    CLI::App* ps = add_command(app, options, Command::ps, "ps", "List the managed containers",
                               "cgtide ps --all");
    ps->add_flag("--all,-a", options.all, "Also containers that ended within the last hour");
    add_json(ps, options);

    CLI::App* stat = add_command(app, options, Command::stat, "stat",
                                 "Show figures of containers: memory, pressure, idle memory",
                                 "cgtide stat --all\n  cgtide stat web --history");
    CLI::Option* name = stat->add_option("NAME", options.name, "One container; all if left out");
    stat->add_flag("--all,-a", options.all, "Also containers that ended within the last hour");
    stat->add_flag("--history", options.history, "What was known over the last hours")->needs(name);
    add_json(stat, options);

    CLI::App* inspect = add_command(app, options, Command::inspect, "inspect",
                                    "Show one container: memory, policy, refused annotations",
                                    "cgtide inspect web");
    add_name(inspect, options);
    add_json(inspect, options);

    CLI::App* explain = add_command(app, options, Command::explain, "explain",
                                    "Show what was decided for a container, and why",
                                    "cgtide explain web --last 5");
    add_name(explain, options);
    explain->add_option("--last,-n", options.last, "Only the last N decisions")
        ->type_name("N")
        ->check(CLI::Range(1, 1'000'000));
    add_json(explain, options);

    CLI::App* idle =
        add_command(app, options, Command::idle, "idle",
                    "Show how long a container's memory has been idle", "cgtide idle web");
    add_name(idle, options);
    add_json(idle, options);

    CLI::App* what_if = add_command(app, options, Command::what_if, "what-if",
                                    "Show how much would leave a container, and touch nothing",
                                    "cgtide what-if web --idle 5m");
    add_name(what_if, options);
    add_time(what_if, "--idle", options.idle,
             "How long memory must have been idle (default: the container's reclaim.idle)");
    add_json(what_if, options);

    CLI::App* suggest =
        add_command(app, options, Command::suggest, "suggest",
                    "Suggest a memory request and a limit for a container", "cgtide suggest web");
    add_name(suggest, options);
    add_json(suggest, options);

    CLI::App* tier = add_command(app, options, Command::tier, "tier",
                                 "Show the node's memory tiers, and what containers have in each",
                                 "cgtide tier");
    add_json(tier, options);

    CLI::App* regions = add_command(app, options, Command::regions, "regions",
                                    "Show where a container's memory lies and how hot it is (root)",
                                    "cgtide regions web");
    add_name(regions, options);
    add_json(regions, options);

    CLI::App* doctor = add_command(app, options, Command::doctor, "doctor",
                                   "Show what this kernel offers, and what cgtide does without it",
                                   "cgtide doctor");
    add_json(doctor, options);
}

/// Commands that go on until they are interrupted.
void add_following(CLI::App& app, Options& options) {
    CLI::App* record = add_command(app, options, Command::record, "record",
                                   "Write a container's regions to a file that damo reads (root)",
                                   "cgtide record web -o web.data --duration 1m");
    add_name(record, options);
    record->add_option("-o,--output", options.file, "The file to write, replacing what is there")
        ->type_name("FILE")
        ->required();
    add_time(record, "--duration", options.duration,
             "How long, such as 30s or 5m (default: until it is interrupted)");

    CLI::App* watch = add_command(
        app, options, Command::watch, "watch",
        "Show figures again and again: of all containers, or all of one",
        "cgtide watch\n  cgtide watch web --period 10s\n  cgtide watch --json | jq .rows");
    watch->add_option("NAME", options.name, "One container; all if left out");
    add_time(watch, "--period", options.period, "Between two looks, 1s to 1h (default: 2s)");
    watch->add_option("--count,-n", options.count, "End after N looks")
        ->type_name("N")
        ->check(CLI::Range(1, 1'000'000));
    watch->add_flag("--json", options.json, "Print each of the engine's replies as a line of JSON");
}

void add_changing(CLI::App& app, Options& options) {
    for (const auto& [command, name, what, example] :
         std::initializer_list<std::tuple<Command, const char*, const char*, const char*>>{
             {Command::attach, "attach", "Give a running container an app until it ends (root)",
              "cgtide attach web reclaim"},
             {Command::detach, "detach", "Take an app from a running container (root)",
              "cgtide detach web reclaim"}}) {
        CLI::App* sub = add_command(app, options, command, name, what, example);
        add_name(sub, options);
        sub->add_option("APP", options.app, "An app, such as stat or reclaim")->required();
    }
    CLI::App* pause = add_command(
        app, options, Command::pause, "pause",
        "Reclaim nothing on this node until it is resumed (root)",
        "cgtide pause\n\nIt lasts over restarts of cgtided, until cgtide resume or until "
        "the node is started\nanew. Figures, and what would have been done, are told as "
        "before.");
    add_json(pause, options);
    CLI::App* resume = add_command(app, options, Command::resume, "resume",
                                   "Reclaim again after a pause (root)", "cgtide resume");
    add_json(resume, options);
    CLI::App* damon = app.add_subcommand("damon", "Steer the engine's use of DAMON");
    damon->require_subcommand(1);
    damon->fallthrough();
    add_command(
        *damon, options, Command::damon_release, "release",
        "Give DAMON back while the engine goes on (root)",
        "cgtide damon release\n\nWorkers, their folders and the kernel's modules are as the "
        "engine found them, until\ncgtided is restarted: systemctl restart cgtided takes DAMON "
        "again. Generations tell\nidle times meanwhile, where they work.");
    CLI::App* hooks = add_command(app, options, Command::hooks, "hooks",
                                  "Print the OCI hooks, or put them into a bundle's config.json",
                                  "cgtide hooks --bundle /run/bundles/web --dry-run");
    CLI::Option* bundle =
        hooks->add_option("--bundle", options.bundle, "The bundle to change")->type_name("DIR");
    hooks->add_flag("--remove", options.remove, "Take cgtide's hooks out again")->needs(bundle);
    hooks->add_flag("--dry-run", options.dry_run, "Say what would change, write nothing")
        ->needs(bundle);
    hooks->add_option("--hook", options.hook, "Path of the cgtide-hook program")->type_name("PATH");
}

} // namespace

std::variant<Options, Output> parse_options(int argc, const char* const* argv) {
    Options options;
    CLI::App app{"Shows and steers what cgtide does with the memory of containers.", "cgtide"};
    app.footer("Example:\n  cgtide ps\n\nExit statuses: 0 ok, 1 failed, 2 usage, 3 engine "
               "unreachable, 4 no such container.");
    app.set_version_flag("--version", "cgtide " CGTIDE_VERSION);
    options.socket = std::string(oci::kDefaultRunDir) + '/' + std::string(oci::kSocketName);
    app.add_option("--socket", options.socket, "Where the engine listens")
        ->type_name("PATH")
        ->capture_default_str();
    app.require_subcommand(1);
    add_reading(app, options);
    add_following(app, options);
    add_changing(app, options);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        std::ostringstream out;
        std::ostringstream err;
        const int code = app.exit(error, out, err);
        return Output{code == 0 ? status::kOk : status::kUsage, out.str(), err.str()};
    }
    return options;
}

} // namespace cgtide::cli
