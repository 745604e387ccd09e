#include "engine/apps/actuator_choice.hpp"

#include <algorithm>
#include <array>

namespace cgtide::apps {

namespace {

using model::Actuator;
using model::Actuators;
using model::IdleSource;
using model::Pages;

bool is_possible(Actuator actuator, IdleSource source, Pages pages, const Actuators& actuators) {
    const bool has_ranges =
        source == IdleSource::regions || source == IdleSource::regions_and_physical;
    switch (actuator) {
    case Actuator::pageout:
        return actuators.pageout && has_ranges;
    case Actuator::damos:
        // Its schemes take a range with all that is in it.
        return actuators.damos && has_ranges && pages == Pages::all;
    case Actuator::generations:
        return actuators.generations && source == IdleSource::generations;
    case Actuator::move_pages: // nothing leaves by it
        return false;
    case Actuator::memory_reclaim:
        break;
    }
    return true;
}

/// What works and is wanted most, first.
constexpr std::array kPreferred{Actuator::pageout, Actuator::damos, Actuator::generations,
                                Actuator::memory_reclaim};

} // namespace

Actuator choose_actuator(IdleSource source, Pages pages, const Actuators& actuators) {
    if (actuators.wanted && is_possible(*actuators.wanted, source, pages, actuators)) {
        return *actuators.wanted;
    }
    return *std::find_if(kPreferred.begin(), kPreferred.end(), [&](Actuator actuator) {
        const bool is_exact = actuator != Actuator::generations || actuators.generations_anon;
        return is_exact && is_possible(actuator, source, pages, actuators);
    });
}

} // namespace cgtide::apps
