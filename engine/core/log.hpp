#pragma once

#include <string>
#include <string_view>

#include <fmt/core.h>

namespace cgtide::core::log {

enum class Level { debug, info, warning, error };

/// Sends lines to standard error: with `<N>` priorities where systemd's journal reads them, with
/// time and level else. Called once, in main.
void open(bool journal, Level least);

void write(Level level, std::string_view line);

/// At most one line a minute for one key (a container and a reason); the next one says how many
/// were left out.
void write_limited(Level level, std::string_view key, std::string_view line);

template <class... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
    write(Level::info, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void warning(fmt::format_string<Args...> format, Args&&... args) {
    write(Level::warning, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
    write(Level::error, fmt::format(format, std::forward<Args>(args)...));
}

} // namespace cgtide::core::log
