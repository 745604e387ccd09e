#include "oci/install/bundle.hpp"

#include "oci/install/replace.hpp"
#include "oci/strict_json.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include <nlohmann/json.hpp>

namespace cgtide::install {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kFile = "config.json";
constexpr std::string_view kHook = "cgtide-hook";
constexpr std::array<const char*, 2> kStages{"createRuntime", "poststop"};
constexpr std::size_t kMaxConfigBytes = 16U << 20U;
constexpr std::size_t kMaxConfigDepth = 64;

Json entry(const HookOptions& options) {
    Json args = Json::array({std::string(kHook)});
    for (const std::string& arg : options.args) {
        args.push_back(arg);
    }
    Json hook = Json::object();
    hook["path"] = options.path;
    hook["args"] = std::move(args);
    hook["timeout"] = options.timeout;
    return hook;
}

bool names_hook(const Json& value) {
    if (!value.is_string()) {
        return false;
    }
    const std::string_view path = value.get_ref<const std::string&>();
    return path.substr(path.rfind('/') + 1) == kHook;
}

bool is_ours(const Json& hook) {
    const auto path = hook.find("path");
    const auto args = hook.find("args");
    return (path != hook.end() && names_hook(*path)) ||
           (args != hook.end() && args->is_array() && !args->empty() && names_hook(args->front()));
}

Result<void> check(const Json& config) {
    const auto hooks = config.find("hooks");
    if (hooks == config.end()) {
        return {};
    }
    if (!hooks->is_object()) {
        return fail(Errc::malformed, kFile, "hooks: " + oci::shown(*hooks) + " is no object");
    }
    for (const char* stage : kStages) {
        const auto list = hooks->find(stage);
        if (list == hooks->end()) {
            continue;
        }
        const std::string field = std::string("hooks.") + stage + ": ";
        if (!list->is_array()) {
            return fail(Errc::malformed, kFile, field + oci::shown(*list) + " is no array");
        }
        for (const Json& hook : *list) {
            if (!hook.is_object()) {
                return fail(Errc::malformed, kFile, field + oci::shown(hook) + " is no object");
            }
        }
    }
    return {};
}

/// Keeps one entry of ours, as it should be, at the place of the first.
void put(Json& config, const HookOptions& options, BundleChange& change) {
    const Json wanted = entry(options);
    for (const char* stage : kStages) {
        Json& list = config["hooks"][stage];
        if (list.is_null()) {
            list = Json::array();
        }
        Json kept = Json::array();
        bool found = false;
        for (Json& hook : list) {
            if (!is_ours(hook)) {
                kept.push_back(std::move(hook));
            } else if (!found) {
                found = true;
                kept.push_back(wanted);
            }
        }
        if (!found) {
            kept.push_back(wanted);
            change.added.emplace_back(stage);
        }
        list.swap(kept);
    }
}

void take_out(Json& config, BundleChange& change) {
    const auto hooks = config.find("hooks");
    if (hooks == config.end()) {
        return;
    }
    for (const char* stage : kStages) {
        const auto list = hooks->find(stage);
        if (list == hooks->end()) {
            continue;
        }
        Json kept = Json::array();
        std::copy_if(list->begin(), list->end(), std::back_inserter(kept),
                     [](const Json& hook) { return !is_ours(hook); });
        if (kept.size() == list->size()) {
            continue;
        }
        change.removed.emplace_back(stage);
        if (kept.empty()) {
            hooks->erase(stage);
        } else {
            list->swap(kept);
        }
    }
    if (!change.removed.empty() && hooks->empty()) {
        config.erase("hooks");
    }
}

/// Stages that both documents have and that differ, beyond what was added.
void note_updates(const Json& before, const Json& after, BundleChange& change) {
    for (const char* stage : kStages) {
        const bool added =
            std::find(change.added.begin(), change.added.end(), stage) != change.added.end();
        if (!added && before["hooks"][stage] != after["hooks"][stage]) {
            change.updated.emplace_back(stage);
        }
    }
}

/// Writes JSON the way the text before was: its indentation and its last newline.
std::string write_like(const Json& config, std::string_view before) {
    const std::size_t line = before.find('\n');
    const std::size_t first = line == std::string_view::npos
                                  ? std::string_view::npos
                                  : before.find_first_not_of(" \t\r\n", line);
    int indent = -1;
    char with = ' ';
    if (first != std::string_view::npos) {
        const std::size_t start = before.rfind('\n', first) + 1;
        indent = static_cast<int>(first - start);
        with = indent > 0 ? before[start] : ' ';
    }
    std::string text = config.dump(indent, with);
    if (before.ends_with('\n')) {
        text += '\n';
    }
    return text;
}

} // namespace

std::string stanza(const HookOptions& options) {
    Json hooks = Json::object();
    for (const char* stage : kStages) {
        hooks["hooks"][stage] = Json::array({entry(options)});
    }
    constexpr int kIndent = 4;
    return hooks.dump(kIndent, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<BundleChange> edit_bundle(const Dir& bundle, const HookOptions& options, BundleEdit edit) {
    const auto before = bundle.read(std::string(kFile), kMaxConfigBytes);
    if (!before) {
        return tl::unexpected(before.error());
    }
    auto config = oci::parse_strict_ordered(*before, {kFile, kMaxConfigBytes, kMaxConfigDepth});
    if (!config) {
        return tl::unexpected(config.error());
    }
    if (auto sound = check(*config); !sound) {
        return tl::unexpected(sound.error());
    }
    BundleChange change;
    if (edit.remove) {
        take_out(*config, change);
    } else {
        Json old = *config;
        put(*config, options, change);
        note_updates(old, *config, change);
    }
    change.text = change.changed() ? write_like(*config, *before) : *before;
    if (change.changed() && !edit.dry_run) {
        if (auto done = replace_keeping(bundle, std::string(kFile), change.text); !done) {
            return tl::unexpected(done.error());
        }
    }
    return change;
}

} // namespace cgtide::install
