#include "engine/cli/idle.hpp"

#include "cgroup/base/units.hpp"
#include "engine/cli/fields.hpp"
#include "engine/cli/table.hpp"
#include "engine/cli/views.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace cgtide::cli {

namespace {

using nlohmann::json;

/// A bar of `#`, rounded to whole places; `share` outside 0 to 1 is cut.
std::string bar(double share, double places) {
    const double length = std::round(std::clamp(share, 0.0, 1.0) * places);
    return std::string(static_cast<std::size_t>(length), '#');
}

std::string head(const json& container, const json& idle) {
    const double processes = number_field(idle, "processes").value_or(0);
    const double unwatched = number_field(idle, "unwatched").value_or(0);
    // Generations are the cgroup's; they know no processes.
    const std::string watched =
        processes + unwatched == 0
            ? std::string()
            : fmt::format("{} {}{}, ", count_field(idle, "processes"),
                          processes == 1 ? "process" : "processes",
                          unwatched > 0 ? " (" + count_field(idle, "unwatched") + " unwatched)"
                                        : "");
    const std::string cost = number_field(idle, "cpu_us")
                                 ? ", " + duration_field(idle, "cpu_us") + " of CPU a look"
                                 : std::string();
    return fmt::format("{}{}: by {}\n{}{}, watched for {}{}\n", text_field(container, "name"),
                       flag_field(container, "ended") ? " (ended)" : "", idle_source(idle), watched,
                       idle_coverage(idle), duration_field(idle, "watched_us"), cost);
}

/// Why regions tell nothing, where they might.
std::string no_regions(const json& reply) {
    const std::string why = text_field(reply, "no_regions");
    return why == kNone ? std::string() : "no regions: " + why + '\n';
}

std::string no_page_cache(const json& idle) {
    const std::string why = unseen_page_cache(idle);
    return why.empty() ? why : "page cache that no process maps is unseen: " + why + '\n';
}

/// The axis is even, so that the bars read as a curve.
std::string percentiles(const json& idle) {
    constexpr double kPlaces = 44;
    constexpr std::size_t kStep = 10;
    const double longest = std::max(idle_percentile(idle, 100).value_or(0), 1.0);
    Table table({">PERCENTILE", "IDLE TIME", ""});
    for (std::size_t p = 0; p <= 100; p += kStep) {
        const auto value = idle_percentile(idle, p);
        table.row({std::to_string(p), idle_time(value), bar(value.value_or(0) / longest, kPlaces)});
    }
    return table.text();
}

/// A number that is no field of the reply, as a field.
json as_field(std::optional<double> value) {
    return {{"value", value ? json(*value) : json(nullptr)}};
}

/// Why it is that sensor, where people would wonder.
std::string why(const std::string& choice) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kTexts{
        {{"configured", " (as configured)"},
         {"only", " (no other sensor works for it)"},
         {"sees-more", " (they see more of it)"},
         {"watches-longer", " (the other sensor has just begun)"}}};
    for (const auto& [code, text] : kTexts) {
        if (choice == code) {
            return std::string(text);
        }
    }
    return {};
}

std::string cold(const json& idle) {
    constexpr double kPlaces = 20;
    const double charged = std::max(number_field(idle, "charged_bytes").value_or(0), 1.0);
    const auto share = [&](std::optional<double> bytes) {
        return bytes.value_or(0) / charged;
    };
    const auto share_text = [&](std::optional<double> bytes) {
        return share_field(as_field(bytes ? std::optional(share(bytes) * 10000.0) : bytes),
                           "value");
    };
    Table table({"IDLE FOR", ">ANONYMOUS", ">FILE", ">SUM", ">SHARE", ""});
    for (const json& at : child(idle, "cold")) {
        const auto bytes = cold_sum(at);
        table.row({duration_field(at, "age_us"), bytes_field(at, "anon_bytes"),
                   bytes_field(at, "file_bytes"), bytes_field(as_field(bytes), "value"),
                   share_text(bytes), bar(share(bytes), kPlaces)});
    }
    const auto total = [&](const std::string& title, const char* key) {
        table.row({title, "", "", bytes_field(idle, key), share_text(number_field(idle, key))});
    };
    const auto window = number_field(idle, "working_set_window_us");
    const bool proven = number_field(idle, "watched_us").value_or(0) >= window.value_or(0);
    total("used within " + duration_field(idle, "working_set_window_us") +
              (proven ? "" : ", at most"),
          "working_set_bytes");
    total("age unsure", "unsure_bytes");
    total("unseen", "unseen_bytes");
    return table.text();
}

} // namespace

std::optional<double> idle_percentile(const json& idle, std::size_t p) {
    const json& values = child(idle, "percentiles_us");
    const bool known = values.is_array() && p < values.size() && values[p].is_number();
    return known ? std::optional(values[p].get<double>()) : std::nullopt;
}

std::string idle_time(std::optional<double> us) {
    constexpr double kMost = 9e18;
    if (!us || std::abs(*us) >= kMost) {
        return std::string(kNone);
    }
    if (*us == 0.0) {
        return "in use";
    }
    const std::string length = format_duration(Microseconds(std::llround(std::abs(*us))));
    return *us < 0.0 ? "in use for " + length : length;
}

std::string idle_source(const json& idle) {
    const auto age = number_field(idle, "age_ms");
    const json old = as_field(age ? std::optional(*age * 1000.0) : age);
    return text_field(idle, "source") + why(text_field(idle, "choice")) + ", resolution " +
           duration_field(idle, "resolution_us") + ", " + duration_field(old, "value") + " old";
}

std::string unseen_page_cache(const json& idle) {
    constexpr double kWorthALine = 8 << 20;
    constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kTexts{
        {{"mglru", "multi-generational LRU hides it"},
         {"no-room", "other containers have more of it, and few can be watched"},
         {"unsupported", "this kernel's DAMON cannot tell it from other memory"},
         {"pending", "it has just begun to be watched"}}};
    const std::string state = text_field(idle, "page_cache");
    for (const auto& [code, text] : kTexts) {
        if (state == code && number_field(idle, "unseen_bytes").value_or(0) >= kWorthALine) {
            return std::string(text);
        }
    }
    return {};
}

std::string idle_coverage(const json& idle) {
    return share_field(idle, "coverage_bp") + " of " + bytes_field(idle, "charged_bytes") + " seen";
}

std::optional<double> cold_sum(const json& cold) {
    const auto anon = number_field(cold, "anon_bytes");
    const auto file = number_field(cold, "file_bytes");
    return anon && file ? std::optional(*anon + *file) : std::nullopt;
}

std::string idle_text(const json& reply) {
    const json& idle = child(reply, "idle");
    return head(child(reply, "container"), idle) + no_regions(reply) + no_page_cache(idle) + '\n' +
           percentiles(idle) + '\n' + cold(idle);
}

std::string idle_summary_text(const json& reply) {
    const json& idle = child(reply, "idle");
    return head(child(reply, "container"), idle) + no_regions(reply) + no_page_cache(idle) + '\n' +
           cold(idle);
}

} // namespace cgtide::cli
