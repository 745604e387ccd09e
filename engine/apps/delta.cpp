#include "engine/apps/delta.hpp"

#include <algorithm>

namespace cgtide::apps {

BasisPoints share_of_time(Microseconds before, Microseconds now, Microseconds elapsed) {
    if (elapsed.count() <= 0 || now < before) {
        return {};
    }
    const double share =
        static_cast<double>((now - before).count()) / static_cast<double>(elapsed.count());
    return {std::min(share, 1.0) * 10000.0};
}

std::uint64_t rise(std::uint64_t before, std::uint64_t now) {
    return now > before ? now - before : 0;
}

} // namespace cgtide::apps
