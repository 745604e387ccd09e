#pragma once

#include <cstdint>

namespace cgtide::test {

inline constexpr std::uint64_t kMiB = 1U << 20U;

} // namespace cgtide::test
