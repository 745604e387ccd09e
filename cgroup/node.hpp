#pragma once

#include "cgroup/base/dir.hpp"
#include "cgroup/parse/proc.hpp"

#include <cstdint>
#include <string>

namespace cgtide::cgroup {

/// What all containers of the node share: free memory and swap, from `/proc/meminfo` through a kept
/// descriptor.
class NodeReader {
public:
    /// Opens `meminfo` below `proc`.
    static Result<NodeReader> open(const Dir& proc);

    /// Reads it again. Does not block. About 15 us.
    Result<MemInfo> read();

private:
    explicit NodeReader(UniqueFd meminfo) : meminfo_(std::move(meminfo)) {}

    UniqueFd meminfo_;
    std::string buffer_;
};

} // namespace cgtide::cgroup
