#include "oci/policy/keys.hpp"

#include "oci/annotations.hpp"

#include <algorithm>

namespace cgtide::policy {

namespace {

constexpr std::string_view kPodPrefix = "cgtide.io/";
constexpr std::string_view kInfix = ".cgtide.io/";

bool is_known(std::string_view name) {
    return std::find(oci::kKeys.begin(), oci::kKeys.end(), name) != oci::kKeys.end();
}

bool is_pod_key(const Annotation& annotation) {
    return annotation.key.starts_with(kPodPrefix);
}

/// The container that `apps.cgtide.io/web` names.
std::string_view named_container(const Annotation& annotation) {
    return annotation.key.substr(annotation.name.size() + kInfix.size());
}

Annotation take_apart(std::string_view key, std::string_view value) {
    if (key.starts_with(kPodPrefix)) {
        return {key, key.substr(kPodPrefix.size()), value};
    }
    return {key, key.substr(0, key.find('/') + 1 - kInfix.size()), value};
}

} // namespace

Keys sort_keys(const oci::Annotations& annotations) {
    Keys keys;
    keys.container = oci::container_in_pod(annotations);
    for (const auto& [key, value] : annotations) {
        if (!oci::is_cgtide_key(key)) {
            continue;
        }
        const Annotation annotation = take_apart(key, value);
        const bool pod = is_pod_key(annotation);
        const bool own = !pod && keys.container && named_container(annotation) == *keys.container;
        if (!pod && !own && keys.container) {
            continue;
        }
        if (!is_known(annotation.name) || (!pod && !own)) {
            keys.unknown.push_back(annotation);
        } else if (own) {
            keys.known.insert_or_assign(annotation.name, annotation);
        } else {
            keys.known.try_emplace(annotation.name, annotation);
        }
    }
    return keys;
}

std::string unknown_key(const Annotation& annotation, const std::optional<std::string>& container) {
    const bool pod = is_pod_key(annotation);
    if (!pod && !container) {
        return "names a container of a pod, but this runtime gave no container name: use "
               "cgtide.io/" +
               printable(annotation.name);
    }
    if (annotation.key.size() > oci::kMaxValueBytes) {
        return "at most 253 bytes";
    }
    const auto near = nearest(annotation.name, oci::kKeys);
    if (!near) {
        return "unknown key (allowed: " + join(oci::kKeys) + ")";
    }
    const std::string meant(*near);
    return "unknown key, did you mean " +
           (pod ? "cgtide.io/" + meant
                : meant + ".cgtide.io/" + printable(named_container(annotation))) +
           "?";
}

} // namespace cgtide::policy
