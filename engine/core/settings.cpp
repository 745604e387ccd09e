#include "engine/core/settings.hpp"

#include "engine/core/settings_tables.hpp"
#include "oci/policy/values.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <sstream>

#include <toml++/toml.h>

namespace cgtide::core {

namespace {

using model::Settings;

Result<void> read_profile(const toml::table& table, const std::string& prefix,
                          model::Profile& profile) {
    constexpr std::array<std::string_view, 5> kKeys{"ratio", "max", "period", "cpu", "weight"};
    if (auto known = known_keys(table, prefix, kKeys); !known) {
        return known;
    }
    if (const toml::node* node = table.get("ratio")) {
        const auto ratio = node->value<double>();
        if (!ratio || !(*ratio > 0.0 && *ratio <= 1.0)) {
            return bad({*node, prefix + "ratio"}, "a number over 0, at most 1");
        }
        profile.ratio = *ratio;
    }
    if (const toml::node* node = table.get("weight")) {
        const auto weight = node->value<double>();
        if (!weight || !(*weight >= 0.01 && *weight <= 100.0)) {
            return bad({*node, prefix + "weight"}, "a number, 0.01 to 100");
        }
        profile.weight = *weight;
    }
    for (const auto& [key, field] : {std::pair{"max", &profile.max}, {"cpu", &profile.cpu}}) {
        if (const toml::node* node = table.get(key)) {
            auto share = text_value<BasisPoints>({*node, prefix + key}, parse_share,
                                                 "a share in quotes, 0% to 100%");
            if (!share) {
                return tl::unexpected(share.error());
            }
            *field = *share;
        }
    }
    if (const toml::node* node = table.get("period")) {
        constexpr Microseconds kShortest{1'000'000};
        constexpr Microseconds kLongest{3'600'000'000};
        constexpr const char* kAllowed = "a duration in quotes, 1s to 1h";
        auto period =
            text_value<Microseconds>({*node, prefix + "period"}, parse_duration, kAllowed);
        if (!period) {
            return tl::unexpected(period.error());
        }
        if (*period < kShortest || *period > kLongest) {
            return bad({*node, prefix + "period"}, kAllowed);
        }
        profile.period = *period;
    }
    return {};
}

Result<void> read_profiles(const toml::node& node, Settings& settings) {
    const toml::table* profiles = node.as_table();
    if (profiles == nullptr) {
        return bad({node, "profile"}, "a table for each profile: [profile.NAME]");
    }
    for (const auto& [name, entry] : *profiles) {
        const std::string key(name.str());
        const toml::table* table = entry.as_table();
        if (table == nullptr) {
            return bad({entry, "profile." + key}, "a table: [profile.NAME]");
        }
        model::Profile& profile = settings.profiles[key];
        profile.name = key;
        if (auto done = read_profile(*table, "profile." + key + ".", profile); !done) {
            return done;
        }
    }
    return {};
}

Result<std::vector<std::string>> read_names(const Place& place) {
    std::vector<std::string> names;
    const toml::array* list = place.node.as_array();
    if (list == nullptr) {
        return bad(place, "a list of names");
    }
    for (const toml::node& entry : *list) {
        const auto name = entry.value<std::string>();
        if (!name || !entry.is_string()) {
            return bad({entry, place.key}, "a list of names");
        }
        names.push_back(*name);
    }
    return names;
}

Result<void> read_grant_lists(const toml::table& table, const Settings& settings,
                              model::Grant& grant) {
    if (const toml::node* node = table.get("apps")) {
        grant.apps.clear();
        const Place place{*node, "grant.apps"};
        auto names = read_names(place);
        if (!names) {
            return tl::unexpected(names.error());
        }
        for (const std::string& name : *names) {
            const auto app = model::app_name(name);
            if (!app) {
                return bad(place,
                           "no app '" + printable(name, 64) + "'; allowed: stat tier numa reclaim");
            }
            grant.apps.push_back(*app);
        }
    }
    if (const toml::node* node = table.get("profiles")) {
        const Place place{*node, "grant.profiles"};
        auto names = read_names(place);
        if (!names) {
            return tl::unexpected(names.error());
        }
        for (const std::string& name : *names) {
            if (!settings.profiles.contains(name)) {
                return bad(place, "no profile '" + printable(name, 64) + "' in this file");
            }
        }
        grant.profiles = std::move(*names);
    }
    return {};
}

Result<void> read_grant(const toml::node& node, Settings& settings) {
    constexpr std::array<std::string_view, 5> kKeys{"cgroup", "namespace", "apps", "profiles",
                                                    "low"};
    const toml::table* table = node.as_table();
    if (table == nullptr) {
        return bad({node, "grant"}, "a list of tables: [[grant]]");
    }
    if (auto known = known_keys(*table, "grant.", kKeys); !known) {
        return known;
    }
    // A grant without lists grants what is free, and the default profile.
    model::Grant grant;
    grant.apps.assign(model::kFreeApps.begin(), model::kFreeApps.end());
    grant.profiles = {"default"};
    if (const toml::node* entry = table->get("cgroup")) {
        const auto path = entry->value<std::string>();
        if (!path || !entry->is_string() || path->empty() || path->front() != '/' ||
            (path->size() > 1 && path->back() == '/')) {
            return bad({*entry, "grant.cgroup"}, "a cgroup path such as \"/pods/team-a\"");
        }
        grant.cgroup = *path;
    }
    if (const toml::node* entry = table->get("namespace")) {
        const auto name = entry->value<std::string>();
        if (!name || !entry->is_string() || name->empty()) {
            return bad({*entry, "grant.namespace"}, "a Kubernetes namespace");
        }
        grant.name_space = *name;
    }
    if (grant.cgroup.has_value() == grant.name_space.has_value()) {
        return bad({node, "grant"}, "exactly one of cgroup and namespace");
    }
    if (const toml::node* entry = table->get("low")) {
        const auto parse = [](std::string_view text) {
            return policy::parse_amount(text, "");
        };
        const auto low = text_value<model::Amount>({*entry, "grant.low"}, parse,
                                                   "bytes or a share of the fastest memory tier, "
                                                   "in quotes: \"1GiB\", \"20%\"");
        if (!low) {
            return tl::unexpected(low.error());
        }
        grant.low = *low;
    }
    if (auto done = read_grant_lists(*table, settings, grant); !done) {
        return done;
    }
    settings.grants.push_back(std::move(grant));
    return {};
}

/// `low..high`, either end may be missing.
template <class Value>
Result<void> read_range(const Place& place, Result<Value> (*parse)(std::string_view), Value& low,
                        Value& high) {
    const std::string allowed = "a range in quotes, such as \"10s..\" or \"..1%\"";
    const auto text = place.node.value<std::string>();
    const std::size_t dots = text && place.node.is_string() ? text->find("..") : std::string::npos;
    if (dots == std::string::npos) {
        return bad(place, allowed);
    }
    const std::string_view all = *text;
    for (const auto& [part, end] :
         {std::pair{all.substr(0, dots), &low}, {all.substr(dots + 2), &high}}) {
        if (part.empty()) {
            continue;
        }
        const auto value = parse(part);
        if (!value) {
            return bad(place, allowed);
        }
        *end = *value;
    }
    if (high < low) {
        return bad(place, allowed + ", the lower end first");
    }
    return {};
}

Result<void> read_bounds(const toml::node& node, model::Bounds& bounds) {
    constexpr std::array<std::string_view, 2> kKeys{"idle", "pressure"};
    const toml::table* table = node.as_table();
    if (table == nullptr) {
        return bad({node, "bounds"}, "a table: [bounds]");
    }
    if (auto known = known_keys(*table, "bounds.", kKeys); !known) {
        return known;
    }
    if (const toml::node* idle = table->get("idle")) {
        if (auto done = read_range<Microseconds>({*idle, "bounds.idle"}, parse_duration,
                                                 bounds.idle_low, bounds.idle_high);
            !done) {
            return done;
        }
    }
    if (const toml::node* pressure = table->get("pressure")) {
        return read_range<BasisPoints>({*pressure, "bounds.pressure"}, parse_share,
                                       bounds.pressure_low, bounds.pressure_high);
    }
    return {};
}

} // namespace

Result<Settings> parse_settings(std::string_view text) {
    constexpr std::array<std::string_view, 8> kTables{"profile", "grant", "bounds",  "damon",
                                                      "idle",    "node",  "reclaim", "tier"};
    toml::table file;
    try {
        file = toml::parse(text);
    } catch (const toml::parse_error& error) {
        std::ostringstream line;
        line << "line " << error.source().begin.line << ": " << error.description();
        return fail(Errc::malformed, "cgtide.toml", line.str());
    }
    if (auto known = known_keys(file, "", kTables); !known) {
        return tl::unexpected(known.error());
    }
    Settings settings = model::default_settings();
    if (const toml::node* node = file.get("profile")) {
        if (auto done = read_profiles(*node, settings); !done) {
            return tl::unexpected(done.error());
        }
    }
    if (const toml::node* node = file.get("grant")) {
        const toml::array* grants = node->as_array();
        if (grants == nullptr) {
            return bad({*node, "grant"}, "a list of tables: [[grant]]");
        }
        for (const toml::node& grant : *grants) {
            if (auto done = read_grant(grant, settings); !done) {
                return tl::unexpected(done.error());
            }
        }
    }
    if (const toml::node* node = file.get("bounds")) {
        if (auto done = read_bounds(*node, settings.bounds); !done) {
            return tl::unexpected(done.error());
        }
    }
    if (const toml::node* node = file.get("damon")) {
        if (auto done = read_damon(*node, settings); !done) {
            return tl::unexpected(done.error());
        }
    }
    if (const toml::node* node = file.get("idle")) {
        if (auto done = read_idle(*node, settings.sensor); !done) {
            return tl::unexpected(done.error());
        }
    }
    if (const toml::node* node = file.get("node")) {
        if (auto done = read_node(*node, settings.node); !done) {
            return tl::unexpected(done.error());
        }
    }
    if (const toml::node* node = file.get("reclaim")) {
        if (auto done = read_reclaim(*node, settings.actuator); !done) {
            return tl::unexpected(done.error());
        }
    }
    if (const toml::node* node = file.get("tier")) {
        if (auto done = read_tier(*node, settings.mover); !done) {
            return tl::unexpected(done.error());
        }
    }
    return settings;
}

} // namespace cgtide::core
