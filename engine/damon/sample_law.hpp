#pragma once

#include "cgroup/base/units.hpp"

namespace cgtide::damon {

/// How often workers may look, and what that may cost.
struct SampleBounds {
    Microseconds least{50'000}; ///< the interval that is wanted
    Microseconds most{200'000}; ///< the longest; as `least` where it is fixed
    BasisPoints cpu{3000.0};    ///< of one processor, all workers together
};

/// What the law keeps from one step to the next.
struct SampleState {
    Microseconds sample{50'000}; ///< the interval in force
    int over = 0;                ///< steps in a row in which the budget was passed
    TimePoint calm{};            ///< since when half of the budget would do for twice the looks
};

/// Steps in a row beyond the budget after which the interval doubles.
inline constexpr int kStepsOver = 3;

/// For how long half of the budget must do for twice the looks until the interval is halved.
inline constexpr Microseconds kCalm{60'000'000};

/// The interval between two looks, by what the workers have used of a processor since the step
/// before. Looks are nearly all that workers do, so that half as many cost half as much. It doubles
/// soon, and comes back late and with room to spare, for each change costs a round. Pure.
SampleState step_sample(SampleState state, BasisPoints used, TimePoint at,
                        const SampleBounds& bounds);

} // namespace cgtide::damon
