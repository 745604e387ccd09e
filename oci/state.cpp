#include "oci/state.hpp"

#include "cgroup/base/text.hpp"
#include "oci/strict_json.hpp"

#include <utility>

#include <nlohmann/json.hpp>

namespace cgtide::oci {

namespace {

constexpr std::string_view kState = "state";
constexpr std::size_t kMaxIdBytes = 255; // NAME_MAX: runtimes name folders by it
constexpr std::size_t kMaxPathBytes = 4095;

Result<std::string> text_field(const nlohmann::json& state, const char* name) {
    const auto at = state.find(name);
    if (at == state.end()) {
        return fail(Errc::malformed, kState, std::string(name) + ": is missing");
    }
    if (!at->is_string()) {
        return fail(Errc::malformed, kState,
                    std::string(name) + ": " + shown(*at) + " is no string");
    }
    return at->get<std::string>();
}

Result<std::string> parse_id(const nlohmann::json& state) {
    auto id = text_field(state, "id");
    if (!id) {
        return id;
    }
    const bool path = id->find('/') != std::string::npos || *id == "." || *id == "..";
    if (id->empty() || path) {
        return fail(Errc::malformed, kState,
                    "id: '" + printable(*id) +
                        "': allowed is a name without '/' of 1 to 255 "
                        "bytes");
    }
    if (id->size() > kMaxIdBytes) {
        return fail(Errc::out_of_range, kState,
                    "id: '" + printable(*id, 64) + "': at most 255 bytes");
    }
    return id;
}

Result<std::string> parse_bundle(const nlohmann::json& state) {
    auto bundle = text_field(state, "bundle");
    if (!bundle) {
        return bundle;
    }
    if (bundle->empty() || bundle->front() != '/') {
        return fail(Errc::malformed, kState,
                    "bundle: '" + printable(*bundle) + "': allowed is an absolute path");
    }
    if (bundle->size() > kMaxPathBytes) {
        return fail(Errc::out_of_range, kState, "bundle: at most 4095 bytes");
    }
    return bundle;
}

Result<int> parse_pid(const nlohmann::json& state) {
    const auto at = state.find("pid");
    if (at == state.end()) {
        return 0;
    }
    if (!at->is_number_integer()) {
        return fail(Errc::malformed, kState, "pid: " + shown(*at) + " is no whole number");
    }
    // An unsigned number beyond int64 reads as negative.
    const auto pid = at->get<std::int64_t>();
    if (pid < 0 || pid > kMaxPid) {
        return fail(Errc::out_of_range, kState,
                    "pid: " + shown(*at) + ": allowed are 0 to 4194304");
    }
    return static_cast<int>(pid);
}

Result<Annotations> parse_annotations(nlohmann::json& state) {
    Annotations annotations;
    const auto at = state.find("annotations");
    if (at == state.end() || at->is_null()) {
        return annotations;
    }
    if (!at->is_object()) {
        return fail(Errc::malformed, kState, "annotations: " + shown(*at) + " is no object");
    }
    for (auto& [key, value] : at->items()) {
        if (!value.is_string()) {
            return fail(Errc::malformed, kState,
                        "annotations." + printable(key) + ": " + shown(value) + " is no string");
        }
        annotations.emplace(key, std::move(value.get_ref<std::string&>()));
    }
    return annotations;
}

} // namespace

Result<State> parse_state(std::string_view text) {
    auto json = parse_strict(text, {kState, kMaxStateBytes, kMaxStateDepth});
    if (!json) {
        return tl::unexpected(json.error());
    }
    auto id = parse_id(*json);
    if (!id) {
        return tl::unexpected(id.error());
    }
    auto status = text_field(*json, "status");
    if (!status) {
        return tl::unexpected(status.error());
    }
    auto pid = parse_pid(*json);
    if (!pid) {
        return tl::unexpected(pid.error());
    }
    auto bundle = parse_bundle(*json);
    if (!bundle) {
        return tl::unexpected(bundle.error());
    }
    auto annotations = parse_annotations(*json);
    if (!annotations) {
        return tl::unexpected(annotations.error());
    }
    return State{std::move(*id), std::move(*status), *pid, std::move(*bundle),
                 std::move(*annotations)};
}

} // namespace cgtide::oci
