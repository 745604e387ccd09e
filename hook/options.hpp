#pragma once

#include "cgroup/base/result.hpp"

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace cgtide::hook {

/// What the hook is asked to do for a container.
enum class Stage {
    create_runtime, ///< register it
    poststop,       ///< mark it as stopped
};

/// The command line.
struct Options {
    bool strict = false; ///< an error fails the container
    bool help = false;
    bool version = false;
    std::string run_dir;    ///< absolute
    std::string socket;     ///< absolute; `<run_dir>/cgtide.sock` unless given
    std::string root = "/"; ///< where /proc, /sys and /dev/log are looked for; ends in "/"
    /// All that the hook may take; the engine is waited for during three quarters of it. The rest
    /// of 100 ms is for the kernel to start and to end the hook.
    std::chrono::milliseconds budget{80};
    std::optional<Stage> stage; ///< else the state's own status decides
};

/// Parses the arguments after the program's name; `--flag VALUE` and `--flag=VALUE` are the same.
///
/// \returns `malformed` for an unknown flag, a missing value, a path that is not absolute, a
///          budget outside of 10 to 1500 ms and an unknown stage, each named.
Result<Options> parse_options(std::span<const char* const> args);

/// True where the arguments hold `--strict`, whatever else is wrong with them.
bool asks_strict(std::span<const char* const> args);

/// The text of `--help`.
std::string_view help_text();

} // namespace cgtide::hook
