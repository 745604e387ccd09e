#include "cgroup/base/units.hpp"

#include "cgroup/base/text.hpp"

#include <array>
#include <cmath>
#include <cstdio>

namespace cgtide {

namespace {

struct Suffix {
    std::string_view name;
    double factor;
};

constexpr std::array<Suffix, 14> kByteSuffixes{{{"", 1.0},
                                                {"B", 1.0},
                                                {"K", 0x1p10},
                                                {"KiB", 0x1p10},
                                                {"k", 0x1p10},
                                                {"M", 0x1p20},
                                                {"MiB", 0x1p20},
                                                {"m", 0x1p20},
                                                {"G", 0x1p30},
                                                {"GiB", 0x1p30},
                                                {"g", 0x1p30},
                                                {"T", 0x1p40},
                                                {"TiB", 0x1p40},
                                                {"t", 0x1p40}}};

constexpr std::array<Suffix, 6> kTimeSuffixes{
    {{"us", 1.0}, {"ms", 1e3}, {"s", 1e6}, {"m", 60e6}, {"h", 3600e6}, {"d", 86400e6}}};

std::string quoted(std::string_view text) {
    return "'" + printable(text, 64) + "'";
}

/// Splits `1.5GiB` into 1.5 and the suffix's factor; nullopt where either part is unknown.
template <std::size_t N>
std::optional<double> scaled(std::string_view text, const std::array<Suffix, N>& suffixes) {
    const std::size_t end = text.find_first_not_of("0123456789.");
    const std::string_view number = text.substr(0, end);
    const std::string_view unit = end == std::string_view::npos ? "" : text.substr(end);
    const auto value = to_fraction(number);
    if (!value) {
        return std::nullopt;
    }
    for (const Suffix& suffix : suffixes) {
        if (suffix.name == unit) {
            return *value * suffix.factor;
        }
    }
    return std::nullopt;
}

std::string print(const char* format, double value) {
    std::array<char, 64> buffer{};
    const int length = std::snprintf(buffer.data(), buffer.size(), format, value);
    return {buffer.data(), static_cast<std::size_t>(length)};
}

} // namespace

Result<Bytes> parse_bytes(std::string_view text) {
    constexpr double kTooMuch = 0x1p63;
    const auto value = scaled(text, kByteSuffixes);
    if (!value) {
        return fail(Errc::malformed, "bytes",
                    quoted(text) + " is no amount: a number with K, M, G, T, KiB, MiB, GiB, TiB or "
                                   "no suffix, such as 16MiB");
    }
    if (*value >= kTooMuch) {
        return fail(Errc::out_of_range, "bytes", quoted(text) + ": at most 8388607TiB");
    }
    return Bytes{static_cast<std::uint64_t>(*value)};
}

Result<BasisPoints> parse_share(std::string_view text) {
    const bool percent = !text.empty() && text.back() == '%';
    const auto value = percent ? to_fraction(text.substr(0, text.size() - 1)) : std::nullopt;
    if (!value) {
        return fail(Errc::malformed, "share",
                    quoted(text) + " is no share: a number with %, such as 0.1%");
    }
    if (*value > 100.0) {
        return fail(Errc::out_of_range, "share", quoted(text) + ": 0% to 100%");
    }
    return BasisPoints{*value * 100.0};
}

Result<Microseconds> parse_duration(std::string_view text) {
    constexpr double kTenYears = 10.0 * 366.0 * 86400e6;
    const auto value = scaled(text, kTimeSuffixes);
    if (!value) {
        return fail(Errc::malformed, "duration",
                    quoted(text) + " is no duration: a number with us, ms, s, m, h or d, such as "
                                   "10s");
    }
    if (*value > kTenYears) {
        return fail(Errc::out_of_range, "duration", quoted(text) + ": at most ten years");
    }
    return Microseconds(std::llround(*value));
}

std::string format_bytes(Bytes bytes) {
    if (bytes.count == Bytes::kUnlimited) {
        return "max";
    }
    constexpr std::array<const char*, 7> kUnits{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    auto value = static_cast<double>(bytes.count);
    std::size_t unit = 0;
    while (value >= (unit == 0 ? 1024.0 : 1023.95) && unit + 1 < kUnits.size()) {
        value /= 1024.0;
        ++unit;
    }
    return print(unit == 0 ? "%.0f " : "%.1f ", value) + kUnits[unit];
}

std::string format_share(BasisPoints share) {
    const double percent = share.count / 100.0;
    return print(percent >= 100.0 ? "%.0f %%" : "%.2f %%", percent);
}

std::string format_duration(Microseconds duration) {
    const auto us = static_cast<double>(duration.count());
    if (us < 1e3) {
        return print("%.0f us", us);
    }
    // Not what three digits would round up to `1e+03 ms` or `60 s`.
    if (us < 999.5e3) {
        return print("%.3g ms", us / 1e3);
    }
    if (us < 59.95e6) {
        return print("%.3g s", us / 1e6);
    }
    constexpr std::array<Suffix, 4> kParts{
        {{"d", 86400.0}, {"h", 3600.0}, {"m", 60.0}, {"s", 1.0}}};
    double seconds = std::round(us / 1e6);
    std::string text;
    int parts = 0;
    for (const Suffix& part : kParts) {
        const double count = std::floor(seconds / part.factor);
        seconds -= count * part.factor;
        if (count > 0 && parts < 2) {
            text += (text.empty() ? "" : " ") + print("%.0f ", count) + std::string(part.name);
            ++parts;
        }
    }
    return text;
}

} // namespace cgtide
