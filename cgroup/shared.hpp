#pragma once

#include "cgroup/base/cgroup_id.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace cgtide::cgroup {

/// A live container's cgroup and what people call it.
struct Registered {
    CgroupId id;
    std::string_view name;
};

/// A cgroup that asks to be registered, and whom it may not be shared with.
struct SharedQuery {
    std::string_view path;        ///< v2, begins with `/`
    CgroupId id;                  ///< its id
    std::string_view hook_path;   ///< v2 path of the hook (or runtime); empty where unknown
    std::string_view engine_path; ///< v2 path of the engine; empty where unknown
    std::span<const Registered> registered; ///< the other live containers
};

/// Why a cgroup is no container's own, in words; nullopt where it may be registered. Refused are
/// the root, the cgroups of the hook and of the engine, every ancestor of them, and a cgroup that
/// another live container registered. Pure.
std::optional<std::string> shared_reason(const SharedQuery& query);

} // namespace cgtide::cgroup
