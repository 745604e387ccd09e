#include "engine/serve/values.hpp"

#include <limits>

#include <nlohmann/json.hpp>

namespace cgtide::serve {

using nlohmann::json;

json integer(std::uint64_t value) {
    constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    return value > kMax ? json(nullptr) : json(static_cast<std::int64_t>(value));
}

json bytes(std::optional<Bytes> value) {
    return value ? integer(value->count) : json(nullptr);
}

} // namespace cgtide::serve
