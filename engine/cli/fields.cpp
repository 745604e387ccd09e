#include "engine/cli/fields.hpp"

#include "cgroup/base/text.hpp"
#include "cgroup/base/units.hpp"

#include <array>
#include <cmath>
#include <ctime>

#include <nlohmann/json.hpp>

namespace cgtide::cli {

using nlohmann::json;

namespace {

const json* find(const json& object, const char* key) {
    const auto at = object.find(key);
    return at == object.end() ? nullptr : &*at;
}

/// Numbers of a reply that fit what they stand for; others are shown as missing.
std::optional<double> amount(const json& object, const char* key) {
    constexpr double kMost = 9e18;
    const auto value = number_field(object, key);
    return value && std::abs(*value) < kMost ? value : std::nullopt;
}

} // namespace

std::optional<double> number_field(const json& object, const char* key) {
    const json* value = find(object, key);
    return value != nullptr && value->is_number() ? std::optional(value->get<double>())
                                                  : std::nullopt;
}

std::string text_field(const json& object, const char* key) {
    const json* value = find(object, key);
    const bool known =
        value != nullptr && value->is_string() && !value->get_ref<const std::string&>().empty();
    return known ? printable(value->get_ref<const std::string&>(), 1024) : std::string(kNone);
}

std::string bytes_field(const json& object, const char* key) {
    const auto value = amount(object, key);
    if (!value) {
        return std::string(kNone);
    }
    const std::string size = format_bytes({static_cast<std::uint64_t>(std::abs(*value))});
    return *value < 0 ? '-' + size : size;
}

std::string share_field(const json& object, const char* key) {
    const auto value = amount(object, key);
    return value ? format_share({*value}) : std::string(kNone);
}

std::string duration_field(const json& object, const char* key) {
    const auto value = amount(object, key);
    return value ? format_duration(Microseconds(std::llround(*value))) : std::string(kNone);
}

std::string count_field(const json& object, const char* key) {
    const auto value = amount(object, key);
    return value ? std::to_string(std::llround(*value)) : std::string(kNone);
}

std::string list_field(const json& object, const char* key) {
    std::string text;
    for (const json& item : child(object, key)) {
        if (item.is_string()) {
            text += (text.empty() ? "" : ",") + printable(item.get_ref<const std::string&>());
        }
    }
    return text.empty() ? std::string(kNone) : text;
}

bool flag_field(const json& object, const char* key) {
    const json* value = find(object, key);
    return value != nullptr && value->is_boolean() && value->get<bool>();
}

const json& child(const json& object, const char* key) {
    static const json kEmpty = json::object();
    const json* value = find(object, key);
    return value != nullptr && value->is_structured() ? *value : kEmpty;
}

std::string clock_time(std::int64_t at_ms, std::int64_t now_ms) {
    const auto broken_down = [](std::int64_t ms) {
        const std::time_t seconds = ms / 1000;
        std::tm parts{};
        ::localtime_r(&seconds, &parts);
        return parts;
    };
    const std::tm at = broken_down(at_ms);
    const std::tm now = broken_down(now_ms);
    const bool today = at.tm_year == now.tm_year && at.tm_yday == now.tm_yday;
    std::array<char, 64> text{};
    const std::size_t size =
        std::strftime(text.data(), text.size(), today ? "%H:%M:%S" : "%Y-%m-%d %H:%M:%S", &at);
    return {text.data(), size};
}

std::string ago(std::int64_t at_ms, std::int64_t now_ms) {
    const std::int64_t seconds = (now_ms - at_ms) / 1000;
    return seconds <= 0 ? "now" : format_duration(Microseconds(seconds * 1'000'000)) + " ago";
}

} // namespace cgtide::cli
