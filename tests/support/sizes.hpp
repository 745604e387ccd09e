#pragma once

#include <cstdint>

namespace cgtide::test {

inline constexpr std::uint64_t kPage = 4096;
inline constexpr std::uint64_t kMiB = 1U << 20U;
inline constexpr std::uint64_t kGiB = 1U << 30U;

} // namespace cgtide::test
