#include "hook/run.hpp"

#include "cgroup/base/text.hpp"
#include "engine/wire/client.hpp"
#include "engine/wire/interface.hpp"
#include "hook/deadline.hpp"
#include "hook/facts.hpp"
#include "hook/input.hpp"
#include "hook/run_dir.hpp"
#include "oci/annotations.hpp"
#include "oci/record.hpp"
#include "oci/record_json.hpp"

#include <utility>

#include <nlohmann/json.hpp>

namespace cgtide::hook {

namespace {

/// Beside an error of permission: a rootless runtime runs its hooks in a user namespace, which
/// reaches neither the run folder nor the socket.
std::string rootless_hint(const Error& error, const std::string& root) {
    const bool denied = error.code == std::errc::permission_denied ||
                        error.code == std::errc::operation_not_permitted ||
                        error.code == std::errc::read_only_file_system;
    const auto map = denied ? read_proc(root + "proc/self/uid_map") : Result<std::string>();
    if (!map || map->empty()) {
        return "";
    }
    // Outside of user namespaces the map is one line over all ids.
    const bool initial = map->find(" 4294967295") != std::string::npos;
    return initial ? "" : " (in a user namespace: rootless containers are not managed)";
}

/// The file's error before the socket's, for the file is what keeps a registration.
std::string problems(const Result<void>& file, const Result<nlohmann::json>& answer,
                     const Options& options) {
    std::string text;
    if (!file) {
        text = file.error().message() + rootless_hint(file.error(), options.root);
    }
    if (!answer) {
        text += (text.empty() ? "" : "; ") + answer.error().message();
    }
    return text;
}

Result<nlohmann::json> tell_engine(const Options& options, std::string_view method,
                                   const nlohmann::json& parameters, TimePoint deadline) {
    doing("waiting for the engine");
    auto client = wire::Client::connect(options.socket, deadline);
    if (!client) {
        return tl::unexpected(client.error());
    }
    return client->call(method, parameters, deadline);
}

std::string register_container(const Options& options, oci::State& state, TimePoint deadline) {
    if (state.pid == 0) {
        return "state pid: is missing or 0: a createRuntime hook gets the host's pid";
    }
    doing("looking up the container's process");
    auto facts = look_up(options.root, state.pid);
    if (!facts) {
        return facts.error().message();
    }
    oci::Record record;
    record.annotations = oci::relevant(state.annotations);
    record.id = std::move(state.id);
    record.bundle = std::move(state.bundle);
    record.pid = state.pid;
    record.pid_start = facts->pid_start;
    record.cgroup_path = std::move(facts->cgroup_path);
    record.cgroup = facts->cgroup;
    record.boot_id = std::move(facts->boot_id);

    doing("writing the registration file");
    const auto file = leave_record(options.run_dir, oci::record_key(record.bundle, record.id),
                                   oci::encode_record(record));
    nlohmann::json parameters = nlohmann::json::object();
    parameters["record"] = oci::record_to_json(record);
    return problems(file, tell_engine(options, wire::method::kRegister, parameters, deadline),
                    options);
}

std::string mark_container(const Options& options, const oci::State& state, TimePoint deadline) {
    doing("writing the mark of a stopped container");
    const auto file = leave_mark(options.run_dir, oci::record_key(state.bundle, state.id));
    nlohmann::json parameters = nlohmann::json::object();
    parameters["id"] = state.id;
    parameters["bundle"] = state.bundle;
    return problems(file, tell_engine(options, wire::method::kUnregister, parameters, deadline),
                    options);
}

} // namespace

Result<Stage> stage_of(const oci::State& state) {
    if (state.status == "stopped") {
        return Stage::poststop;
    }
    if (state.status == "creating" || state.status == "created" || state.status == "running") {
        return Stage::create_runtime;
    }
    return fail(Errc::malformed, "state",
                "status: '" + printable(state.status, 64) +
                    "': allowed are creating, created, running, stopped");
}

std::string run(const Options& options, std::string_view text, TimePoint deadline) {
    auto state = oci::parse_state(text);
    if (!state) {
        return state.error().message();
    }
    if (!oci::has_cgtide_key(state->annotations)) {
        return "";
    }
    const std::string who = "container " + printable(state->id) + ": ";
    const auto stage = options.stage ? Result<Stage>(*options.stage) : stage_of(*state);
    if (!stage) {
        return who + stage.error().message();
    }
    const std::string problem = *stage == Stage::poststop
                                    ? mark_container(options, *state, deadline)
                                    : register_container(options, *state, deadline);
    return problem.empty() ? "" : who + problem;
}

} // namespace cgtide::hook
