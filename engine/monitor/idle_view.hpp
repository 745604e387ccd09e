#pragma once

#include "cgroup/pagemap.hpp"
#include "cgroup/parse/maps.hpp"
#include "engine/model/cold_range.hpp"
#include "engine/model/idle.hpp"
#include "engine/monitor/ages.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace cgtide::monitor {

/// What is known of one address space of a container.
struct SeenSpace {
    std::span<const IdleRange> idle;           ///< Ages::idle(): rising
    std::span<const cgroup::Present> present;  ///< rising
    std::span<const cgroup::Mapping> mappings; ///< rising: which file is behind an address
    std::uint32_t looks = 20;                  ///< Ages::looks()
};

/// What the container is charged for, by memory.stat.
struct Charged {
    Bytes anon;
    Bytes file;
    Bytes shmem{};                        ///< of `file`
    Bytes file_mapped{Bytes::kUnlimited}; ///< of `file`: mapped by a process
};

/// Which file is behind memory.
struct FileId {
    std::uint32_t device = 0;
    std::uint64_t inode = 0;

    auto operator<=>(const FileId&) const = default;
};

/// When and how it was seen; what idle_view() takes over as it is.
struct ViewFrame {
    TimePoint at{};
    Microseconds resolution{0}; ///< the aggregation interval; over 0
    Microseconds watched{0};
    std::uint32_t processes = 0;
    std::uint32_t unwatched = 0;
    TimePoint counted{};              ///< when the pages that are present were looked at
    std::span<const FileId> common{}; ///< rising: files that another watched container maps too
};

/// A container's idle memory by regions. Pure.
///
/// Only present pages count, and memory that several of its processes share counts once, by the
/// youngest use: file pages by device, inode and offset, anonymous pages after a fork by address.
/// Where more of a kind is seen than charged (to somebody else), its slices are scaled down, those
/// of common files first. Unsure is what was seen in use together with its neighbours, where the
/// use of a neighbour would explain that, and what common files hold. What is charged and not seen
/// is `unseen`, and so is memory so thinly spread that no look would hit it (under an eighth of its
/// neighbourhood where a round has 20 looks, under half where it has 5), unless it was seen in use.
model::IdleView idle_view(std::span<const SeenSpace> spaces, const Charged& charged,
                          const ViewFrame& frame);

/// Addresses of one space that have been idle for at least `idle`, as idle_view() tells it; what is
/// so thinly spread that no look would hit it is left out. Rising, apart. What of them is present
/// is for the caller to find out. Pure.
std::vector<model::ColdRange> cold_ranges(const SeenSpace& space, Microseconds resolution,
                                          Microseconds idle);

/// Addresses of one space that have been in use for at least `time` without a break; their `idle`
/// is below 0. Rising, apart. Pure.
std::vector<model::ColdRange> hot_ranges(const SeenSpace& space, Microseconds resolution,
                                         Microseconds time);

} // namespace cgtide::monitor
