#pragma once

#include "cgroup/base/units.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace cgtide::model {

/// By what bytes leave; in settings, replies and docs by kActuatorNames.
enum class Actuator : std::uint8_t {
    memory_reclaim, ///< the file: the kernel chooses, by its own lists
    pageout,        ///< process_madvise(MADV_PAGEOUT) on address ranges that were proven idle
    damos,          ///< DAMON's workers page out, or move, what they have seen idle too
    generations,    ///< MGLRU evicts the generations that were proven idle
    move_pages,     ///< move_pages(2): to another tier, by address
};

inline constexpr std::array<std::string_view, 5> kActuatorNames{"memory.reclaim", "pageout",
                                                                "damos", "lru_gen", "move_pages"};

/// A name of kActuatorNames.
std::string_view to_string(Actuator actuator);

/// Whether it takes address ranges, which tell what of them left and what stayed. Pure.
bool is_by_address(Actuator actuator);

/// The actuator of such a name; nullopt where there is none. Pure.
std::optional<Actuator> actuator_of(std::string_view name);

/// The most that DAMON moves for one decision: a worker that moves does not look meanwhile, and
/// cannot be stopped.
inline constexpr Bytes kMostOfDamosMove = mebibytes(128);

/// By what proven bytes can leave on this node besides memory.reclaim, and by what they are to.
struct Actuators {
    bool pageout = false;          ///< process_madvise(MADV_PAGEOUT) works on other processes
    bool damos = false;            ///< DAMON's schemes page out, and end by themselves
    bool generations = false;      ///< MGLRU evicts by generation
    bool generations_anon = false; ///< ... and anonymous pages alone, if asked
    bool damos_moves = false;      ///< DAMON's schemes move pages, and end by themselves
    bool reclaim_moves = false;    ///< memory.reclaim takes anonymous memory alone, and has so far
    std::optional<Actuator> wanted{}; ///< `reclaim.actuator`; none: `auto`
    std::optional<Actuator> mover{};  ///< `tier.mover`, between memory tiers; none: `auto`
};

} // namespace cgtide::model
