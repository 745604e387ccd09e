#include "engine/damon/sample_law.hpp"

#include <algorithm>

namespace cgtide::damon {

SampleState step_sample(SampleState state, BasisPoints used, TimePoint at,
                        const SampleBounds& bounds) {
    state.over = used > bounds.cpu ? state.over + 1 : 0;
    if (2 * used.count > bounds.cpu.count / 2) {
        state.calm = at;
    }
    Microseconds next = state.sample;
    if (state.over >= kStepsOver) {
        next = state.sample * 2;
    } else if (at - state.calm >= kCalm) {
        next = state.sample / 2;
    }
    next = std::clamp(next, bounds.least, bounds.most);
    if (next != state.sample) {
        state = {.sample = next, .over = 0, .calm = at};
    }
    return state;
}

} // namespace cgtide::damon
