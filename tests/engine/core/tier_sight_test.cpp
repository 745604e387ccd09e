#include "engine/core/tier_sight.hpp"

#include <gtest/gtest.h>

namespace cgtide::core {
namespace {

model::MemoryNode memory_node(std::uint64_t total_mib, std::uint64_t watermark_mib) {
    model::MemoryNode node;
    node.total = mebibytes(total_mib);
    node.watermark = mebibytes(watermark_mib);
    return node;
}

TEST(TierReserve, IsAShareOfTheNodeAndWellOverItsWatermark) {
    EXPECT_EQ(tier_reserve(memory_node(10'000, 40)), mebibytes(200));
    EXPECT_EQ(tier_reserve(memory_node(1'000, 40)), mebibytes(60));
}

TEST(TierFloor, IsTheWatermarkOrTheReserveWhereNobodyTells) {
    EXPECT_EQ(tier_floor(memory_node(1'000, 40)), mebibytes(40));
    EXPECT_EQ(tier_floor(memory_node(1'000, 0)), mebibytes(20));
}

} // namespace
} // namespace cgtide::core
