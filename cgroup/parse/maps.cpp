#include "cgroup/parse/maps.hpp"

#include "cgroup/parse/fields.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

namespace cgtide::cgroup {

namespace {

constexpr unsigned kMinorBits = 20; // MINORBITS in include/linux/kdev_t.h

/// A hexadecimal number that fills all of `text`.
template <class Number>
bool take_hex(std::string_view text, Number& number) {
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number, 16);
    return error == std::errc{} && stop == end;
}

/// Both sides of `separator`, in hexadecimal.
template <class Number>
bool take_pair(std::string_view text, char separator, Number& first, Number& second) {
    const std::size_t at = text.find(separator);
    return at != std::string_view::npos && take_hex(text.substr(0, at), first) &&
           take_hex(text.substr(at + 1), second);
}

bool take_rights(std::string_view text, Mapping& mapping) {
    constexpr std::size_t kRights = 4;
    if (text.size() != kRights || (text[3] != 's' && text[3] != 'p')) {
        return false;
    }
    mapping.readable = text[0] == 'r';
    mapping.writable = text[1] == 'w';
    mapping.executable = text[2] == 'x';
    mapping.shared = text[3] == 's';
    return true;
}

/// `start-end rwxp offset major:minor inode   name`.
bool take_mapping(std::string_view line, Mapping& mapping) {
    const auto addresses = next_word(line);
    const auto rights = next_word(line);
    const auto offset = next_word(line);
    const auto device = next_word(line);
    const auto inode = next_word(line);
    if (!inode || !take_pair(*addresses, '-', mapping.start, mapping.end) ||
        !take_rights(*rights, mapping) || !take_hex(*offset, mapping.offset)) {
        return false;
    }
    std::uint32_t major = 0;
    std::uint32_t minor = 0;
    const auto number = to_u64(*inode);
    if (!take_pair(*device, ':', major, minor) || !number || (minor >> kMinorBits) != 0 ||
        major > (std::numeric_limits<std::uint32_t>::max() >> kMinorBits)) {
        return false;
    }
    mapping.device = major << kMinorBits | minor;
    mapping.inode = *number;
    mapping.name = line.substr(std::min(line.find_first_not_of(' '), line.size()));
    return mapping.start < mapping.end;
}

} // namespace

Result<std::vector<Mapping>> parse_maps(std::string_view text, std::size_t limit) {
    constexpr std::string_view kOp = "maps of a process";
    const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
    if (lines > limit) {
        return fail(Errc::out_of_range, kOp, "has more than " + std::to_string(limit) + " lines");
    }
    std::vector<Mapping> mappings;
    mappings.reserve(lines + 1);
    std::uint64_t before = 0;
    while (const auto line = next_line(text)) {
        Mapping mapping;
        if (!take_mapping(*line, mapping) || mapping.start < before) {
            return malformed(kOp, *line);
        }
        before = mapping.end;
        mappings.push_back(mapping);
    }
    return mappings;
}

Result<Resident> parse_statm(std::string_view text) {
    std::string_view rest = next_line(text).value_or("");
    const auto size = to_u64(next_word(rest).value_or(""));
    const auto resident = to_u64(next_word(rest).value_or(""));
    if (!size || !resident) {
        return malformed("statm of a process", text);
    }
    return Resident{*size, *resident};
}

} // namespace cgtide::cgroup
