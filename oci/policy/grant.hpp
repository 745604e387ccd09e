#pragma once

#include "engine/model/policy.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cgtide::policy {

/// What one container may choose.
struct Granted {
    std::vector<model::AppName> apps;
    std::vector<std::string> profiles; ///< `default` is always among them
    model::Amount low = Bytes{0};      ///< the most that `tier.fast` may protect
};

/// The first grant that matches the container, or what is free for all: apps stat and reclaim,
/// profile default. A grant with a cgroup and a namespace matches where both do, one with neither
/// matches all. Pure.
Granted granted(const model::Settings& settings, std::string_view cgroup_path,
                const std::optional<std::string>& name_space);

} // namespace cgtide::policy
