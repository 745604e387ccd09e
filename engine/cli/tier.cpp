// Memory tiers, and what containers have in each.
#include "engine/cli/fields.hpp"
#include "engine/cli/table.hpp"
#include "engine/cli/views.hpp"

#include <array>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace cgtide::cli {

namespace {

using nlohmann::json;

/// A field of all nodes of a tier, added up; absent where one lacks it.
json sum_of(const json& tier, const char* key) {
    double sum = 0.0;
    for (const json& node : child(tier, "nodes")) {
        const auto value = number_field(node, key);
        if (!value) {
            return json::object();
        }
        sum += *value;
    }
    return {{key, sum}};
}

std::string nodes_of(const json& tier) {
    std::string text;
    for (const json& node : child(tier, "nodes")) {
        text += (text.empty() ? "" : ",") + count_field(node, "id") +
                (flag_field(node, "has_cpus") ? "" : " (no CPUs)");
    }
    return text;
}

std::string tier_table(const json& reply) {
    Table table({"TIER", "NODES", ">SIZE", ">FREE"});
    std::size_t number = 1;
    for (const json& tier : child(reply, "tiers")) {
        table.row({std::to_string(number++), nodes_of(tier),
                   bytes_field(sum_of(tier, "total_bytes"), "total_bytes"),
                   bytes_field(sum_of(tier, "free_bytes"), "free_bytes")});
    }
    return table.text();
}

/// Titles, and fields of a share.
constexpr std::array<std::pair<const char*, const char*>, 8> kShareColumns{
    {{">LOW", "low_bytes"},
     {">HIGH", "high_bytes"},
     {">TARGET", "target_bytes"},
     {">HOT", "hot_bytes"},
     {">HOT IN TIER 1", "hot_fast_bytes"},
     {">UP", "promoted_bytes"},
     {">DOWN", "demoted_bytes"},
     {">BACK", "returned_bytes"}}};

std::string use_table(const json& reply) {
    std::vector<std::string> titles{"NAME"};
    const std::size_t tiers = child(reply, "tiers").size();
    for (std::size_t i = 1; i <= tiers; ++i) {
        titles.push_back(">TIER " + std::to_string(i));
    }
    for (const auto& [title, key] : kShareColumns) {
        titles.emplace_back(title);
    }
    Table table(std::move(titles));
    for (const json& use : child(reply, "uses")) {
        std::vector<std::string> cells{text_field(use, "name")};
        const json& bytes = child(use, "tier_bytes");
        for (std::size_t i = 0; i < tiers; ++i) {
            const bool known = bytes.is_array() && i < bytes.size();
            cells.push_back(known ? bytes_field({{"bytes", bytes[i]}}, "bytes")
                                  : std::string(kNone));
        }
        for (const auto& [title, key] : kShareColumns) {
            cells.push_back(bytes_field(child(use, "share"), key));
        }
        table.row(std::move(cells));
    }
    return table.text();
}

} // namespace

std::string tier_text(const json& reply) {
    std::string text = tier_table(reply);
    const std::string flat = text_field(reply, "flat");
    if (flat != kNone) {
        text += "no tiers to choose between: " + flat + '\n';
    }
    if (const std::string strays = text_field(reply, "strays"); strays != kNone) {
        text += "left alone: " + strays + ", which the kernel has in no tier\n";
    }
    return text + '\n' + use_table(reply);
}

} // namespace cgtide::cli
