#include "engine/cli/fields.hpp"
#include "engine/cli/table.hpp"
#include "engine/cli/views.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace cgtide::cli {

namespace {

using nlohmann::json;

/// As many digits of an id as podman shows.
constexpr std::size_t kShortId = 12;

std::string last_cell(const json& container, std::int64_t now_ms) {
    const json& last = child(container, "last");
    if (last.empty()) {
        return std::string(kNone);
    }
    std::string text = text_field(last, "reason");
    const json& outcome = child(last, "outcome");
    if (!outcome.empty()) {
        text += ' ' + bytes_field(outcome, "taken_bytes");
    }
    const auto at = number_field(last, "last_ms");
    return at ? text + ", " + ago(static_cast<std::int64_t>(*at), now_ms) : text;
}

std::string name_cell(const json& container) {
    std::string name = text_field(container, "name");
    name += flag_field(container, "ended") ? " (ended)" : "";
    name += flag_field(container, "dry_run") ? " (dry run)" : "";
    return name;
}

} // namespace

std::string ps_text(const json& reply, std::int64_t now_ms) {
    Table table({"NAME", "ID", "APPS", ">USAGE", ">SWAP", ">PSI", ">TAKEN", "LAST"});
    std::string notes = flag_field(reply, "paused")
                            ? "paused: nothing is reclaimed on this node until cgtide resume\n"
                            : "";
    for (const json& container : child(reply, "containers")) {
        const double faults = number_field(container, "faults").value_or(0);
        table.row({name_cell(container), text_field(container, "id").substr(0, kShortId),
                   list_field(container, "apps"), bytes_field(container, "usage_bytes"),
                   bytes_field(container, "swap_bytes"),
                   share_field(container, "memory_pressure_bp"),
                   bytes_field(container, "taken_bytes"), last_cell(container, now_ms)});
        if (faults > 0) {
            const std::string name = text_field(container, "name");
            const std::string_view what = faults > 1 ? "annotations are" : "annotation is";
            notes += fmt::format("{}: {} {} refused; see cgtide inspect {}\n", name,
                                 count_field(container, "faults"), what, name);
        }
    }
    for (const json& record : child(reply, "refused")) {
        const std::string name = text_field(record, "name");
        notes += "refused " + (name == kNone ? text_field(record, "key") : name) + " (" +
                 text_field(record, "reason") + "): " + text_field(record, "message") + '\n';
    }
    return table.text() + (notes.empty() ? "" : "\n" + notes);
}

} // namespace cgtide::cli
