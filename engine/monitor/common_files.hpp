#pragma once

#include "cgroup/base/units.hpp"
#include "engine/monitor/idle_view.hpp"
#include "engine/monitor/processes.hpp"

#include <map>
#include <span>
#include <vector>

namespace cgtide::monitor {

/// Which files others need too. Those that several watched containers map: who of them is charged
/// for a page, and when the others use it, a container's own processes do not tell. And programs,
/// of which a mapping is executable: whoever starts one next reads what those that run have long
/// done with. Pure.
class CommonFiles {
public:
    /// What the processes of a container map now.
    void set(CgroupId id, std::span<const Space> spaces);

    void forget(CgroupId id);

    /// Those of a container's files that others need too; rising.
    std::vector<FileId> of(CgroupId id) const;

private:
    struct File {
        FileId id;
        bool is_program = false;
    };

    std::map<CgroupId, std::vector<File>> files_; ///< each rising, a file once
    std::map<FileId, unsigned> containers_;       ///< how many map it
};

} // namespace cgtide::monitor
