#include "engine/monitor/physical_choice.hpp"

#include <algorithm>
#include <cmath>

namespace cgtide::monitor {

namespace {

constexpr std::size_t kMostCounts = 8;
constexpr Microseconds kLeastPeriod{10'000'000};
constexpr Microseconds kCommonPeriod{60'000'000};
constexpr Microseconds kMostPeriod{600'000'000};

/// So that counts take one processor in a hundred: 2.5 ms a GiB each.
Microseconds period_of(std::size_t counts, Bytes memory) {
    constexpr double kMicrosecondsAByte = 2500.0 / (1U << 30U);
    constexpr double kShare = 0.01;
    const double work = static_cast<double>(counts) * static_cast<double>(memory.count) *
                        kMicrosecondsAByte / kShare;
    const auto most = static_cast<double>(kMostPeriod.count());
    return std::clamp(Microseconds(std::llround(std::min(work, most))), kLeastPeriod, kMostPeriod);
}

/// Who is watched stays so for a while, for each change is a commit.
std::uint64_t weight(const PhysicalNeed& need) {
    return need.bytes.count * (need.is_watched ? 2 : 1);
}

} // namespace

bool is_little(const PhysicalNeed& need) {
    return weight(need) < kLeastCounted.count;
}

PhysicalChoice choose_physical(std::vector<PhysicalNeed> needs, Bytes memory) {
    std::erase_if(needs, is_little);
    std::sort(needs.begin(), needs.end(), [](const PhysicalNeed& a, const PhysicalNeed& b) {
        return weight(a) != weight(b) ? weight(a) > weight(b) : a.id < b.id;
    });
    PhysicalChoice choice;
    std::size_t counts = 0;
    for (const PhysicalNeed& need : needs) {
        const std::size_t more = counts + need.counts;
        // The first is watched on any node, if more seldom.
        if (!choice.chosen.empty() &&
            (more > kMostCounts || period_of(more, memory) > kCommonPeriod)) {
            break;
        }
        counts = more;
        choice.chosen.push_back(need.id);
    }
    choice.period = period_of(counts, memory);
    std::sort(choice.chosen.begin(), choice.chosen.end());
    return choice;
}

} // namespace cgtide::monitor
