#include "engine/core/history.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace cgtide::core {

namespace {

constexpr std::int64_t kMsPerSecond = 1000;

template <class Number, class Value>
Number saturated(Value value) {
    constexpr auto kLow = static_cast<Value>(std::numeric_limits<Number>::min());
    constexpr auto kHigh = static_cast<Value>(std::numeric_limits<Number>::max());
    return static_cast<Number>(std::clamp(value, kLow, kHigh));
}

std::uint32_t kibi(Bytes bytes, std::uint32_t unknown) {
    if (bytes.count == Bytes::kUnlimited) {
        return unknown;
    }
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(bytes.count >> 10U, unknown - 1));
}

/// Keeps the last `most` (at least 1); grows by little, for there is one of these a container.
template <class Entry>
void append(std::vector<Entry>& entries, const Entry& entry, std::size_t most) {
    constexpr std::size_t kStep = 12;
    if (entries.size() >= most) {
        entries.erase(entries.begin(), entries.end() - static_cast<std::ptrdiff_t>(most - 1));
    }
    if (entries.size() == entries.capacity()) {
        entries.reserve(std::min(entries.size() + kStep, most));
    }
    entries.push_back(entry);
}

} // namespace

History::Packed History::pack(const model::HistoryPoint& point) {
    Packed packed;
    packed.at = saturated<std::uint32_t>(
        static_cast<std::int64_t>(point.at.time_since_epoch() / std::chrono::seconds(1)));
    packed.wall = saturated<std::uint32_t>(point.wall_ms / kMsPerSecond);
    packed.usage = kibi(point.usage, Packed::kUnknown);
    packed.working_set = kibi(point.working_set, Packed::kUnknown);
    for (std::size_t i = 0; i < packed.cold.size(); ++i) {
        packed.cold.at(i) = kibi(point.cold.at(i), Packed::kUnknown);
    }
    packed.unseen = kibi(point.unseen, Packed::kUnknown);
    packed.median_ms = saturated<std::int32_t>(
        static_cast<std::int64_t>(point.median / std::chrono::milliseconds(1)));
    packed.refaults_per_second = static_cast<float>(point.refaults_per_second);
    packed.memory_pressure = saturated<std::uint16_t>(std::round(point.memory_pressure.count));
    return packed;
}

model::HistoryPoint History::unpack(const Packed& packed) {
    const auto bytes = [](std::uint32_t kibibytes_or_unknown) {
        return kibibytes_or_unknown == Packed::kUnknown ? Bytes{Bytes::kUnlimited}
                                                        : kibibytes(kibibytes_or_unknown);
    };
    model::HistoryPoint point;
    point.at = TimePoint(std::chrono::seconds(packed.at));
    point.wall_ms = static_cast<std::int64_t>(packed.wall) * kMsPerSecond;
    point.usage = bytes(packed.usage);
    point.working_set = bytes(packed.working_set);
    for (std::size_t i = 0; i < packed.cold.size(); ++i) {
        point.cold.at(i) = bytes(packed.cold.at(i));
    }
    point.unseen = bytes(packed.unseen);
    point.median = std::chrono::milliseconds(packed.median_ms);
    point.refaults_per_second = static_cast<double>(packed.refaults_per_second);
    point.memory_pressure = {static_cast<double>(packed.memory_pressure)};
    return point;
}

void History::note(const model::HistoryPoint& point, std::size_t most) {
    const Packed packed = pack(point);
    const auto is_within = [](std::chrono::seconds apart, const Packed& before,
                              const Packed& after) {
        return std::chrono::seconds(after.at - before.at) < apart;
    };
    if (!fine_.empty() && is_within(kFineApart, fine_.back(), packed)) {
        return;
    }
    if (fine_.size() == kFine) {
        const Packed& oldest = fine_.front();
        const std::size_t room = std::min(kCoarse, std::max(most, kFine) - kFine);
        if (room > 0 && (coarse_.empty() || !is_within(kCoarseApart, coarse_.back(), oldest))) {
            append(coarse_, oldest, room);
        }
        if (coarse_.size() > room) {
            coarse_.erase(coarse_.begin(), coarse_.end() - static_cast<std::ptrdiff_t>(room));
            coarse_.shrink_to_fit();
        }
    }
    append(fine_, packed, kFine);
}

std::vector<model::HistoryPoint> History::points() const {
    std::vector<model::HistoryPoint> points;
    points.reserve(coarse_.size() + fine_.size());
    for (const auto* entries : {&coarse_, &fine_}) {
        for (const Packed& packed : *entries) {
            points.push_back(unpack(packed));
        }
    }
    return points;
}

std::size_t History::share(std::size_t containers) {
    constexpr std::size_t kBudget = 4U << 20U;
    const std::size_t points = kBudget / sizeof(Packed) / std::max<std::size_t>(containers, 1);
    return std::clamp(points, kFine, kFine + kCoarse);
}

} // namespace cgtide::core
