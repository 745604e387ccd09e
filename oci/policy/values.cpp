#include "oci/policy/values.hpp"

#include "cgroup/base/text.hpp"

#include <array>
#include <string>
#include <utility>

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

Result<model::Amount> parse_amount(std::string_view text, std::string_view otherwise) {
    if (text.ends_with('%')) {
        const auto value = parse_share(text);
        if (!value) {
            return tl::unexpected(value.error());
        }
        return *value;
    }
    const auto value = parse_bytes(text);
    if (!value) {
        return fail(Errc::malformed, kWhat, value.error().detail + std::string(otherwise));
    }
    return *value;
}

Result<model::Amount> parse_keep(std::string_view text, const model::Bounds& /*bounds*/) {
    return parse_amount(text, ", or a share of usage: 10%");
}

Result<model::TierPolicy> parse_fast(std::string_view text, const model::Bounds& /*bounds*/) {
    constexpr std::string_view kDots = "..";
    const std::size_t dots = text.find(kDots);
    if (dots == std::string_view::npos) {
        return fail(Errc::malformed, kWhat,
                    "'" + printable(text, 64) + "' (LOW..HIGH, such as 20%..60% or 1GiB..4GiB)");
    }
    model::TierPolicy policy;
    for (const auto& [part, field] : {std::pair{trim(text.substr(0, dots)), &policy.low},
                                      {trim(text.substr(dots + kDots.size())), &policy.high}}) {
        if (part.empty()) {
            continue;
        }
        const auto amount = parse_amount(part, ", or a share of the fastest tier: 10%");
        if (!amount) {
            return tl::unexpected(amount.error());
        }
        *field = *amount;
    }
    // A share is under another amount on a node of any size only where both are shares.
    if (policy.low.index() == policy.high.index() && policy.high < policy.low) {
        return fail(Errc::out_of_range, kWhat, "HIGH is below LOW");
    }
    return policy;
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
