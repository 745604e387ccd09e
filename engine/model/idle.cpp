#include "engine/model/idle.hpp"

namespace cgtide::model {

std::string_view to_string(IdleSource source) {
    switch (source) {
    case IdleSource::regions:
        return "regions";
    case IdleSource::generations:
        return "generations";
    }
    return "unknown";
}

} // namespace cgtide::model
