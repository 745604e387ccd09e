#include "oci/annotations.hpp"

#include <algorithm>

namespace cgtide::oci {

namespace {

/// How CRI-O and containerd spell one name.
struct Spelling {
    std::string_view crio;
    std::string_view containerd;
};

constexpr Spelling kContainer{"io.kubernetes.container.name", "io.kubernetes.cri.container-name"};
constexpr Spelling kPod{"io.kubernetes.pod.name", "io.kubernetes.cri.sandbox-name"};
constexpr Spelling kNamespace{"io.kubernetes.pod.namespace", "io.kubernetes.cri.sandbox-namespace"};
constexpr std::array<Spelling, 3> kNames{kContainer, kPod, kNamespace};

constexpr std::string_view kPrefix = "cgtide.io/";
constexpr std::string_view kSuffix = ".cgtide.io";

std::optional<std::string> value_of(const Annotations& annotations, std::string_view key) {
    const auto at = annotations.find(key);
    if (at == annotations.end() || at->second.empty() || at->second.size() > kMaxValueBytes) {
        return std::nullopt;
    }
    return at->second;
}

std::optional<std::string> value_of(const Annotations& annotations, const Spelling& spelling) {
    auto value = value_of(annotations, spelling.crio);
    return value ? value : value_of(annotations, spelling.containerd);
}

bool is_name_key(std::string_view key) {
    return std::any_of(kNames.begin(), kNames.end(), [key](const Spelling& spelling) {
        return key == spelling.crio || key == spelling.containerd;
    });
}

/// Cuts what is too long to the first whole character beyond kMaxValueBytes, so that the policy
/// still sees that it was.
std::string cut(const std::string& text) {
    std::size_t end = kMaxValueBytes + 1;
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
        ++end;
    }
    return text.substr(0, end);
}

} // namespace

bool is_cgtide_key(std::string_view key) {
    if (key.starts_with(kPrefix)) {
        return true;
    }
    const std::size_t slash = key.find('/');
    return slash != std::string_view::npos && slash > kSuffix.size() &&
           key.substr(0, slash).ends_with(kSuffix);
}

bool has_cgtide_key(const Annotations& annotations) {
    return std::any_of(annotations.begin(), annotations.end(),
                       [](const auto& item) { return is_cgtide_key(item.first); });
}

Annotations relevant(const Annotations& annotations) {
    Annotations kept;
    for (const auto& [key, value] : annotations) {
        if (is_name_key(key) || is_cgtide_key(key)) {
            kept.emplace(cut(key), cut(value));
        }
    }
    return kept;
}

std::optional<std::string> container_in_pod(const Annotations& annotations) {
    return value_of(annotations, kContainer);
}

std::optional<std::string> name_space(const Annotations& annotations) {
    return value_of(annotations, kNamespace);
}

std::string display_name(const Annotations& annotations, std::string_view id) {
    const auto container = container_in_pod(annotations);
    if (container) {
        if (auto own = value_of(annotations, "name.cgtide.io/" + *container)) {
            return *own;
        }
    }
    if (auto given = value_of(annotations, "cgtide.io/name")) {
        return *given;
    }
    const auto pod = value_of(annotations, kPod);
    if (!pod) {
        return std::string(id);
    }
    const auto space = name_space(annotations);
    return (space ? *space + "/" : "") + *pod + (container ? "/" + *container : "");
}

} // namespace cgtide::oci
