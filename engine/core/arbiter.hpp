#pragma once

#include "engine/model/decision.hpp"

#include <functional>
#include <vector>

namespace cgtide::core {

/// Settles what concerns several decisions at once, in its first form: a container has one write
/// under way at a time (a further request is `busy`), and of two requests for one container in one
/// period the first stands. What is refused comes back with an ask of 0 and the reason. Order is
/// kept. Pure.
std::vector<model::Decision> arbitrate(std::vector<model::Decision> decisions,
                                       const std::function<bool(CgroupId)>& under_way);

} // namespace cgtide::core
