#include "oci/policy/values.hpp"

#include "cgroup/base/text.hpp"

#include <array>

namespace cgtide::policy {

namespace {

constexpr std::string_view kWhat = "annotation";

/// A share as the user writes one, without trailing zeros: `0.01%`.
std::string share(BasisPoints value) {
    std::string text = std::to_string(value.count / 100.0);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.')) {
        text.pop_back();
    }
    return text + "%";
}

} // namespace

Result<BasisPoints> parse_pressure(std::string_view text, const model::Bounds& bounds) {
    auto value = parse_share(text);
    if (!value) {
        return value;
    }
    // The law divides by the target.
    if (value->count <= 0.0) {
        return fail(Errc::out_of_range, kWhat, "more than 0%, such as 0.1%");
    }
    if (*value < bounds.pressure_low || *value > bounds.pressure_high) {
        return fail(Errc::out_of_range, kWhat,
                    "this node allows " + share(bounds.pressure_low) + " to " +
                        share(bounds.pressure_high));
    }
    return value;
}

Result<Microseconds> parse_idle(std::string_view text, const model::Bounds& bounds) {
    auto value = parse_duration(text);
    if (!value) {
        return value;
    }
    if (*value < bounds.idle_low) {
        return fail(Errc::out_of_range, kWhat,
                    "this node allows " + format_duration(bounds.idle_low) + " or more");
    }
    if (*value > bounds.idle_high) {
        return fail(Errc::out_of_range, kWhat,
                    "this node allows " + format_duration(bounds.idle_high) + " or less");
    }
    return value;
}

Result<model::Keep> parse_keep(std::string_view text, const model::Bounds& /*bounds*/) {
    if (text.ends_with('%')) {
        auto value = parse_share(text);
        if (!value) {
            return tl::unexpected(value.error());
        }
        return *value;
    }
    auto value = parse_bytes(text);
    if (!value) {
        return fail(Errc::malformed, kWhat, value.error().detail + ", or a share of usage: 10%");
    }
    return *value;
}

Result<model::Pages> parse_pages(std::string_view text, const model::Bounds& /*bounds*/) {
    constexpr std::array<model::Pages, 3> kPages{model::Pages::file, model::Pages::anon,
                                                 model::Pages::all};
    for (const model::Pages pages : kPages) {
        if (to_string(pages) == text) {
            return pages;
        }
    }
    return fail(Errc::malformed, kWhat, "'" + printable(text, 64) + "' (allowed: file, anon, all)");
}

} // namespace cgtide::policy
