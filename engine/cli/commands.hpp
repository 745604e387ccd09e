#pragma once

#include "engine/cli/options.hpp"

#include <cstdint>
#include <string>

namespace cgtide::cli {

/// What commands know of where they run.
struct Surroundings {
    std::int64_t now_ms = 0; ///< milliseconds since the epoch
    std::string bin_dir;     ///< folder of the running program
    std::string path;        ///< $PATH
};

/// Runs a command to its end. Blocks for as long as the engine or the file system takes, ten
/// seconds for the engine at most.
Output run(const Options& options, const Surroundings& here);

} // namespace cgtide::cli
