#pragma once

#include "cgroup/base/text.hpp"
#include "engine/model/policy.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include <toml++/toml.h>

namespace cgtide::core {

/// Where in the file a value stands, for messages: `line 4: profile.eager.ratio`.
struct Place {
    const toml::node& node;
    std::string key;

    std::string text() const;
};

/// `malformed`: the place, its value and what is allowed.
tl::unexpected<Error> bad(const Place& place, const std::string& allowed);

/// `malformed` for a key that is not among the allowed ones.
template <std::size_t N>
Result<void> known_keys(const toml::table& table, const std::string& prefix,
                        const std::array<std::string_view, N>& allowed) {
    for (const auto& [key, node] : table) {
        if (std::find(allowed.begin(), allowed.end(), key.str()) == allowed.end()) {
            std::string message = "no such key; allowed:";
            for (const std::string_view name : allowed) {
                message += ' ';
                message += name;
            }
            return bad({node, prefix + printable(key.str(), 64)}, message);
        }
    }
    return {};
}

/// A value in quotes, read by `parse`.
template <class Value>
Result<Value> text_value(const Place& place, Result<Value> (*parse)(std::string_view),
                         const std::string& allowed) {
    const auto text = place.node.value<std::string>();
    if (!text || !place.node.is_string()) {
        return bad(place, allowed);
    }
    auto value = parse(*text);
    if (!value) {
        return bad(place, allowed);
    }
    return *value;
}

/// The tables that concern the node as a whole: `[damon]`, `[idle]`, `[node]`,
/// `[reclaim]`.
Result<void> read_damon(const toml::node& node, model::Settings& settings);
Result<void> read_idle(const toml::node& node, model::IdleSensor& sensor);
Result<void> read_node(const toml::node& node, model::NodeLimits& limits);
Result<void> read_reclaim(const toml::node& node, std::optional<model::Actuator>& actuator);
Result<void> read_tier(const toml::node& node, std::optional<model::Actuator>& mover);

} // namespace cgtide::core
