#include "tests/daemon/node.hpp"

#include "engine/wire/client.hpp"
#include "engine/wire/interface.hpp"
#include "tests/support/sanitized.hpp"

#include <algorithm>
#include <filesystem>

namespace cgtide::daemon {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr std::string_view kSettings = R"(
[profile.test]
ratio = 0.1
max = "10%"
period = "1s"
cpu = "100%"

[[grant]]
cgroup = "/pods"
profiles = ["default", "test"]
)";

} // namespace

Annotations reclaimed(const Annotations& more) {
    Annotations all{{"cgtide.io/apps", "stat,reclaim"},
                    {"cgtide.io/profile", "test"},
                    {"cgtide.io/reclaim.idle", "0s"}};
    for (const auto& [key, value] : more) {
        all[key] = value;
    }
    return all;
}

Node::Node() {
    tree_.add_group("/pods");
    write_settings();
}

void Node::write_settings(const std::string& more) const {
    dir_.write("cgtide.toml", std::string(kSettings) + more);
}

std::vector<std::string> Node::engine_arguments(const std::vector<std::string>& more) const {
    std::vector<std::string> arguments = wrapper_;
    arguments.insert(arguments.end(), {CGTIDE_DAEMON, "--root", tree_.path(), "--run-dir",
                                       run_dir(), "--config", config()});
    if (test::kSanitized) { // a sanitizer's runtime makes calls that the sandbox denies
        arguments.insert(arguments.end(), {"--sandbox", "log"});
    }
    if (!socket_option_.empty()) {
        arguments.insert(arguments.end(), {"--socket", socket_option_});
    }
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
}

bool Node::start(const std::vector<std::string>& more) {
    engine_.emplace(engine_arguments(more));
    return await_line(" serves ");
}

bool Node::await_line(const std::string& text) {
    return await([&] { return engine_->errors().find(text) != std::string::npos; });
}

CgroupId Node::make_container(const std::string& name, const test::GroupValues& values) {
    const CgroupId id = tree_.add_group("/pods/" + name, values);
    pids_[name] = ++next_pid_;
    tree_.add_process(pids_[name], "/pods/" + name);
    return id;
}

std::string Node::state(const std::string& name, const Annotations& annotations,
                        std::string_view status) const {
    json state{{"ociVersion", "1.2.0"},
               {"id", name},
               {"status", status},
               {"bundle", "/bundles/" + name},
               {"annotations", annotations}};
    if (const auto pid = pids_.find(name); pid != pids_.end() && status != "stopped") {
        state["pid"] = pid->second;
    }
    return state.dump();
}

std::vector<std::string> Node::hook_arguments(const std::vector<std::string>& more) const {
    std::vector<std::string> arguments{CGTIDE_HOOK,  "--strict",  "--root",
                                       tree_.path(), "--run-dir", run_dir()};
    if (!socket_option_.empty()) {
        arguments.insert(arguments.end(), {"--socket", socket_option_});
    }
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
}

Ended Node::run_hook(const std::vector<std::string>& arguments, const std::string& state) const {
    // A machine under load may take longer than the hook waits: both of its calls are idempotent.
    constexpr int kAttempts = 20;
    Ended ended;
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
        ended = run(arguments, state);
        if (ended.errors.find("timed out") == std::string::npos &&
            ended.errors.find("out of time") == std::string::npos) {
            break;
        }
    }
    return ended;
}

Ended Node::create(const std::string& name, const Annotations& annotations,
                   const std::vector<std::string>& more) {
    return run_hook(hook_arguments(more), state(name, annotations));
}

Ended Node::stopped(const std::string& name, const Annotations& annotations) {
    return run_hook(hook_arguments(), state(name, annotations, "stopped"));
}

Ended Node::run_container(const std::string& name, const Annotations& annotations,
                          const test::GroupValues& values) {
    make_container(name, values);
    return create(name, annotations);
}

CgroupId Node::reborn(const std::string& name) {
    // The old one stands until the new one has its inode: a file system of disks would reuse it.
    fs::rename(group_dir(name), group_dir(name) + ".old");
    const CgroupId id = make_container(name);
    tree_.remove_group("/pods/" + name + ".old");
    return id;
}

Ended Node::cli(const std::vector<std::string>& arguments) const {
    std::vector<std::string> words{CGTIDE_CLI, "--socket",
                                   socket_option_.empty() ? socket() : socket_option_};
    words.insert(words.end(), arguments.begin(), arguments.end());
    return run(words);
}

json Node::call(std::string_view method, const json& parameters) const {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    auto client =
        wire::Client::connect(socket_option_.empty() ? socket() : socket_option_, deadline);
    if (!client) {
        return {{"error", client.error().message()}};
    }
    const auto reply = client->exchange({std::string(method), wire::to_text(parameters)}, deadline);
    if (!reply) {
        return {{"error", reply.error().message()}};
    }
    const json answer = json::parse(reply->parameters, nullptr, false);
    return reply->error.empty() ? answer : json{{"error", reply->error}, {"parameters", answer}};
}

json Node::list(bool all) const {
    return call(wire::method::kList, {{"all", all}});
}

std::vector<std::string> Node::names(bool all) const {
    std::vector<std::string> found;
    const json reply = list(all);
    for (const json& container : reply.value("containers", json::array())) {
        found.push_back(container["name"]);
    }
    return found;
}

json Node::inspect(const std::string& name) const {
    return call(wire::method::kInspect, {{"name", name}}).value("detail", json());
}

json Node::journal(const std::string& name) const {
    return call(wire::method::kExplain, {{"name", name}}).value("entries", json::array());
}

json Node::await_reason(const std::string& name, const std::string& reason) {
    json found;
    await([&] {
        const json entries = journal(name);
        for (const json& entry : entries) {
            if (entry["reason"] == reason && !(entry["acted"] && entry["outcome"].is_null())) {
                found = entry;
            }
        }
        return !found.is_null();
    });
    return found;
}

std::string Node::last_reason(const std::string& name) const {
    const json entries = journal(name);
    return entries.empty() ? std::string() : entries.back().value("reason", "");
}

bool Node::await_last(const std::string& name, const std::string& reason) {
    return await([&] { return last_reason(name) == reason; });
}

std::vector<std::string> Node::records() const {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(run_dir() + "/containers")) {
        found.push_back(entry.path().filename());
    }
    std::sort(found.begin(), found.end());
    return found;
}

} // namespace cgtide::daemon
