#pragma once

#include "oci/state.hpp"

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace cgtide::oci {

/// The keys that a container or pod may carry: `cgtide.io/<key>`, or `<key>.cgtide.io/<container>`
/// for one container of a pod.
inline constexpr std::string_view kDomain = "cgtide.io";
inline constexpr std::array<std::string_view, 9> kKeys{
    "apps",         "name",         "profile",       "dry-run",  "reclaim.pressure",
    "reclaim.idle", "reclaim.keep", "reclaim.pages", "tier.fast"};

/// True for a key in cgtide's domain, known or not: `cgtide.io/…` or `….cgtide.io/…`.
bool is_cgtide_key(std::string_view key);

/// True where any annotation has a key of cgtide's: the hook does nothing for other containers.
bool has_cgtide_key(const Annotations& annotations);

/// Only what a record keeps: cgtide's keys and those that names and namespaces are taken from. Keys
/// and values over kMaxValueBytes are cut just beyond it, where the policy still sees that they are
/// too long.
Annotations relevant(const Annotations& annotations);

/// The container's name within its pod (`io.kubernetes.container.name`,
/// `io.kubernetes.cri.container-name`), which per-container keys name.
std::optional<std::string> container_in_pod(const Annotations& annotations);

/// The Kubernetes namespace (`io.kubernetes.pod.namespace`, `io.kubernetes.cri.sandbox-namespace`);
/// nullopt elsewhere.
std::optional<std::string> name_space(const Annotations& annotations);

/// What people call the container: `cgtide.io/name` (of the container, else of the pod), else
/// `namespace/pod/container` of Kubernetes, else the id: podman passes its container names in no
/// annotation. Empty names and those over kMaxValueBytes are passed over. Not yet made printable.
std::string display_name(const Annotations& annotations, std::string_view id);

} // namespace cgtide::oci
