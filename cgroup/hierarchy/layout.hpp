#pragma once

#include "cgroup/hierarchy/hierarchy.hpp"
#include "cgroup/parse/proc.hpp"

#include <optional>
#include <span>
#include <string>

namespace cgtide::hierarchy {

/// A mounted controller and where; v1 or v2.
struct MountedController {
    std::string name;
    std::string path;
};

/// Puts together what discover() answers from the v2 mount and all mounted controllers. Pure.
///
/// \returns `unsupported` with the one message about what is missing.
Result<Layout> make_layout(const std::optional<cgroup::CgroupMount>& v2,
                           std::span<const MountedController> controllers);

/// \returns `malformed` for a name that is not one plain component of a path.
Result<void> check_group_name(const std::string& name);

} // namespace cgtide::hierarchy
