#include "engine/damon/host.hpp"
#include "tests/support/fake_tree.hpp"

#include <csignal>

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

namespace cgtide::damon {
namespace {

using ::testing::ElementsAre;

TEST(Host, HoldsAProcessUntilItEnds) {
    const KernelHost host(Dir::open("/proc").value());
    const pid_t child = ::fork();
    if (child == 0) {
        ::pause();
        ::_exit(0);
    }
    const auto start = host.start_of(child);
    ASSERT_TRUE(start);
    const auto process = host.hold(child, *start);
    ASSERT_TRUE(process);
    EXPECT_FALSE(has_ended(*process));
    EXPECT_TRUE(is_gone(host.hold(child, *start + 1).error()));
    ::kill(child, SIGKILL);
    siginfo_t info{};
    ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT), 0);
    EXPECT_TRUE(has_ended(*process));
    // A zombie still has its number and its start.
    EXPECT_TRUE(is_gone(host.hold(child, *start).error()));
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    EXPECT_TRUE(is_gone(host.hold(child, *start).error()));
}

TEST(Host, KnowsWorkersByTheirParent) {
    const test::TempDir dir;
    const std::string rest = " 0 0 0 -1 2129984 0 0 0 0 0 250 0 0 20 0 1 0 77 0 0\n";
    dir.write("50/stat", "50 (kdamond.0) S 2" + rest);
    dir.write("51/stat", "51 (kdamond.1) S 1" + rest);
    dir.write("52/stat", "52 (kswapd0) S 2" + rest);
    dir.write("53/stat", "53 (a) kdamond.) S 2" + rest);
    dir.write("54/stat", "garbage");
    dir.write("sys/kernel/random/boot_id", "abc\n");
    const KernelHost host(dir.dir());
    EXPECT_THAT(host.kdamonds().value(), ElementsAre(50));
    EXPECT_EQ(host.start_of(50).value(), 77U);
    EXPECT_EQ(host.cpu_time(50).value(), Microseconds(250 * 1'000'000 / ::sysconf(_SC_CLK_TCK)));
    EXPECT_TRUE(is_gone(host.cpu_time(49).error()));
    EXPECT_EQ(host.boot_id().value(), "abc");
}

} // namespace
} // namespace cgtide::damon
