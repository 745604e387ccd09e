#pragma once

#include "cgroup/base/units.hpp"
#include "engine/monitor/idle_view.hpp"
#include "engine/monitor/processes.hpp"

#include <map>
#include <span>
#include <vector>

namespace cgtide::monitor {

/// Which files several watched containers map. Who of them is charged for a page, and when the
/// others use it, a container's own processes do not tell. Pure.
class CommonFiles {
public:
    /// What the processes of a container map now.
    void set(CgroupId id, std::span<const Space> spaces);

    void forget(CgroupId id);

    /// Those of a container's files that another one maps too; rising.
    std::vector<FileId> of(CgroupId id) const;

private:
    std::map<CgroupId, std::vector<FileId>> files_; ///< each rising
    std::map<FileId, unsigned> containers_;         ///< how many map it
};

} // namespace cgtide::monitor
