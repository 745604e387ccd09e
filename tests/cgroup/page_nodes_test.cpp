#include "cgroup/page_nodes.hpp"

#include <array>
#include <cerrno>

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

namespace cgtide::cgroup {
namespace {

TEST(PageNodes, TellsPresentPagesFromAbsentOnes) {
    constexpr std::size_t kPage = 4096;
    void* const pages =
        ::mmap(nullptr, 2 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(pages, MAP_FAILED);
    *static_cast<char*>(pages) = 1;
    const auto start = reinterpret_cast<std::uint64_t>(pages);
    const std::array<std::uint64_t, 2> addresses{start, start + kPage};
    std::array<int, 2> nodes{-1, 0};
    const auto told = page_nodes(::getpid(), addresses, nodes);
    ::munmap(pages, 2 * kPage);
    if (!told && told.error().code.value() == ENOSYS) {
        GTEST_SKIP() << "this kernel has no move_pages(2)";
    }
    ASSERT_TRUE(told) << told.error().message();
    EXPECT_GE(nodes[0], 0);
    EXPECT_TRUE(nodes[1] == -ENOENT || nodes[1] == -EFAULT) << nodes[1];
}

TEST(PageNodes, AProcessThatIsNotThereIsGone) {
    const std::array<std::uint64_t, 1> addresses{4096};
    std::array<int, 1> nodes{};
    const auto told = page_nodes(1 << 30, addresses, nodes);
    ASSERT_FALSE(told);
    EXPECT_TRUE(is_gone(told.error()) || told.error().code.value() == ENOSYS)
        << told.error().message();
}

} // namespace
} // namespace cgtide::cgroup
