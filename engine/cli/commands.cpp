#include "engine/cli/commands.hpp"

#include "cgroup/base/text.hpp"
#include "engine/cli/fields.hpp"
#include "engine/cli/probe.hpp"
#include "engine/cli/record.hpp"
#include "engine/cli/remote.hpp"
#include "engine/cli/views.hpp"
#include "engine/wire/client.hpp"
#include "engine/wire/interface.hpp"
#include "engine/wire/message.hpp"
#include "oci/install/bundle.hpp"

#include <chrono>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace cgtide::cli {

namespace {

using nlohmann::json;
namespace method = wire::method;

Output failure(const Error& error) {
    return {status::kFailed, {}, "cgtide: " + printable(error.message(), 1024) + '\n'};
}

/// JSON for scripts; bytes beyond ASCII are escaped, for a terminal may be at the other end.
std::string pretty(const json& value) {
    return value.dump(2, ' ', true, json::error_handler_t::replace) + '\n';
}

template <class View>
Output show(const Options& options, std::string_view method, const json& parameters, View view) {
    const auto reply = ask_engine(options.socket, method, parameters);
    if (!reply) {
        return reply.error();
    }
    return {status::kOk, options.json ? pretty(*reply) : view(*reply), {}};
}

Output change(const Options& options, std::string_view method, const char* done) {
    const auto reply =
        ask_engine(options.socket, method, {{"name", options.name}, {"app", options.app}});
    if (!reply) {
        return reply.error();
    }
    return {status::kOk,
            printable(options.app) + ' ' + done + ' ' + printable(options.name) + '\n',
            {}};
}

std::string paused_text(const json& reply) {
    const double left = number_field(reply, "under_way").value_or(0);
    return std::string("paused: nothing is reclaimed on this node until cgtide resume\n") +
           (left > 0 ? count_field(reply, "under_way") +
                           " of the writes under way had not ended within 5 s; cgtide explain "
                           "tells when\n"
                     : "");
}

Output release_damon(const Options& options) {
    // A commit under way is waited for, and each worker ends at its next look.
    constexpr std::chrono::seconds kLongest{120};
    const auto reply = ask_engine(options.socket, method::kReleaseDamon, json::object(), kLongest);
    if (!reply) {
        return reply.error();
    }
    return {status::kOk,
            text_field(*reply, "done") + "\ncgtided does without DAMON until it is restarted\n",
            {}};
}

Output diagnosis(const Options& options, const json& reply, const std::string& source) {
    const int result = lacks_required(reply) ? status::kFailed : status::kOk;
    if (options.json) {
        return {result, pretty(reply), source + '\n'};
    }
    const char* verdict = result == status::kOk ? "all that is required is there\n"
                                                : "something that is required is missing\n";
    return {result, doctor_text(reply) + '\n' + source + '\n' + verdict, {}};
}

/// doctor without an engine: the same probe, run here and now.
Output probe(const Options& options, const Surroundings& here, const Output& unreachable) {
    const auto program = find_engine(here.bin_dir, here.path);
    if (!program) {
        return {unreachable.status,
                {},
                unreachable.err + "cgtide: no cgtided beside cgtide, in ../sbin or in PATH to "
                                  "probe with\n"};
    }
    const auto text = run_probe(*program);
    if (!text) {
        return failure(text.error());
    }
    const auto reply = wire::parse_object(*text);
    if (!reply) {
        return failure(reply.error());
    }
    return diagnosis(options, *reply,
                     "no engine answers at " + printable(options.socket) + ": probed with " +
                         printable(*program) + " --probe");
}

Output doctor(const Options& options, const Surroundings& here) {
    const auto reply = ask_engine(options.socket, method::kCapabilities, json::object());
    if (reply) {
        return diagnosis(options, *reply, "told by the engine at " + printable(options.socket));
    }
    return reply.error().status == status::kUnreachable ? probe(options, here, reply.error())
                                                        : reply.error();
}

void add_stages(std::string& text, const char* what, const std::vector<std::string>& stages) {
    for (const std::string& stage : stages) {
        text += std::string(what) + ' ' + printable(stage) + '\n';
    }
}

Output hooks(const Options& options) {
    install::HookOptions hook;
    if (!options.hook.empty()) {
        hook.path = options.hook;
    }
    if (options.bundle.empty()) {
        return {status::kOk, install::stanza(hook), {}};
    }
    const auto folder = Dir::open(options.bundle);
    if (!folder) {
        return failure(folder.error());
    }
    const auto change = install::edit_bundle(*folder, hook, {options.remove, options.dry_run});
    if (!change) {
        return failure(change.error());
    }
    std::string text;
    add_stages(text, options.dry_run ? "would add" : "added", change->added);
    add_stages(text, options.dry_run ? "would update" : "updated", change->updated);
    add_stages(text, options.dry_run ? "would remove" : "removed", change->removed);
    if (!change->changed()) {
        text += "nothing to change\n";
    }
    return {status::kOk, text, {}};
}

json named(const Options& options) {
    return {{"name", options.name}};
}

Output record(const Options& options) {
    const std::size_t slash = options.file.find_last_of('/');
    const auto folder =
        Dir::open(slash == std::string::npos ? "." : options.file.substr(0, slash + 1));
    if (!folder) {
        return failure(folder.error());
    }
    const TimePoint deadline = options.duration.count() == 0
                                   ? wire::kNoDeadline
                                   : std::chrono::steady_clock::now() + options.duration;
    Recording recording;
    const Output end = follow_engine(options.socket, method::kRecordRegions, named(options),
                                     deadline, [&](const json& reply) {
                                         recording.add(reply);
                                         return true;
                                     });
    if (recording.snapshots() == 0) {
        return end.status != status::kOk
                   ? end
                   : Output{status::kFailed, {}, "cgtide: ended before anything was told\n"};
    }
    // What was told until the container ended is a record too.
    if (auto done = folder->replace(options.file.substr(slash + 1), recording.compressed());
        !done) {
        return failure(done.error());
    }
    return {status::kOk,
            std::to_string(recording.snapshots()) + " snapshots of " +
                std::to_string(recording.targets()) + " address spaces in " +
                printable(options.file) + '\n',
            end.err};
}

Output watch(const Options& options, const Surroundings& here) {
    constexpr std::string_view kClear = "\x1b[H\x1b[2J";
    json parameters = json::object();
    if (!options.name.empty()) {
        parameters["name"] = options.name;
    }
    if (options.period.count() > 0) {
        parameters["period_us"] = options.period.count();
    }
    std::size_t looks = 0;
    const auto show = [&](const json& reply) {
        ++looks;
        std::string text;
        if (options.json) {
            text = reply.dump(-1, ' ', true, json::error_handler_t::replace) + '\n';
        } else {
            text = here.terminal ? std::string(kClear) : std::string(looks > 1 ? "\n" : "");
            text += watch_text(reply);
        }
        return here.print(text) && looks != options.count;
    };
    return follow_engine(options.socket, method::kWatch, parameters, wire::kNoDeadline, show);
}

Output stat(const Options& options, const Surroundings& here) {
    if (options.history) {
        return show(options, method::kHistory, named(options),
                    [&](const json& reply) { return history_text(reply, here.now_ms); });
    }
    json parameters{{"all", options.all}};
    if (!options.name.empty()) {
        parameters["name"] = options.name;
    }
    return show(options, method::kStat, parameters, stat_text);
}

} // namespace

