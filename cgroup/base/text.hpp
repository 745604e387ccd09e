#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cgtide {

/// Splits at `separator`; empty parts are kept. The parts point into `text`.
std::vector<std::string_view> split(std::string_view text, char separator);

/// Takes the next line off the front of `text` (without its newline); nullopt at the end. Allocates
/// nothing.
std::optional<std::string_view> next_line(std::string_view& text);

/// Without spaces and tabs at both ends.
std::string_view trim(std::string_view text);

/// A decimal number that fills all of `text`: no sign, no space. nullopt where it is none or does
/// not fit.
std::optional<std::uint64_t> to_u64(std::string_view text);

/// A decimal fraction without sign or exponent that fills all of `text`: `0.10`, `12`. nullopt
/// otherwise.
std::optional<double> to_fraction(std::string_view text);

/// Text of a tenant made safe to print on a terminal or in a log: control characters, DEL, bytes
/// that are no UTF-8 and the C1 range become
/// `\xNN`, a backslash doubles; what is longer than `limit` bytes is cut and ends in `...`.
std::string printable(std::string_view text, std::size_t limit = 253);

/// The names with commas between them.
std::string listed(std::span<const std::string> names);

/// The candidate nearest to `word` in edit distance, if it is at most 2 edits (or a third of the
/// word) away; for "did you mean".
std::optional<std::string_view> nearest(std::string_view word,
                                        std::span<const std::string_view> candidates);

} // namespace cgtide
