#pragma once

#include "cgroup/base/units.hpp"

#include <cstdint>
#include <optional>

#include <nlohmann/json_fwd.hpp>

namespace cgtide::serve {

/// A number as Varlink's int, which is signed with 64 bits; null for what is beyond it, and so for
/// Bytes::kUnlimited. Pure.
nlohmann::json integer(std::uint64_t value);

/// Bytes by integer(); null where there are none.
nlohmann::json bytes(std::optional<Bytes> value);

} // namespace cgtide::serve
