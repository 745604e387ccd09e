#include "oci/policy/grant.hpp"

#include <algorithm>

namespace cgtide::policy {

namespace {

/// True where `prefix` is `path` or an ancestor of it: `/web` covers `/web/a1`, not `/website`.
bool covers(std::string_view prefix, std::string_view path) {
    while (prefix.ends_with('/')) {
        prefix.remove_suffix(1);
    }
    return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

bool matches(const model::Grant& grant, std::string_view path,
             const std::optional<std::string>& name_space) {
    if (grant.cgroup && !covers(*grant.cgroup, path)) {
        return false;
    }
    return !grant.name_space || (name_space && *name_space == *grant.name_space);
}

} // namespace

Granted granted(const model::Settings& settings, std::string_view cgroup_path,
                const std::optional<std::string>& name_space) {
    Granted result;
    result.apps.assign(model::kFreeApps.begin(), model::kFreeApps.end());
    result.profiles = {"default"};
    for (const model::Grant& grant : settings.grants) {
        if (matches(grant, cgroup_path, name_space)) {
            result.apps = grant.apps;
            result.low = grant.low;
            for (const std::string& profile : grant.profiles) {
                if (profile != "default") {
                    result.profiles.push_back(profile);
                }
            }
            break;
        }
    }
    return result;
}

} // namespace cgtide::policy
