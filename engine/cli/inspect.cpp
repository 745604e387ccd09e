#include "engine/cli/fields.hpp"
#include "engine/cli/idle.hpp"
#include "engine/cli/views.hpp"

#include <initializer_list>
#include <utility>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace cgtide::cli {

namespace {

using nlohmann::json;
using Lines = std::initializer_list<std::pair<const char*, std::string>>;

std::string section(const char* title, Lines lines) {
    std::string text = fmt::format("\n{}\n", title);
    for (const auto& [name, value] : lines) {
        text += fmt::format("  {:<18}{}\n", name, value);
    }
    return text;
}

std::string identity(const json& detail, const json& container, std::int64_t now_ms) {
    const auto since = static_cast<std::int64_t>(
        number_field(container, "registered_ms").value_or(static_cast<double>(now_ms)));
    std::string title = text_field(container, "name");
    title += flag_field(container, "ended") ? " (ended)" : "";
    title += flag_field(container, "dry_run") ? " (dry run: decides, does nothing)" : "";
    std::string text = title + '\n';
    for (const auto& [name, value] :
         Lines{{"id", text_field(container, "id")},
               {"cgroup",
                text_field(container, "path") + " (" + count_field(container, "cgroup") + ')'},
               {"bundle", text_field(detail, "bundle")},
               {"pid", count_field(detail, "pid")},
               {"registered", clock_time(since, now_ms) + " (" + ago(since, now_ms) + ')'},
               {"apps", list_field(container, "apps")},
               {"attached by hand", list_field(detail, "attached")},
               {"detached by hand", list_field(detail, "detached")}}) {
        text += fmt::format("  {:<18}{}\n", name, value);
    }
    return text;
}

std::string memory(const json& detail, const json& container) {
    const json& counters = child(detail, "counters");
    const json& rates = child(detail, "rates");
    const auto rate = number_field(rates, "refaults_per_second");
    return section("memory",
                   {{"usage", bytes_field(container, "usage_bytes")},
                    {"  anonymous", bytes_field(counters, "anon_bytes")},
                    {"  file", bytes_field(counters, "file_bytes")},
                    {"  kernel", bytes_field(counters, "kernel_bytes")},
                    {"  shmem", bytes_field(counters, "shmem_bytes")},
                    {"swap", bytes_field(container, "swap_bytes")},
                    {"floor", bytes_field(detail, "floor_bytes")},
                    {"memory.min, low", bytes_field(counters, "min_bytes") + ", " +
                                            bytes_field(counters, "low_bytes") + " in effect"},
                    {"taken", bytes_field(container, "taken_bytes") + " since registration"},
                    {"memory pressure", share_field(rates, "memory_pressure_bp")},
                    {"io pressure", share_field(rates, "io_pressure_bp")},
                    {"refaults", rate ? fmt::format("{:.1f} pages/s", *rate) : std::string(kNone)},
                    {"major faults", count_field(counters, "major_faults")},
                    {"OOM kills", count_field(counters, "oom_kills")},
                    {"frozen", flag_field(counters, "frozen") ? "yes" : "no"},
                    {"idle age", text_field(detail, "age")}});
}

/// Bytes or a share, whichever is set.
std::string amount(const json& value) {
    const std::string size = bytes_field(value, "bytes");
    return size == kNone ? share_field(value, "bp") : size;
}

std::string policy(const json& detail) {
    const json& granted = child(detail, "policy");
    const json& profile = child(granted, "profile");
    const auto ratio = number_field(profile, "ratio");
    const std::string keep_bytes = bytes_field(granted, "keep_bytes");
    return section(
        "policy",
        {{"profile", text_field(profile, "name")},
         {"  pace",
          fmt::format("{} of usage every {}, at most {}",
                      ratio ? fmt::format("{:.4g} %", *ratio * 100.0) : std::string(kNone),
                      duration_field(profile, "period_us"), share_field(profile, "max_bp"))},
         {"  cpu", share_field(profile, "cpu_bp") + " of a core"},
         {"period in force", duration_field(detail, "period_us")},
         {"pressure target", share_field(granted, "pressure_bp")},
         {"idle", duration_field(granted, "idle_us")},
         {"keep", keep_bytes == kNone ? share_field(granted, "keep_bp") + " of usage" : keep_bytes},
         {"pages", text_field(granted, "pages")},
         {"fast tier",
          amount(child(granted, "fast_low")) + ".." + amount(child(granted, "fast_high"))}});
}

/// The engine tells cold bytes at ages of its choice; these are shown.
std::string cold_for(const json& idle, double age_us) {
    for (const json& cold : child(idle, "cold")) {
        const auto sum = cold_sum(cold);
        if (number_field(cold, "age_us") == age_us && sum) {
            return bytes_field({{"sum", *sum}}, "sum");
        }
    }
    return std::string(kNone);
}

std::string idle_times(const json& detail) {
    const json& idle = child(detail, "idle");
    if (idle.empty()) {
        return {};
    }
    const std::string unseen = unseen_page_cache(idle);
    return section(
        "idle time",
        {{"median", idle_time(idle_percentile(idle, 50))},
         {"90th percentile", idle_time(idle_percentile(idle, 90))},
         {"cold for 10 s", cold_for(idle, 10e6)},
         {"cold for 1 m", cold_for(idle, 60e6)},
         {"cold for 2 m", cold_for(idle, 120e6)},
         {"coverage", idle_coverage(idle) + (unseen.empty() ? "" : "; page cache: " + unseen)},
         {"source", idle_source(idle)}});
}

} // namespace

std::string inspect_text(const json& reply, std::int64_t now_ms) {
    const json& detail = child(reply, "detail");
    const json& container = child(detail, "container");
    std::string text = identity(detail, container, now_ms) + memory(detail, container) +
                       idle_times(detail) + policy(detail);
    const json& faults = child(detail, "faults");
    if (!faults.empty()) {
        text += "\nrefused annotations\n";
    }
    for (const json& fault : faults) {
        const std::string app = text_field(fault, "app");
        text += fmt::format("  {} = \"{}\"\n    {}{}\n", text_field(fault, "key"),
                            text_field(fault, "value"), text_field(fault, "message"),
                            app == kNone ? "" : "; " + app + " stays off");
    }
    return text;
}

} // namespace cgtide::cli
