#pragma once

#include "cgroup/base/result.hpp"

#include <string>

namespace cgtide::hook {

/// Reads a descriptor to its end. Of more than `limit` bytes the first limit + 1 are kept, and the
/// rest is read and dropped, so that a runtime never sees a broken pipe. Blocks.
Result<std::string> read_input(int fd, std::size_t limit);

/// Reads a small file in one read(2), as the kernel gives the files of /proc: a second one for the
/// end and a close would be a third of the hook's system calls.
///
/// \returns `out_of_range` where it has 16 KiB or more.
Result<std::string> read_proc(const std::string& path);

} // namespace cgtide::hook
