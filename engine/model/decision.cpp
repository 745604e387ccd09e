#include "engine/model/decision.hpp"

#include <algorithm>

namespace cgtide::model {

std::string_view to_string(Move move) {
    switch (move) {
    case Move::promote:
        return "promote";
    case Move::demote:
        return "demote";
    case Move::home:
        return "home";
    }
    return {};
}

std::string_view to_string(OutcomeEnd end) {
    switch (end) {
    case OutcomeEnd::done:
        return "done";
    case OutcomeEnd::partial:
        return "partial";
    case OutcomeEnd::interrupted:
        return "interrupted";
    case OutcomeEnd::gone:
        return "gone";
    case OutcomeEnd::failed:
        return "failed";
    case OutcomeEnd::dry_run:
        return "dry-run";
    }
    return "unknown";
}

Bytes left_by(const Outcome& outcome) {
    if (is_by_address(outcome.actuator)) {
        return outcome.found - outcome.stuck;
    }
    return outcome.end == OutcomeEnd::done ? outcome.asked : std::min(outcome.taken, outcome.asked);
}

} // namespace cgtide::model
