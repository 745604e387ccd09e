#include "cgroup/parse/nodes.hpp"

#include "cgroup/parse/fields.hpp"

#include <algorithm>
#include <climits>
#include <optional>

namespace cgtide::cgroup {

namespace {

constexpr std::string_view kList = "id list";
constexpr std::string_view kMeminfo = "node meminfo";
constexpr std::string_view kZoneinfo = "zoneinfo";
constexpr std::string_view kDistance = "node distance";

std::string_view without_newline(std::string_view text) {
    if (text.ends_with('\n')) {
        text.remove_suffix(1);
    }
    return text;
}

std::optional<unsigned> small(std::string_view text, unsigned most) {
    const auto number = to_u64(text);
    return number && *number <= most ? std::optional(static_cast<unsigned>(*number)) : std::nullopt;
}

/// `Node 0 MemTotal:  2048 kB`; nullopt for the line of another key.
std::optional<Result<Bytes>> value_of(std::string_view line, std::string_view key) {
    const std::size_t at = line.find(key);
    if (at == std::string_view::npos || !line.starts_with("Node ")) {
        return std::nullopt;
    }
    std::string_view rest = trim(line.substr(at + key.size()));
    if (!rest.ends_with(" kB")) {
        return malformed(kMeminfo, line);
    }
    rest.remove_suffix(3);
    const auto number = to_u64(trim(rest));
    if (!number || *number > UINT64_MAX / 1024) {
        return malformed(kMeminfo, line);
    }
    return kibibytes(*number);
}

constexpr std::string_view kZone = "Node ";

/// Of one zone, in pages.
struct ZoneMarks {
    unsigned node = 0;
    std::uint64_t high = 0;
    std::uint64_t kept = 0;             ///< from those that could do with a higher zone
    std::uint64_t managed = UINT64_MAX; ///< all that the zone has

    std::uint64_t least() const { return std::min(managed, high + std::min(kept, ~high)); }
};

/// `(0, 3018, 11338)`: the greatest of these.
std::optional<std::uint64_t> greatest(std::string_view list) {
    if (!list.starts_with('(') || !list.ends_with(')')) {
        return std::nullopt;
    }
    std::uint64_t most = 0;
    for (const std::string_view part : split(list.substr(1, list.size() - 2), ',')) {
        const auto number = to_u64(trim(part));
        if (!number) {
            return std::nullopt;
        }
        most = std::max(most, *number);
    }
    return most;
}

/// Takes one line of a zone. \returns false where it has a key without its number, or no zone.
bool read_mark(std::optional<ZoneMarks>& zone, std::string_view line) {
    constexpr std::string_view kHigh = "high "; // a set of a processor's pages has `high:`
    constexpr std::string_view kManaged = "managed ";
    constexpr std::string_view kProtection = "protection:";
    const bool is_list = line.starts_with(kProtection);
    if (!is_list && !line.starts_with(kHigh) && !line.starts_with(kManaged)) {
        return true;
    }
    const std::string_view value = trim(line.substr(line.find(is_list ? ':' : ' ') + 1));
    const auto number = is_list ? greatest(value) : to_u64(value);
    if (!zone || !number) {
        return false;
    }
    (is_list ? zone->kept : line.starts_with(kHigh) ? zone->high : zone->managed) = *number;
    return true;
}

} // namespace

Result<std::vector<unsigned>> parse_id_list(std::string_view text) {
    const std::string_view list = without_newline(text);
    std::vector<unsigned> ids;
    if (list.empty()) {
        return ids;
    }
    for (const std::string_view part : split(list, ',')) {
        const std::size_t dash = part.find('-');
        const auto first = small(part.substr(0, dash), kMostIds);
        const auto last =
            dash == std::string_view::npos ? first : small(part.substr(dash + 1), kMostIds);
        if (!first || !last || *last < *first) {
            return malformed(kList, text);
        }
        for (unsigned id = *first; id <= *last; ++id) {
            ids.push_back(id);
        }
    }
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    return ids;
}

Result<NodeMemory> parse_node_meminfo(std::string_view text) {
    std::optional<Bytes> total;
    std::optional<Bytes> free;
    while (const auto line = next_line(text)) {
        for (const auto& [key, field] : {std::pair{"MemTotal:", &total}, {"MemFree:", &free}}) {
            const auto value = value_of(*line, key);
            if (value && !*value) {
                return tl::unexpected(value->error());
            }
            if (value) {
                *field = **value;
            }
        }
    }
    if (!total || !free) {
        return fail(Errc::malformed, kMeminfo, total ? "has no 'MemFree'" : "has no 'MemTotal'");
    }
    return NodeMemory{*total, *free};
}

Result<std::map<unsigned, std::uint64_t>> parse_watermarks(std::string_view text) {
    std::map<unsigned, std::uint64_t> pages;
    std::optional<ZoneMarks> zone;
    const auto add = [&] {
        if (!zone) {
            return true;
        }
        std::uint64_t& sum = pages[zone->node];
        const std::uint64_t least = zone->least();
        const bool fits = least <= UINT64_MAX - sum;
        sum += fits ? least : 0;
        return fits;
    };
    while (const auto line = next_line(text)) {
        if (line->starts_with(kZone)) {
            const bool fits = add();
            const auto node =
                small(line->substr(kZone.size(), line->find(',') - kZone.size()), kMostIds);
            if (!node || !fits) {
                return malformed(kZoneinfo, *line);
            }
            zone = ZoneMarks{.node = *node};
        } else if (!read_mark(zone, trim(*line))) {
            return malformed(kZoneinfo, *line);
        }
    }
    if (!add()) {
        return malformed(kZoneinfo, "too much");
    }
    return pages;
}

Result<std::vector<unsigned>> parse_distances(std::string_view text) {
    std::vector<unsigned> distances;
    std::string_view rest = without_newline(text);
    while (const auto word = next_word(rest)) {
        const auto number = small(*word, UINT_MAX);
        if (!number) {
            return malformed(kDistance, text);
        }
        distances.push_back(*number);
    }
    return distances;
}

} // namespace cgtide::cgroup
