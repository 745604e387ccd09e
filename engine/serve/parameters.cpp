#include "engine/serve/parameters.hpp"

#include "engine/wire/message.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace cgtide::serve {

using nlohmann::json;

Parameters::Parameters(const std::string& text, std::initializer_list<std::string_view> known) {
    auto parsed = wire::parse_object(text);
    if (!parsed) {
        fault_ = "parameters";
    } else {
        for (const auto& [key, value] : parsed->items()) {
            if (std::find(known.begin(), known.end(), key) == known.end()) {
                fault_ = key;
            }
        }
    }
    object_ = std::make_unique<const json>(parsed ? std::move(*parsed) : json::object());
}

Parameters::~Parameters() = default;

const json* Parameters::find(const std::string& key) const {
    const auto at = object_->find(key);
    return at == object_->end() || at->is_null() ? nullptr : &*at;
}

std::string Parameters::text(const std::string& key) {
    if (find(key) == nullptr) {
        fault_ = key;
    }
    return optional_text(key);
}

std::string Parameters::optional_text(const std::string& key) {
    const json* value = find(key);
    if (value != nullptr && !value->is_string()) {
        fault_ = key;
    }
    return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
}

std::string Parameters::object(const std::string& key) {
    const json* value = find(key);
    if (value == nullptr || !value->is_object()) {
        fault_ = key;
        return "{}";
    }
    return wire::to_text(*value);
}

bool Parameters::flag(const std::string& key) {
    const json* value = find(key);
    if (value != nullptr && !value->is_boolean()) {
        fault_ = key;
    }
    return value != nullptr && value->is_boolean() && value->get<bool>();
}

std::size_t Parameters::count(const std::string& key) {
    const json* value = find(key);
    if (value != nullptr && !value->is_number_unsigned()) {
        fault_ = key;
    }
    return value != nullptr && value->is_number_unsigned() ? value->get<std::size_t>() : 0;
}

} // namespace cgtide::serve
