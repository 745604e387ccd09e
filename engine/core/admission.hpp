#pragma once

#include "cgroup/base/kernel_roots.hpp"
#include "cgroup/group.hpp"
#include "oci/record.hpp"

#include <memory>
#include <string>
#include <vector>

namespace cgtide::core {

/// A live container's cgroup, as admission sees it.
struct Resident {
    CgroupId id;
    std::string key;
    std::string name;
};

/// What a record is held against.
struct AdmissionQuery {
    oci::Record record;
    std::string boot_id;             ///< of this boot
    std::string engine_path;         ///< v2 path of the engine
    std::vector<Resident> residents; ///< live containers
};

/// A record that stands for a living cgroup.
struct Admitted {
    std::shared_ptr<cgroup::Group> group;
    bool frozen = false;
};

/// Holds a record against the kernel: this boot, a cgroup with that id at that path, a process in
/// it, shared with nobody.
///
/// Blocks for about 100 us. \returns `gone` for another boot, a cgroup that was removed or made
/// anew, or one without a process; `conflict`, with a detail that begins with `shared-cgroup`, for
/// a cgroup that is no container's own.
Result<Admitted> admit(const KernelRoots& roots, const AdmissionQuery& query);

/// What cgroup.events says now: `gone` where the cgroup was removed or has no process left.
Result<bool> frozen_now(const Dir& group);

} // namespace cgtide::core
