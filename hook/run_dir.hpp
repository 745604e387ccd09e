#pragma once

#include "cgroup/base/result.hpp"

#include <string>
#include <string_view>

namespace cgtide::hook {

/// Leaves `<run_dir>/containers/<key>.json`, mode 0600, by an atomic rename. A folder that is
/// missing is made: `run_dir` 0755 (its parent must be there), `containers` 0700. Blocks as the
/// file system does. \returns what the system call on the named path returned.
Result<void> leave_record(const std::string& run_dir, const std::string& key,
                          std::string_view text);

/// Leaves an empty `<run_dir>/containers/<key>.stopped` the same way.
Result<void> leave_mark(const std::string& run_dir, const std::string& key);

} // namespace cgtide::hook