Output run(const Options& options, const Surroundings& here) {
    switch (options.command) {
    case Command::ps:
        return show(options, method::kList, {{"all", options.all}},
                    [&](const json& reply) { return ps_text(reply, here.now_ms); });
    case Command::stat:
        return stat(options, here);
    case Command::inspect:
        return show(options, method::kInspect, named(options),
                    [&](const json& reply) { return inspect_text(reply, here.now_ms); });
    case Command::explain: {
        json parameters = named(options);
        if (options.last > 0) {
            parameters["last"] = options.last;
        }
        return show(options, method::kExplain, parameters,
                    [&](const json& reply) { return explain_text(reply, here.now_ms); });
    }
    case Command::idle:
        return show(options, method::kIdle, named(options), idle_text);
    case Command::what_if: {
        json parameters = named(options);
        if (options.idle.count() > 0) {
            parameters["idle_us"] = options.idle.count();
        }
        return show(options, method::kWhatIf, parameters, what_if_text);
    }
    case Command::suggest:
        return show(options, method::kSuggest, named(options), suggest_text);
    case Command::tier:
        return show(options, method::kTiers, json::object(), tier_text);
    case Command::regions:
        return show(options, method::kRegions, named(options), regions_text);
    case Command::record:
        return record(options);
    case Command::watch:
        return watch(options, here);
    case Command::attach:
        return change(options, method::kAttach, "is attached to");
    case Command::detach:
        return change(options, method::kDetach, "is detached from");
    case Command::pause:
        return show(options, method::kPause, json::object(), paused_text);
    case Command::resume:
        return show(options, method::kResume, json::object(), [](const json&) {
            return std::string("resumed: containers are reclaimed again as their policies say\n");
        });
    case Command::damon_release:
        return release_damon(options);
    case Command::doctor:
        return doctor(options, here);
    case Command::hooks:
        return hooks(options);
    }
    return {status::kUsage, {}, {}};
}

} // namespace cgtide::cli
