#include "engine/model/decision.hpp"

namespace cgtide::model {

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

} // namespace cgtide::model
