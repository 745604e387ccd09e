// What would leave a container, and what it should be given, in words.
#include "engine/cli/fields.hpp"
#include "engine/cli/views.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace cgtide::cli {

namespace {

using nlohmann::json;

bool has_bytes(const json& object, const char* key) {
    return number_field(object, key).value_or(0) > 0;
}

} // namespace

std::string what_if_text(const json& reply) {
    const json& answer = child(reply, "what_if");
    const double leaves = number_field(answer, "anon_bytes").value_or(0) +
                          number_field(answer, "file_bytes").value_or(0);
    std::string text = fmt::format(
        "{}: {} of {} would leave, idle for {} or longer: {} anonymous, {} file\n",
        text_field(child(reply, "container"), "name"), bytes_field(json{{"sum", leaves}}, "sum"),
        bytes_field(answer, "usage_bytes"), duration_field(answer, "idle_us"),
        bytes_field(answer, "anon_bytes"), bytes_field(answer, "file_bytes"));
    if (has_bytes(answer, "kept_by_floor_bytes")) {
        text += fmt::format("idle too, and kept by the floor of {}: {}\n",
                            bytes_field(answer, "floor_bytes"),
                            bytes_field(answer, "kept_by_floor_bytes"));
    }
    if (has_bytes(answer, "kept_by_kind_bytes")) {
        text += fmt::format("idle too, and kept by reclaim.pages or for want of swap: {}\n",
                            bytes_field(answer, "kept_by_kind_bytes"));
    }
    if (has_bytes(answer, "unproven_bytes")) {
        text += fmt::format("of unknown age: {}\n", bytes_field(answer, "unproven_bytes"));
    }
    return text + "nothing was touched\n";
}

std::string suggest_text(const json& reply) {
    const json& found = child(reply, "suggestion");
    return fmt::format("{}: request {}, limit {} (confidence {})\n"
                       "  over {}: working set at most {}, usage at most {}, unseen at most {},\n"
                       "  came back within a minute at most {}\n",
                       text_field(child(reply, "container"), "name"),
                       bytes_field(found, "request_bytes"), bytes_field(found, "limit_bytes"),
                       text_field(found, "confidence"), duration_field(found, "window_us"),
                       bytes_field(found, "working_set_bytes"),
                       bytes_field(found, "highest_usage_bytes"),
                       bytes_field(found, "unseen_bytes"), bytes_field(found, "refaulted_bytes"));
}

} // namespace cgtide::cli
