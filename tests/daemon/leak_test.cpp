#include "engine/wire/interface.hpp"
#include "tests/daemon/node.hpp"
#include "tests/support/sanitized.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace cgtide::daemon {
namespace {

namespace fs = std::filesystem;
using testing::IsEmpty;

constexpr int kRounds = 80;
constexpr int kPerRound = 20; ///< 1,600 in all: the slope of a shorter half is that of single pages

class Leaks : public Node {
protected:
    std::size_t descriptors() {
        const fs::directory_iterator all("/proc/" + std::to_string(engine().pid()) + "/fd");
        return static_cast<std::size_t>(std::distance(begin(all), end(all)));
    }

    /// Resident memory in KiB.
    double resident() {
        std::ifstream status("/proc/" + std::to_string(engine().pid()) + "/status");
        for (std::string line; std::getline(status, line);) {
            if (line.starts_with("VmRSS:")) {
                return std::stod(line.substr(6));
            }
        }
        return 0.0;
    }

    /// Registers containers through the hook, lets them end, and waits until the engine has seen
    /// it.
    void round(int number) {
        for (int i = 0; i < kPerRound; ++i) {
            const std::string name = "c" + std::to_string(number) + "-" + std::to_string(i);
            ASSERT_EQ(run_container(name, reclaimed()).status, 0);
        }
        ASSERT_EQ(names().size(), static_cast<std::size_t>(kPerRound));
        for (const auto& [name, pid] : pids_) {
            tree_.remove_process(pid);
            tree_.remove_group("/pods/" + name);
        }
        pids_.clear();
        ASSERT_TRUE(await([&] { return names().empty(); }));
    }
};

/// The slope of a line through values at 0, 1, 2, ...: the median of the slopes between all pairs
/// of them (Theil and Sen), which grows with what leaks steadily, and not with an allocator that
/// takes its next pages once.
double slope(const std::vector<double>& values) {
    std::vector<double> slopes;
    for (std::size_t i = 0; i < values.size(); ++i) {
        for (std::size_t j = i + 1; j < values.size(); ++j) {
            slopes.push_back((values[j] - values[i]) / static_cast<double>(j - i));
        }
    }
    const auto middle = slopes.begin() + static_cast<std::ptrdiff_t>(slopes.size() / 2);
    std::nth_element(slopes.begin(), middle, slopes.end());
    return *middle;
}

TEST_F(Leaks, AThousandRegistrationsAndRemovalsLeaveNothing) {
    // KiB a container: less than one of a journal's 96 entries, of which the engine keeps 64 rings.
    constexpr double kTolerance = 0.15;
    ASSERT_TRUE(start());
    // What is made once is made, and the ancestors that all containers share are open.
    ASSERT_EQ(run_container("first", reclaimed()).status, 0);
    ASSERT_FALSE(await_reason("first", "reclaimed").is_null());
    tree_.remove_group("/pods/first");
    pids_.clear();
    ASSERT_TRUE(await([&] { return names().empty() && records().empty(); }));
    ASSERT_TRUE(names(false).empty()); // a turn of the engine's loop later its last task has ended
    const std::size_t before = descriptors();
    std::vector<double> resident_kib;
    for (int number = 1; number <= kRounds; ++number) {
        round(number);
        if (HasFatalFailure()) {
            return;
        }
        resident_kib.push_back(resident());
    }
    EXPECT_TRUE(await([&] { return descriptors() <= before; }))
        << descriptors() << " descriptors, before " << before;
    EXPECT_TRUE(await([&] { return records().empty(); })) << testing::PrintToString(records());
    EXPECT_TRUE(fs::is_empty(run_dir() + "/attached"));
    const std::vector<double> second_half(resident_kib.begin() + kRounds / 2, resident_kib.end());
    const double per_container = slope(second_half) / kPerRound;
    std::printf(
        "descriptors %zu, before %zu; resident %.0f KiB, in the second half %+.3f KiB a container "
        "(tolerance %.2f)\n",
        descriptors(), before, resident_kib.back(), per_container, kTolerance);
    if (!test::kSanitized) { // a sanitizer keeps what was freed
        EXPECT_LE(per_container, kTolerance);
    }
}

} // namespace
} // namespace cgtide::daemon
