#include "engine/core/capability_rows.hpp"

#include <gtest/gtest.h>

namespace cgtide::core {
namespace {

TEST(CapabilityRows, OneThatIsLostSaysWhyAndOthersStay) {
    std::vector<model::Capability> rows{
        {.name = "one", .present = true, .probed = {}, .detail = "works", .without = {}},
        {.name = "two", .present = true, .probed = {}, .detail = "works", .without = {}}};
    mark_missing(rows, "two", "taken by somebody else");
    EXPECT_TRUE(find_row(rows, "one")->present);
    EXPECT_FALSE(find_row(rows, "two")->present);
    EXPECT_EQ(find_row(rows, "two")->detail, "taken by somebody else");
    mark_missing(rows, "three", "never there");
    EXPECT_EQ(find_row(rows, "three"), nullptr);
    EXPECT_EQ(rows.size(), 2U);
}

} // namespace
} // namespace cgtide::core
