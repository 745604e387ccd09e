#include "cgroup/parse/proc.hpp"

#include "cgroup/parse/fields.hpp"

#include <algorithm>
#include <array>
#include <iterator>

namespace cgtide::cgroup {

namespace {

constexpr std::uint64_t kKilo = 1024;

bool leads_out(std::string_view path) {
    const auto parts = split(path, '/');
    return std::find(parts.begin(), parts.end(), "..") != parts.end();
}

struct MemInfoKey {
    std::string_view name;
    Bytes MemInfo::*member;
};

constexpr std::array<MemInfoKey, 5> kMemInfo{{{"MemTotal", &MemInfo::total},
                                              {"MemFree", &MemInfo::free},
                                              {"MemAvailable", &MemInfo::available},
                                              {"SwapTotal", &MemInfo::swap_total},
                                              {"SwapFree", &MemInfo::swap_free}}};

/// `  1024 kB` as bytes.
std::optional<Bytes> kilobytes(std::string_view text) {
    constexpr std::string_view kUnit = " kB";
    text = trim(text);
    if (!text.ends_with(kUnit)) {
        return std::nullopt;
    }
    text.remove_suffix(kUnit.size());
    const auto number = to_u64(text);
    if (!number || *number > UINT64_MAX / kKilo) {
        return std::nullopt;
    }
    return Bytes{*number * kKilo};
}

bool is_octal(char c) {
    return c >= '0' && c <= '7';
}

/// Undoes the kernel's `\040` for space, tab, newline, backslash and hash.
std::string unescape(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool escape = text[i] == '\\' && i + 3 < text.size() && text[i + 1] <= '3' &&
                            is_octal(text[i + 1]) && is_octal(text[i + 2]) && is_octal(text[i + 3]);
        if (!escape) {
            out += text[i];
            continue;
        }
        out += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
                                 (text[i + 3] - '0'));
        i += 3;
    }
    return out;
}

} // namespace

Result<std::string> parse_pid_cgroup(std::string_view text) {
    constexpr std::string_view kPrefix = "0::";
    constexpr std::string_view kDeleted = " (deleted)";
    while (const auto line = next_line(text)) {
        if (!line->starts_with(kPrefix)) {
            continue;
        }
        const std::string_view path = line->substr(kPrefix.size());
        if (!path.starts_with('/') || leads_out(path) || path.find('\0') != path.npos) {
            return malformed("cgroup of a process", *line);
        }
        if (path.ends_with(kDeleted)) {
            return fail(Errc::gone, "cgroup of a process", printable(path));
        }
        return std::string(path);
    }
    return fail(Errc::malformed, "cgroup of a process", "has no '0::' line (cgroup v2)");
}

Result<PidStat> parse_pid_stat(std::string_view text) {
    constexpr int kStartTime = 22;
    PidStat stat;
    const auto field_of = [&](int field) -> std::uint64_t* {
        switch (field) {
        case 10:
        case 12:
            return &stat.faults;
        case 14:
        case 15:
            return &stat.cpu_ticks;
        case kStartTime:
            return &stat.start;
        default:
            return nullptr;
        }
    };
    const std::size_t comm_end = text.rfind(") ");
    if (comm_end == std::string_view::npos) {
        return malformed("stat of a process", text);
    }
    std::string_view line = text.substr(comm_end + 2);
    std::string_view rest = next_line(line).value_or("");
    for (int field = 3; field <= kStartTime; ++field) {
        const auto word = next_word(rest);
        std::uint64_t* const sum = field_of(field);
        if (sum == nullptr) {
            continue;
        }
        const auto number = word ? to_u64(*word) : std::nullopt;
        if (!number) {
            return malformed("stat of a process", text);
        }
        *sum += *number;
    }
    return stat;
}

Result<std::uint64_t> parse_start_time(std::string_view text) {
    return parse_pid_stat(text).map([](const PidStat& stat) { return stat.start; });
}

Result<MemInfo> parse_meminfo(std::string_view text) {
    MemInfo info;
    bool has_total = false;
    bool has_free = false;
    while (const auto line = next_line(text)) {
        const std::size_t colon = line->find(':');
        const std::string_view name = line->substr(0, colon);
        for (const MemInfoKey& key : kMemInfo) {
            if (key.name != name) {
                continue;
            }
            const auto bytes =
                colon == std::string_view::npos ? std::nullopt : kilobytes(line->substr(colon + 1));
            if (!bytes) {
                return malformed("meminfo", *line);
            }
            info.*key.member = *bytes;
            has_total = has_total || name == "MemTotal";
            has_free = has_free || name == "MemFree";
        }
    }
    if (!has_total || !has_free) {
        return fail(Errc::malformed, "meminfo", has_total ? "has no MemFree" : "has no MemTotal");
    }
    return info;
}

Result<std::optional<CgroupMount>> parse_cgroup_mount(std::string_view text) {
    // id parent major:minor root path options [optional]... - type source super-options
    constexpr std::size_t kRoot = 3;
    constexpr std::size_t kPath = 4;
    constexpr std::ptrdiff_t kOptional = 6;
    constexpr std::ptrdiff_t kAfterDash = 3;
    while (const auto line = next_line(text)) {
        const auto fields = split(*line, ' ');
        const auto from = fields.begin() + std::min(std::ssize(fields), kOptional);
        const auto dash = std::find(from, fields.end(), "-");
        if (fields.end() - dash <= kAfterDash) {
            return malformed("mountinfo", *line);
        }
        if (dash[1] != "cgroup2") {
            continue;
        }
        CgroupMount mount{unescape(fields[kPath]), unescape(fields[kRoot]), false, false};
        for (const std::string_view option : split(dash[3], ',')) {
            mount.recursive_protection |= option == "memory_recursiveprot";
            mount.nsdelegate |= option == "nsdelegate";
        }
        return mount;
    }
    return std::nullopt;
}

} // namespace cgtide::cgroup
