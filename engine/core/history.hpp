#pragma once

#include "engine/model/view.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace cgtide::core {

/// What `stat` knew of one container over the last hours: one point in ten seconds for ten minutes,
/// then one a minute for six hours. Takes no memory before the first point.
class History {
public:
    static constexpr std::size_t kFine = 60;    ///< points kept that are ten seconds apart
    static constexpr std::size_t kCoarse = 360; ///< ... and those a minute apart
    static constexpr std::chrono::seconds kFineApart{10};
    static constexpr std::chrono::seconds kCoarseApart{60};

    /// Notes a point, unless the last one is younger than ten seconds. Where there would be more
    /// than `most` points (at least kFine), the oldest leave.
    void note(const model::HistoryPoint& point, std::size_t most);

    /// Oldest first.
    std::vector<model::HistoryPoint> points() const;

    /// How many points each of `containers` may keep, so that all together take at most 4 MiB.
    static std::size_t share(std::size_t containers);

private:
    /// 44 bytes. Sizes are KiB, at most 4 TiB; kUnknown stands for what is not known.
    struct Packed {
        static constexpr std::uint32_t kUnknown = UINT32_MAX;

        std::uint32_t at = 0;   ///< seconds of the steady clock
        std::uint32_t wall = 0; ///< seconds since the epoch
        std::uint32_t usage = 0;
        std::uint32_t working_set = 0;
        std::array<std::uint32_t, 3> cold{};
        std::uint32_t unseen = 0;
        std::int32_t median_ms = 0;
        float refaults_per_second = 0.0F;
        std::uint16_t memory_pressure = 0; ///< basis points
    };

    static Packed pack(const model::HistoryPoint& point);
    static model::HistoryPoint unpack(const Packed& packed);

    std::vector<Packed> coarse_; ///< older than all of `fine_`
    std::vector<Packed> fine_;
};

} // namespace cgtide::core
