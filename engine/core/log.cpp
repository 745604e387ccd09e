#include "engine/core/log.hpp"

#include <array>
#include <chrono>
#include <unordered_map>

#include <spdlog/sinks/ansicolor_sink.h>
#include <spdlog/spdlog.h>

namespace cgtide::core::log {

namespace {

struct Limit {
    std::chrono::steady_clock::time_point until;
    unsigned left_out = 0;
};

spdlog::level::level_enum to_spdlog(Level level) {
    constexpr std::array kLevels{spdlog::level::debug, spdlog::level::info, spdlog::level::warn,
                                 spdlog::level::err};
    return kLevels[static_cast<std::size_t>(level)];
}

/// systemd reads the priority off the front of a line (sd-daemon(3)).
std::string_view priority(Level level) {
    constexpr std::array<std::string_view, 4> kPriorities{"<7>", "<6>", "<4>", "<3>"};
    return kPriorities[static_cast<std::size_t>(level)];
}

bool g_journal = false;

} // namespace

void open(bool journal, Level least) {
    g_journal = journal;
    auto logger = std::make_shared<spdlog::logger>(
        "cgtided", std::make_shared<spdlog::sinks::ansicolor_stderr_sink_mt>());
    logger->set_pattern(journal ? "%v" : "%Y-%m-%dT%H:%M:%S.%e %^%l%$ %v");
    logger->set_level(to_spdlog(least));
    spdlog::set_default_logger(std::move(logger));
}

void write(Level level, std::string_view line) {
    spdlog::log(to_spdlog(level), "{}{}", g_journal ? priority(level) : "", line);
}

void write_limited(Level level, std::string_view key, std::string_view line) {
    constexpr auto kMinute = std::chrono::minutes(1);
    constexpr std::size_t kMostKeys = 4096;
    static std::unordered_map<std::string, Limit> limits;
    const auto now = std::chrono::steady_clock::now();
    if (limits.size() > kMostKeys) {
        std::erase_if(limits, [&](const auto& entry) { return entry.second.until <= now; });
    }
    Limit& limit = limits[std::string(key)];
    if (now < limit.until) {
        ++limit.left_out;
        return;
    }
    if (limit.left_out > 0) {
        write(level, fmt::format("{} ({} more like it in the last minute)", line, limit.left_out));
    } else {
        write(level, line);
    }
    limit = {now + kMinute, 0};
}

} // namespace cgtide::core::log
