#include "engine/act/page_mover.hpp"

#include <array>
#include <cerrno>

#include <gtest/gtest.h>

namespace cgtide::act {
namespace {

TEST(FoundNoRoom, IsToldByAPageThatStayed) {
    const std::array<int, 3> full{1, -ENOMEM, 1};
    EXPECT_TRUE(found_no_room(1, full));
    const std::array<int, 3> shared{1, -EACCES, -ENOENT};
    EXPECT_FALSE(found_no_room(2, shared)) << "they stay for another reason";
}

TEST(FoundNoRoom, IsNotAskedWhereAllMoved) {
    const std::array<int, 2> untouched{-ENOMEM, -ENOMEM}; // what the array held before the call
    EXPECT_FALSE(found_no_room(0, untouched));
}

} // namespace
} // namespace cgtide::act
