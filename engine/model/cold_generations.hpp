#pragma once

#include "cgroup/base/cgroup_id.hpp"

#include <cstdint>
#include <string>

namespace cgtide::model {

/// The generations of MGLRU of one cgroup on one node whose anonymous pages were proven idle: the
/// oldest up to one.
struct ColdGenerations {
    CgroupId group;
    std::string path; ///< v2
    unsigned node = 0;
    std::uint64_t last = 0;  ///< the number of the youngest of them
    std::uint64_t pages = 0; ///< proven idle, of all of them together

    bool operator==(const ColdGenerations&) const = default;
};

} // namespace cgtide::model
