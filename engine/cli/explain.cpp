#include "engine/cli/fields.hpp"
#include "engine/cli/views.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace cgtide::cli {

namespace {

using nlohmann::json;

/// A number and the threshold that it is held against.
struct Pair {
    std::string_view value;
    std::string_view threshold;
};
constexpr std::array<Pair, 12> kPairs{{{"memory_pressure_bp", "target_bp"},
                                       {"io_pressure_bp", "target_bp"},
                                       {"usage_bytes", "floor_bytes"},
                                       {"age_us", "idle_us"},
                                       {"refault_bytes", "limit_bytes"},
                                       {"returned_bytes", "limit_bytes"},
                                       {"growth_bytes", "limit_bytes"},
                                       {"carried_bytes", "limit_bytes"},
                                       {"foreign_mapped_bytes", "limit_bytes"},
                                       {"swap_free_bytes", "limit_bytes"},
                                       {"ask_bytes", "room_bytes"},
                                       {"cpu_used_us", "cpu_share_bp"}}};

/// `memory pressure 0.34 %`: an input's name ends in its unit.
std::string shown(const json& inputs, std::string_view name) {
    const std::string key(name);
    const std::size_t cut = key.rfind('_');
    const std::string_view unit = name.substr(std::min(cut, name.size()));
    std::string words(name);
    std::string value = count_field(inputs, key.c_str());
    if (unit == "_bytes") {
        value = bytes_field(inputs, key.c_str());
    } else if (unit == "_bp") {
        value = share_field(inputs, key.c_str());
    } else if (unit == "_us") {
        value = duration_field(inputs, key.c_str());
    }
    if (unit == "_bytes" || unit == "_bp" || unit == "_us") {
        words.erase(cut);
    }
    std::replace(words.begin(), words.end(), '_', ' ');
    return words + ' ' + value;
}

std::string inputs_line(const json& inputs) {
    std::string line;
    const auto add = [&](const std::string& part) {
        line += (line.empty() ? "" : ", ") + part;
    };
    const auto paired = [&](const std::string& key) {
        return std::any_of(kPairs.begin(), kPairs.end(), [&](const Pair& pair) {
            return (pair.value == key && inputs.contains(std::string(pair.threshold))) ||
                   (pair.threshold == key && inputs.contains(std::string(pair.value)));
        });
    };
    for (const Pair& pair : kPairs) {
        if (inputs.contains(std::string(pair.value)) &&
            inputs.contains(std::string(pair.threshold))) {
            add(shown(inputs, pair.value) + " (" + shown(inputs, pair.threshold) + ')');
        }
    }
    for (const auto& [key, value] : inputs.items()) {
        if (!paired(key)) {
            add(shown(inputs, key));
        }
    }
    return line;
}

std::string outcome_line(const json& entry) {
    const json& outcome = child(entry, "outcome");
    if (outcome.empty()) {
        return flag_field(entry, "acted") ? "in progress" : "";
    }
    const std::string error = text_field(outcome, "error");
    const std::string actuator = text_field(entry, "actuator");
    return fmt::format("{} {} of {} by {} in {} ({} of CPU): {}{}",
                       text_field(entry, "app") == "reclaim" ? "took" : "moved",
                       bytes_field(outcome, "taken_bytes"), bytes_field(outcome, "asked_bytes"),
                       actuator, duration_field(outcome, "wall_us"),
                       duration_field(outcome, "cpu_us"), text_field(outcome, "end"),
                       error == kNone ? "" : ", " + error);
}

std::string entry_text(const json& entry, std::int64_t now_ms) {
    const auto time = [&](const char* key) {
        const auto at = number_field(entry, key);
        return at ? clock_time(static_cast<std::int64_t>(*at), now_ms) : std::string(kNone);
    };
    const double repeats = number_field(entry, "repeats").value_or(1);
    std::string text = fmt::format("{}  {}  {}: {}\n", time("first_ms"), text_field(entry, "app"),
                                   text_field(entry, "reason"), text_field(entry, "text"));
    const std::string inputs = inputs_line(child(entry, "inputs"));
    text += inputs.empty() ? "" : "    " + inputs + '\n';
    const std::string outcome = outcome_line(entry);
    text += outcome.empty() ? "" : "    -> " + outcome + '\n';
    if (repeats > 1) {
        text +=
            fmt::format("    {} times until {}\n", count_field(entry, "repeats"), time("last_ms"));
    }
    return text;
}

} // namespace

std::string explain_text(const json& reply, std::int64_t now_ms) {
    const json& container = child(reply, "container");
    std::string text =
        fmt::format("{}{}: {} taken since registration, usage {}\n", text_field(container, "name"),
                    flag_field(container, "ended") ? " (ended)" : "",
                    bytes_field(container, "taken_bytes"), bytes_field(container, "usage_bytes"));
    if (number_field(reply, "dropped").value_or(0) > 0) {
        text += fmt::format("{} older decisions are not kept any more\n",
                            count_field(reply, "dropped"));
    }
    for (const json& entry : child(reply, "entries")) {
        text += entry_text(entry, now_ms);
    }
    if (child(reply, "entries").empty()) {
        text += "no decision yet\n";
    }
    return text;
}

} // namespace cgtide::cli
