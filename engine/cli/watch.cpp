#include "engine/cli/fields.hpp"
#include "engine/cli/views.hpp"

#include <nlohmann/json.hpp>

namespace cgtide::cli {

using nlohmann::json;

std::string watch_text(const json& reply) {
    constexpr double kMost = 1e15;
    const double at = number_field(reply, "at_ms").value_or(0);
    const std::int64_t now_ms = at >= 0 && at < kMost ? static_cast<std::int64_t>(at) : 0;
    std::string text = clock_time(now_ms, now_ms) + '\n' + stat_text(reply);
    if (child(reply, "container").empty()) {
        return text;
    }
    text += '\n';
    text += child(reply, "idle").empty() ? "no idle times: " + text_field(reply, "no_idle") + '\n'
                                         : idle_summary_text(reply);
    return text + '\n' + explain_text(reply, now_ms);
}

} // namespace cgtide::cli
