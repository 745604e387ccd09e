#pragma once

#include "engine/cli/options.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace cgtide::cli {

/// What commands know of where they run.
struct Surroundings {
    std::int64_t now_ms = 0; ///< milliseconds since the epoch
    std::string bin_dir;     ///< folder of the running program
    std::string path;        ///< $PATH
    bool terminal = false;   ///< what is printed goes to a terminal
    /// Prints at once, for commands that go on; false where nobody takes it any more.
    std::function<bool(std::string_view)> print{};
};

/// Runs a command to its end. Blocks for as long as the engine or the file system takes, ten
/// seconds for a reply of the engine at most; record and watch until they end.
Output run(const Options& options, const Surroundings& here);

} // namespace cgtide::cli
