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

Result<std::map<unsigned, std::uint64_t>> parse_high_watermarks(std::string_view text) {
    constexpr std::string_view kZone = "Node ";
    constexpr std::string_view kHigh = "high ";
    std::map<unsigned, std::uint64_t> pages;
    std::optional<unsigned> node;
    while (const auto line = next_line(text)) {
        if (line->starts_with(kZone)) {
            node = small(line->substr(kZone.size(), line->find(',') - kZone.size()), kMostIds);
            if (!node) {
                return malformed(kZoneinfo, *line);
            }
            continue;
        }
        const std::string_view words = trim(*line);
        if (!words.starts_with(kHigh)) { // a set of a processor's pages has `high:`
            continue;
        }
        const auto number = to_u64(trim(words.substr(kHigh.size())));
        if (!node || !number || *number > UINT64_MAX - pages[*node]) {
            return malformed(kZoneinfo, *line);
        }
        pages[*node] += *number;
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
