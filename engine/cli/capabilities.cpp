#include "engine/cli/fields.hpp"
#include "engine/cli/views.hpp"

#include <algorithm>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace cgtide::cli {

using nlohmann::json;

std::string doctor_text(const json& reply) {
    std::string text;
    for (const json& capability : child(reply, "capabilities")) {
        const bool present = flag_field(capability, "present");
        const bool required = flag_field(capability, "required");
        text += fmt::format("{:<7}  {}{}\n", present ? "yes" : "MISSING",
                            text_field(capability, "name"), required ? " (required)" : "");
        text += fmt::format("         probed {}: {}\n", text_field(capability, "probed"),
                            text_field(capability, "detail"));
        text += fmt::format("         without it: {}\n", text_field(capability, "without"));
    }
    return text;
}

bool lacks_required(const json& reply) {
    const json& list = child(reply, "capabilities");
    return std::any_of(list.begin(), list.end(), [](const json& capability) {
        return flag_field(capability, "required") && !flag_field(capability, "present");
    });
}

} // namespace cgtide::cli
