#include "engine/cli/fields.hpp"
#include "engine/cli/idle.hpp"
#include "engine/cli/table.hpp"
#include "engine/cli/views.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace cgtide::cli {

namespace {

using nlohmann::json;

std::string rate(const json& row) {
    const auto pages = number_field(row, "refaults_per_second");
    return pages ? fmt::format("{:.1f}/s", *pages) : std::string(kNone);
}

std::string time_cell(const json& point, std::int64_t now_ms) {
    constexpr double kMost = 1e15;
    const auto at = number_field(point, "at_ms");
    return at && *at >= 0 && *at < kMost ? clock_time(static_cast<std::int64_t>(*at), now_ms)
                                         : std::string(kNone);
}

std::string median(const json& row) {
    return idle_time(number_field(row, "median_idle_us"));
}

} // namespace

std::string stat_text(const json& reply) {
    Table table({"NAME", ">USAGE", ">ANON", ">FILE", ">SWAP", ">PSI", ">REFAULTS", ">WORKING",
                 ">COLD 10s", ">1m", ">10m", ">UNSEEN", "MEDIAN IDLE", "SENSOR"});
    for (const json& row : child(reply, "rows")) {
        table.row({text_field(row, "name") + (flag_field(row, "ended") ? " (ended)" : ""),
                   bytes_field(row, "usage_bytes"), bytes_field(row, "anon_bytes"),
                   bytes_field(row, "file_bytes"), bytes_field(row, "swap_bytes"),
                   share_field(row, "memory_pressure_bp"), rate(row),
                   bytes_field(row, "working_set_bytes"), bytes_field(row, "cold_10s_bytes"),
                   bytes_field(row, "cold_1m_bytes"), bytes_field(row, "cold_10m_bytes"),
                   share_field(row, "unseen_bp"), median(row), text_field(row, "source")});
    }
    return table.text();
}

std::string history_text(const json& reply, std::int64_t now_ms) {
    Table table({"TIME", ">USAGE", ">WORKING", ">COLD 10s", ">1m", ">10m", ">UNSEEN", ">PSI",
                 ">REFAULTS", "MEDIAN IDLE"});
    const json& points = child(reply, "points");
    for (const json& point : points) {
        table.row({time_cell(point, now_ms), bytes_field(point, "usage_bytes"),
                   bytes_field(point, "working_set_bytes"), bytes_field(point, "cold_10s_bytes"),
                   bytes_field(point, "cold_1m_bytes"), bytes_field(point, "cold_10m_bytes"),
                   bytes_field(point, "unseen_bytes"), share_field(point, "memory_pressure_bp"),
                   rate(point), median(point)});
    }
    return points.empty() ? "nothing is known of " + text_field(child(reply, "container"), "name") +
                                " yet: see cgtide idle\n"
                          : table.text();
}

} // namespace cgtide::cli
