#include "engine/core/settings_tables.hpp"

#include <sstream>

namespace cgtide::core {

std::string Place::text() const {
    std::ostringstream out;
    out << "line " << node.source().begin.line << ": " << key;
    return out.str();
}

tl::unexpected<Error> bad(const Place& place, const std::string& allowed) {
    std::ostringstream value;
    place.node.visit([&](const auto& node) {
        if constexpr (toml::is_value<decltype(node)>) {
            value << node;
        } else {
            value << "a table or list";
        }
    });
    return fail(Errc::malformed, "cgtide.toml",
                place.text() + " = " + printable(value.str(), 64) + ": " + allowed);
}

namespace {

Result<void> read_sample(const toml::node& node, std::optional<Microseconds>& sample) {
    // Each has the kernel count a whole number of looks that divides 10000, and loses none by it.
    constexpr std::array<std::pair<std::string_view, std::int64_t>, 4> kSamples{
        {{"auto", 0}, {"50ms", 50'000}, {"100ms", 100'000}, {"200ms", 200'000}}};
    const auto text = node.value<std::string>();
    const auto* const found =
        std::find_if(kSamples.begin(), kSamples.end(),
                     [&](const auto& known) { return text && known.first == *text; });
    if (!node.is_string() || found == kSamples.end()) {
        return bad({node, "damon.sample"}, "\"auto\", \"50ms\", \"100ms\" or \"200ms\"");
    }
    sample.reset();
    if (found->second > 0) {
        sample = Microseconds(found->second);
    }
    return {};
}

} // namespace

Result<void> read_damon(const toml::node& node, model::Settings& settings) {
    constexpr std::array<std::string_view, 3> kKeys{"takeover", "sample", "cpu"};
    const toml::table* table = node.as_table();
    if (table == nullptr) {
        return bad({node, "damon"}, "a table: [damon]");
    }
    if (auto known = known_keys(*table, "damon.", kKeys); !known) {
        return known;
    }
    if (const toml::node* entry = table->get("takeover")) {
        const auto text = entry->value<std::string>();
        if (!entry->is_string() || (text != "modules" && text != "never")) {
            return bad({*entry, "damon.takeover"}, "\"modules\" or \"never\"");
        }
        settings.takeover = text == "modules" ? model::Takeover::modules : model::Takeover::never;
    }
    if (const toml::node* entry = table->get("cpu")) {
        const auto share = text_value<BasisPoints>({*entry, "damon.cpu"}, parse_share,
                                                   "a share in quotes, 0% to 100%");
        if (!share) {
            return tl::unexpected(share.error());
        }
        settings.damon_cpu = *share;
    }
    if (const toml::node* entry = table->get("sample")) {
        return read_sample(*entry, settings.damon_sample);
    }
    return {};
}

Result<void> read_idle(const toml::node& node, model::IdleSensor& sensor) {
    constexpr std::array<std::string_view, 1> kKeys{"sensor"};
    const toml::table* table = node.as_table();
    if (table == nullptr) {
        return bad({node, "idle"}, "a table: [idle]");
    }
    if (auto known = known_keys(*table, "idle.", kKeys); !known) {
        return known;
    }
    if (const toml::node* entry = table->get("sensor")) {
        constexpr std::array<std::pair<std::string_view, model::IdleSensor>, 4> kSensors{
            {{"auto", model::IdleSensor::automatic},
             {"regions", model::IdleSensor::regions},
             {"generations", model::IdleSensor::generations},
             {"physical", model::IdleSensor::physical}}};
        const auto text = entry->value<std::string>();
        const auto* const found =
            std::find_if(kSensors.begin(), kSensors.end(),
                         [&](const auto& known) { return text && known.first == *text; });
        if (!entry->is_string() || found == kSensors.end()) {
            return bad({*entry, "idle.sensor"},
                       "\"auto\", \"regions\", \"generations\" or \"physical\"");
        }
        sensor = found->second;
    }
    return {};
}

Result<void> read_node(const toml::node& node, model::NodeLimits& limits) {
    constexpr std::array<std::string_view, 3> kKeys{"rate", "swap_rate", "cpu"};
    constexpr const char* kAllowed = "bytes a second in quotes, 1MiB or more";
    const toml::table* table = node.as_table();
    if (table == nullptr) {
        return bad({node, "node"}, "a table: [node]");
    }
    if (auto known = known_keys(*table, "node.", kKeys); !known) {
        return known;
    }
    for (const auto& [key, field] :
         {std::pair{"rate", &limits.rate}, {"swap_rate", &limits.swap_rate}}) {
        if (const toml::node* entry = table->get(key)) {
            const Place place{*entry, std::string("node.") + key};
            const auto rate = text_value<Bytes>(place, parse_bytes, kAllowed);
            if (!rate) {
                return tl::unexpected(rate.error());
            }
            if (*rate < mebibytes(1)) {
                return bad(place, kAllowed);
            }
            *field = *rate;
        }
    }
    if (const toml::node* entry = table->get("cpu")) {
        const Place place{*entry, "node.cpu"};
        constexpr const char* kShare = "a share in quotes, over 0% up to 100%";
        const auto share = text_value<BasisPoints>(place, parse_share, kShare);
        if (!share) {
            return tl::unexpected(share.error());
        }
        if (share->count <= 0.0) {
            return bad(place, kShare);
        }
        limits.cpu = *share;
    }
    return {};
}

Result<void> read_reclaim(const toml::node& node, std::optional<model::Actuator>& actuator) {
    constexpr std::array<std::string_view, 1> kKeys{"actuator"};
    const toml::table* table = node.as_table();
    if (table == nullptr) {
        return bad({node, "reclaim"}, "a table: [reclaim]");
    }
    if (auto known = known_keys(*table, "reclaim.", kKeys); !known) {
        return known;
    }
    if (const toml::node* entry = table->get("actuator")) {
        const auto text = entry->value<std::string>().value_or("");
        const auto named = model::actuator_of(text);
        const bool frees = named && *named != model::Actuator::move_pages;
        if (!entry->is_string() || (!frees && text != "auto")) {
            return bad({*entry, "reclaim.actuator"},
                       R"("auto", "memory.reclaim", "pageout", "damos" or "lru_gen")");
        }
        actuator = named;
    }
    return {};
}

Result<void> read_tier(const toml::node& node, std::optional<model::Actuator>& mover) {
    constexpr std::array<std::string_view, 1> kKeys{"mover"};
    const toml::table* table = node.as_table();
    if (table == nullptr) {
        return bad({node, "tier"}, "a table: [tier]");
    }
    if (auto known = known_keys(*table, "tier.", kKeys); !known) {
        return known;
    }
    if (const toml::node* entry = table->get("mover")) {
        const auto text = entry->value<std::string>().value_or("");
        const auto named = model::actuator_of(text);
        const bool moves = named == model::Actuator::move_pages ||
                           named == model::Actuator::damos ||
                           named == model::Actuator::memory_reclaim;
        if (!entry->is_string() || (!moves && text != "auto")) {
            return bad({*entry, "tier.mover"},
                       R"("auto", "move_pages", "damos" or "memory.reclaim")");
        }
        mover = named;
    }
    return {};
}

} // namespace cgtide::core
