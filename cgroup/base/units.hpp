#pragma once

#include "cgroup/base/result.hpp"

#include <chrono>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace cgtide {

using Nanoseconds = std::chrono::nanoseconds;
using Microseconds = std::chrono::microseconds;

/// CLOCK_MONOTONIC. Laws and schedules use it alone: steps of the wall clock never reach them.
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, Nanoseconds>;

/// An amount of memory in bytes. kUnlimited stands for the kernel's "max".
struct Bytes {
    std::uint64_t count = 0;

    static constexpr std::uint64_t kUnlimited = UINT64_MAX;

    auto operator<=>(const Bytes&) const = default;
    friend constexpr Bytes operator+(Bytes a, Bytes b) { return {a.count + b.count}; }
    /// Saturates at 0.
    friend constexpr Bytes operator-(Bytes a, Bytes b) {
        return {a.count > b.count ? a.count - b.count : 0};
    }
};

constexpr Bytes kibibytes(std::uint64_t n) {
    return {n << 10U};
}
constexpr Bytes mebibytes(std::uint64_t n) {
    return {n << 20U};
}

/// A share in hundredths of a percent: 10000 is all of it. Fractions of a basis point are kept, for
/// 0.05 % of 6 s is still a stall.
struct BasisPoints {
    double count = 0.0;

    auto operator<=>(const BasisPoints&) const = default;
    /// 1.0 is all of it.
    constexpr double ratio() const { return count / 10000.0; }
};

/// Bytes as people write them: `16MiB`, `512K`, `1.5GiB`, `1048576`; suffixes K, M, G, T (with or
/// without `iB`) are powers of 1024. \returns `malformed` or `out_of_range` with what is allowed. A
/// lone sign, a NUL or trailing text is malformed.
Result<Bytes> parse_bytes(std::string_view text);

/// A share: `0.1%`, `2%`, `100%`. \returns `malformed` without the percent sign, `out_of_range`
/// outside 0 to 100 %.
Result<BasisPoints> parse_share(std::string_view text);

/// A duration: a number with `us`, `ms`, `s`, `m`, `h` or `d`: `10s`, `2m`, `1.5h`. \returns
/// `malformed` without a unit; at most ten years.
Result<Microseconds> parse_duration(std::string_view text);

/// `12.1 MiB`, `512 B`, `max`.
std::string format_bytes(Bytes bytes);
/// `0.34 %`, with two digits after the point, `100 %` without.
std::string format_share(BasisPoints share);
/// The largest unit that keeps it readable: `350 ms`, `10 s`, `2 m 5 s`, `3 h`.
std::string format_duration(Microseconds duration);

} // namespace cgtide
