#pragma once

#include "cgroup/base/result.hpp"
#include "cgroup/base/text.hpp"

#include <array>
#include <bitset>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cgtide::cgroup {

/// Takes the next word, up to one space or the end, off the front of `text`. nullopt at the end.
std::optional<std::string_view> next_word(std::string_view& text);

/// `op`: a malformed line, quoted so that it can be printed.
tl::unexpected<Error> malformed(std::string_view op, std::string_view line);

/// One key of a flat-keyed file (`key number` a line) and where its number goes.
template <class T>
struct Key {
    std::string_view name;
    std::uint64_t T::*member;
};

/// Parses a flat-keyed file whose keys must all be there; other keys are skipped, for kernels add
/// some. \returns `malformed` for a wanted key without a number, and for one that is missing.
template <class T, std::size_t N>
Result<T> parse_flat(std::string_view text, std::string_view op,
                     const std::array<Key<T>, N>& keys) {
    T value;
    std::bitset<N> seen;
    while (const auto line = next_line(text)) {
        std::string_view rest = *line;
        const auto name = next_word(rest);
        for (std::size_t i = 0; i < N; ++i) {
            if (name != keys[i].name) {
                continue;
            }
            const auto number = to_u64(rest);
            if (!number) {
                return malformed(op, *line);
            }
            value.*keys[i].member = *number;
            seen.set(i);
        }
    }
    for (std::size_t i = 0; i < N; ++i) {
        if (!seen.test(i)) {
            return fail(Errc::malformed, op, "has no '" + std::string(keys[i].name) + "'");
        }
    }
    return value;
}

} // namespace cgtide::cgroup
