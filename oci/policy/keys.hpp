#pragma once

#include "cgroup/base/text.hpp"
#include "oci/state.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cgtide::policy {

/// One annotation of cgtide's. The views point into the annotations it was found in.
struct Annotation {
    std::string_view key;   ///< in full: `cgtide.io/apps`, `apps.cgtide.io/web`
    std::string_view name;  ///< `apps`
    std::string_view value; ///< as given
};

/// The annotations that concern one container.
struct Keys {
    std::optional<std::string> container;         ///< its name within its pod
    std::map<std::string_view, Annotation> known; ///< by name; its own key wins over the pod's
    std::vector<Annotation> unknown;              ///< in the order of keys
};

/// Sorts annotations into keys that cgtide knows and keys in its domain that it does not. Keys that
/// name another container of the pod are left out. Pure.
Keys sort_keys(const oci::Annotations& annotations);

/// Why a key is refused, with the nearest known one: `unknown key, did you mean
/// cgtide.io/reclaim.pressure?`
std::string unknown_key(const Annotation& annotation, const std::optional<std::string>& container);

/// `stat, reclaim`; `none` where the list is empty.
template <class List>
std::string join(const List& list) {
    std::string text;
    for (const auto& item : list) {
        text += (text.empty() ? "" : ", ") + printable(item);
    }
    return text.empty() ? "none" : text;
}

} // namespace cgtide::policy
