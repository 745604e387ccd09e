#include "engine/damon/worker_load.hpp"
#include "tests/support/fake_damon.hpp"
#include "tests/support/times.hpp"

#include <vector>

#include <gmock/gmock.h>

namespace cgtide::damon {
namespace {

Microseconds milliseconds(int count) {
    return std::chrono::milliseconds(count);
}

class WorkerLoadTest : public ::testing::Test {
protected:
    std::optional<BasisPoints> at(int when, const std::vector<int>& workers) {
        return load_.measure(kernel_.host(), workers, test::second(when));
    }

    test::FakeDamon kernel_;
    WorkerLoad load_;
};

TEST_F(WorkerLoadTest, IsTheShareOfOneProcessorOfAllTogether) {
    kernel_.set_cpu_time(1, milliseconds(5000));
    kernel_.set_cpu_time(2, milliseconds(100));
    EXPECT_EQ(at(0, {1, 2}), std::nullopt);
    kernel_.set_cpu_time(1, milliseconds(5400));
    kernel_.set_cpu_time(2, milliseconds(200));
    EXPECT_EQ(at(2, {1, 2}), BasisPoints{2500});
    kernel_.set_cpu_time(1, milliseconds(9400));
    EXPECT_EQ(at(4, {1, 2}), BasisPoints{20000});
    EXPECT_EQ(at(6, {1, 2}), BasisPoints{0});
    EXPECT_EQ(at(6, {1, 2}), std::nullopt); // no time has passed
}

TEST_F(WorkerLoadTest, CountsAllOfWhoIsNewAndNothingOfWhoHasEnded) {
    kernel_.set_cpu_time(1, milliseconds(5000));
    at(0, {1});
    kernel_.set_cpu_time(2, milliseconds(300));
    EXPECT_EQ(at(1, {1, 2, 3}), BasisPoints{3000});
    EXPECT_EQ(at(2, {2}), BasisPoints{0});
    kernel_.set_cpu_time(2, milliseconds(10)); // another of its number
    EXPECT_EQ(at(3, {2}), BasisPoints{0});
    EXPECT_EQ(at(4, {}), BasisPoints{0});
}

} // namespace
} // namespace cgtide::damon
