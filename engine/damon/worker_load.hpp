#pragma once

#include "engine/damon/host.hpp"

#include <optional>
#include <span>
#include <unordered_map>

namespace cgtide::damon {

/// What the workers of a pool use of the processors.
class WorkerLoad {
public:
    /// How much of one processor these have used since the call before, all together: two whole
    /// ones are 20000 basis points. Nothing at the first call. Reads a small file a worker.
    std::optional<BasisPoints> measure(const Host& host, std::span<const int> workers,
                                       TimePoint at);

private:
    std::unordered_map<int, Microseconds> before_; ///< CPU time by pid
    TimePoint at_{};
};

} // namespace cgtide::damon
