#pragma once

#include "cgroup/base/units.hpp"

#include <cstddef>
#include <string>
#include <variant>

namespace cgtide::cli {

/// Exit statuses of cgtide; scripts rely on them.
namespace status {
inline constexpr int kOk = 0;
inline constexpr int kFailed = 1;
inline constexpr int kUsage = 2;
inline constexpr int kUnreachable = 3;
inline constexpr int kNoSuchContainer = 4;
} // namespace status

enum class Command {
    ps,
    stat,
    inspect,
    explain,
    idle,
    what_if,
    suggest,
    tier,
    regions,
    record,
    watch,
    attach,
    detach,
    pause,
    resume,
    damon_release,
    doctor,
    hooks
};

/// A command line that makes sense.
struct Options {
    Command command = Command::ps;
    std::string socket; ///< where the engine listens
    std::string name;   ///< of a container, as typed
    std::string app;
    std::string bundle;       ///< empty: print the stanza
    std::string hook;         ///< path of the hook program; empty: the installed one
    std::size_t last = 0;     ///< decisions to show; 0: all
    std::string file;         ///< to write
    Microseconds duration{0}; ///< 0: until it is interrupted
    Microseconds period{0};   ///< between two looks; 0: the engine's choice
    Microseconds idle{0};     ///< age to ask for; 0: the container's own
    std::size_t count = 0;    ///< looks; 0: until it is interrupted
    bool json = false;
    bool all = false;
    bool history = false;
    bool remove = false;
    bool dry_run = false;
};

/// What a program prints and returns.
struct Output {
    int status = status::kOk;
    std::string out;
    std::string err;
};

/// Parses a command line. Help, the version and mistakes are an Output.
std::variant<Options, Output> parse_options(int argc, const char* const* argv);

} // namespace cgtide::cli
