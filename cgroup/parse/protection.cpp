#include "cgroup/parse/protection.hpp"

#include <algorithm>
#include <cstdint>

namespace cgtide::cgroup {

namespace {

/// One of memory.min and memory.low at one level.
struct Share {
    Bytes usage;
    Bytes setting;
    Bytes siblings; ///< what this cgroup and its siblings protect and use
    Bytes parent_usage;
};

/// value * part / whole without overflow; kUnlimited where it does not fit. `whole` is not 0.
Bytes scale(Bytes value, Bytes part, Bytes whole) {
    __extension__ using Wide = unsigned __int128;
    const Wide scaled = Wide{value.count} * part.count / whole.count;
    return {static_cast<std::uint64_t>(std::min<Wide>(scaled, Bytes::kUnlimited))};
}

Bytes saturating_sum(Bytes a, Bytes b) {
    return {a.count > Bytes::kUnlimited - b.count ? Bytes::kUnlimited : a.count + b.count};
}

Bytes effective(const Share& share, Bytes parent_effective, bool recursive) {
    const Bytes claimed = std::min(share.usage, share.setting);
    if (share.siblings > parent_effective) {
        return scale(claimed, parent_effective, share.siblings);
    }
    const bool unclaimed = parent_effective > share.siblings;
    const bool unprotected = share.parent_usage > share.siblings && share.usage > claimed;
    if (!recursive || !unclaimed || !unprotected) {
        return claimed;
    }
    return saturating_sum(claimed, scale(parent_effective - share.siblings, share.usage - claimed,
                                         share.parent_usage - share.siblings));
}

} // namespace

Protection effective_protection(std::span<const ProtectionLevel> levels, bool recursive) {
    if (levels.empty()) {
        return {};
    }
    Protection parent{levels.front().min, levels.front().low};
    for (const ProtectionLevel& level : levels.subspan(1)) {
        const Share min{level.usage, level.min, level.siblings_min, level.parent_usage};
        const Share low{level.usage, level.low, level.siblings_low, level.parent_usage};
        parent = {effective(min, parent.min, recursive), effective(low, parent.low, recursive)};
    }
    return parent;
}

} // namespace cgtide::cgroup
