#include "cgroup/parse/numa_maps.hpp"

#include "cgroup/parse/fields.hpp"

#include <charconv>
#include <optional>

namespace cgtide::cgroup {

namespace {

constexpr std::string_view kOp = "numa_maps";

std::optional<std::uint64_t> address(std::string_view word) {
    constexpr int kHex = 16;
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value, kHex);
    return error == std::errc{} && end == word.data() + word.size() ? std::optional(value)
                                                                    : std::nullopt;
}

} // namespace

Result<std::vector<OwnPlacement>> parse_own_placement(std::string_view text) {
    std::vector<OwnPlacement> found;
    std::optional<std::uint64_t> before; // begin of the mapping before
    bool is_open = false;                // ... which has a policy
    while (const auto line = next_line(text)) {
        std::string_view rest = *line;
        const auto start = address(next_word(rest).value_or(""));
        const auto policy = next_word(rest);
        if (!start || !policy || policy->empty() || (before && *start <= *before)) {
            return malformed(kOp, *line);
        }
        if (is_open) {
            found.back().end = *start;
        }
        before = start;
        is_open = *policy != "default" && *policy != "local";
        if (is_open && !found.empty() && found.back().end == *start) {
            found.back().end = UINT64_MAX; // it goes on
        } else if (is_open) {
            found.push_back({*start, UINT64_MAX});
        }
    }
    return found;
}

} // namespace cgtide::cgroup
