#include "engine/model/actuator.hpp"

#include <algorithm>

namespace cgtide::model {

std::string_view to_string(Actuator actuator) {
    return kActuatorNames.at(static_cast<std::size_t>(actuator));
}

bool is_by_address(Actuator actuator) {
    return actuator == Actuator::pageout || actuator == Actuator::damos;
}

std::optional<Actuator> actuator_of(std::string_view name) {
    const auto* const found = std::find(kActuatorNames.begin(), kActuatorNames.end(), name);
    if (found == kActuatorNames.end()) {
        return std::nullopt;
    }
    return static_cast<Actuator>(found - kActuatorNames.begin());
}

} // namespace cgtide::model
