#pragma once

#include "cgroup/base/result.hpp"

#include <optional>
#include <string>

namespace cgtide::cli {

/// The first of `<bin_dir>/cgtided`, `<bin_dir>/../sbin/cgtided` and the folders of `path` (as in
/// $PATH) that can be executed; nullopt where there is none.
std::optional<std::string> find_engine(const std::string& bin_dir, const std::string& path);

/// Runs `program --probe` and waits for it. \returns what it printed, at most 1 MiB; an error where
/// it cannot be started, prints more, or its exit status is neither 0 nor 1 (1: something required
/// is missing, which the output tells).
Result<std::string> run_probe(const std::string& program);

} // namespace cgtide::cli
