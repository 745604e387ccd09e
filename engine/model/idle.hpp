#pragma once

#include "cgroup/base/units.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace cgtide::model {

/// What told how long memory has been idle.
enum class IdleSource : std::uint8_t {
    regions,              ///< DAMON, by address range
    generations,          ///< MGLRU, by age of generation
    physical,             ///< DAMON, by physical address
    regions_and_physical, ///< regions, and page cache that no process maps by physical address
};

std::string_view to_string(IdleSource source);

/// Why a container's view is that of this sensor.
enum class IdleChoice : std::uint8_t {
    configured,     ///< `idle.sensor` names it
    preferred,      ///< both would do, and this one tells more
    only,           ///< the other does not work on this node, or not for this container
    sees_more,      ///< the other sees less of the container's memory
    watches_longer, ///< the other has begun too late to tell much yet
};

std::string_view to_string(IdleChoice choice);

/// Whether page cache that no process maps, which read(2) and write(2) alone use, is told; and why
/// it is unseen.
enum class PageCache : std::uint8_t {
    off,         ///< the sensors that were configured do not tell of it
    little,      ///< there is too little of it
    pending,     ///< it is to be counted, or was just now for the first time
    seen,        ///< it is told
    no_room,     ///< other containers have more of it, and counting has a price
    mglru,       ///< multi-generational LRU is on, which hides its use
    unsupported, ///< the kernel cannot tell it from other memory
};

std::string_view to_string(PageCache state);

/// Bytes that have been idle for the same time at least.
struct IdleSlice {
    Microseconds idle{0}; ///< since they were last seen in use; below 0: in use for so long already
    Bytes anon;
    Bytes file;     ///< page cache, tmpfs and shared memory
    Bytes unsure{}; ///< of both: those that may have been idle for longer

    bool operator==(const IdleSlice&) const = default;
};

/// How long a container's memory has been idle, as one sensor sees it. Only bytes that are present
/// and charged to the container count.
struct IdleView {
    static constexpr std::size_t kMaxSlices = 256;

    IdleSource source = IdleSource::regions;
    TimePoint at{};
    Microseconds resolution{0}; ///< idle times are no finer than this
    Microseconds watched{
        0}; ///< for so long the sensor has watched: no idle time is proven beyond it
    std::vector<IdleSlice> slices; ///< by rising idle, at most kMaxSlices
    Bytes unseen;                  ///< charged, but seen by no sensor: never counted as idle
    std::uint32_t processes = 0;   ///< address spaces that are watched; 0 where none is by itself
    std::uint32_t unwatched = 0;   ///< ... and those that are not, for want of room or rights
    IdleChoice choice = IdleChoice::preferred;
    std::optional<Microseconds> cpu; ///< CPU time of the last look, where it is the container's own
    PageCache page_cache = PageCache::off;
    TimePoint counted{}; ///< when present pages were counted last; the epoch: with `at`
    std::optional<Bytes> mapped_file{}; ///< file bytes that its own processes map; none: not known
};

/// Bytes that the view's sensor saw.
Bytes seen(const IdleView& view);

/// Of these, bytes that may have been idle for longer than told.
Bytes unsure(const IdleView& view);

/// The idle time at which p % of the bytes whose idle time is sure are passed, for p = 0 to 100; of
/// all bytes where it is sure of none.
using IdlePercentiles = std::array<Microseconds, 101>;

/// Bytes that have been idle for at least `age`.
struct ColdBytes {
    Microseconds age{0};
    Bytes anon;
    Bytes file;
    Bytes unsure{}; ///< of neither: told as idle for less, but maybe for so long
};

/// What `stat` tells of a view.
struct IdleSummary {
    IdleSource source = IdleSource::regions;
    TimePoint at{};
    Microseconds resolution{0};
    Microseconds watched{0};
    IdlePercentiles percentiles{};
    std::vector<ColdBytes> cold; ///< at each of the ages of kColdAges
    Bytes working_set;           ///< in use within kWorkingSetWindow
    Bytes seen;
    Bytes unsure; ///< of `seen`: they may have been idle for longer than they count
    Bytes unseen;
    std::uint32_t processes = 0;
    std::uint32_t unwatched = 0;
    IdleChoice choice = IdleChoice::preferred;
    std::optional<Microseconds> cpu; ///< of the last look
    PageCache page_cache = PageCache::off;
};

/// The ages at which cold bytes are told.
inline constexpr std::array<Microseconds, 8> kColdAges{
    Microseconds(1'000'000),   Microseconds(5'000'000),    Microseconds(10'000'000),
    Microseconds(30'000'000),  Microseconds(60'000'000),   Microseconds(120'000'000),
    Microseconds(600'000'000), Microseconds(3'600'000'000)};

/// Those of them that a table has room for: 10 s, 1 m, 10 m.
inline constexpr std::array<Microseconds, 3> kShownAges{
    Microseconds(10'000'000), Microseconds(60'000'000), Microseconds(600'000'000)};

/// Cold bytes of both kinds at an age of kColdAges; kUnlimited where nothing has been watched for
/// so long.
Bytes cold_at(const IdleSummary& idle, Microseconds age);

inline constexpr Microseconds kWorkingSetWindow{60'000'000};

} // namespace cgtide::model
