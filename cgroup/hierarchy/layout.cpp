#include "cgroup/hierarchy/layout.hpp"

#include "cgroup/base/text.hpp"

#include <algorithm>
#include <string_view>

namespace cgtide::hierarchy {

namespace {

constexpr std::string_view kMemory = "memory";
constexpr const char* kRemedy =
    "; boot with systemd.unified_cgroup_hierarchy=1, or without cgroup_disable=memory";

} // namespace

Result<Layout> make_layout(const std::optional<cgroup::CgroupMount>& v2,
                           std::span<const MountedController> controllers) {
    constexpr std::string_view kOp = "cgroup v2 memory controller";
    if (!v2) {
        return fail(Errc::unsupported, kOp,
                    std::string("is missing: no cgroup2 file system is mounted") + kRemedy);
    }
    Layout layout{v2->path, v2->root, Mode::unified, {}, v2->recursive_protection, v2->nsdelegate};
    std::string v1_memory;
    for (const MountedController& controller : controllers) {
        if (controller.path == v2->path) {
            layout.controllers.push_back(controller.name);
            continue;
        }
        layout.mode = Mode::hybrid;
        if (controller.name == kMemory) {
            v1_memory = controller.path;
        }
    }
    const auto& offered = layout.controllers;
    if (std::find(offered.begin(), offered.end(), kMemory) == offered.end()) {
        return fail(
            Errc::unsupported, kOp,
            "is missing: the hierarchy at " + printable(v2->path) + " does not offer it" +
                (v1_memory.empty() ? "" : ", it is bound to v1 at " + printable(v1_memory)) +
                kRemedy);
    }
    return layout;
}

Result<void> check_group_name(const std::string& name) {
    constexpr std::size_t kLongest = 255;
    const bool plain = name.find_first_of(std::string("/\n\0", 3)) == std::string::npos;
    if (name.empty() || name.size() > kLongest || name.front() == '.' || !plain) {
        return fail(Errc::malformed, "own cgroup", "'" + printable(name) + "' is no name");
    }
    return {};
}

} // namespace cgtide::hierarchy
