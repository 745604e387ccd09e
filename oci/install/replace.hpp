#pragma once

#include "cgroup/base/dir.hpp"
#include "cgroup/base/result.hpp"

#include <string>
#include <string_view>

namespace cgtide::install {

/// Replaces a file atomically, keeping its mode and owner; it must be there. The new text is on the
/// disk before the name points to it. Blocks as the file system does.
Result<void> replace_keeping(const Dir& dir, const std::string& name, std::string_view text);

} // namespace cgtide::install
