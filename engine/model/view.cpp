#include "engine/model/view.hpp"

namespace cgtide::model {

std::string_view to_string(Confidence confidence) {
    switch (confidence) {
    case Confidence::low:
        return "low";
    case Confidence::medium:
        return "medium";
    case Confidence::high:
        return "high";
    }
    return "unknown";
}

} // namespace cgtide::model
