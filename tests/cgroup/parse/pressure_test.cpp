#include "cgroup/parse/pressure.hpp"
#include "tests/support/results.hpp"

#include <gmock/gmock.h>

namespace cgtide::cgroup {
namespace {

using test::fails;
using ::testing::DoubleNear;

TEST(PressureParser, TakesBothLines) {
    const Pressure pressure = parse_pressure("some avg10=0.12 avg60=3.40 avg300=100.00 total=77\n"
                                             "full avg10=0.01 avg60=0.00 avg300=0.00 total=5\n")
                                  .value();
    EXPECT_THAT(pressure.some.avg10.count, DoubleNear(12.0, 1e-9));
    EXPECT_THAT(pressure.some.avg60.count, DoubleNear(340.0, 1e-9));
    EXPECT_THAT(pressure.some.avg300.count, DoubleNear(10000.0, 1e-9));
    EXPECT_EQ(pressure.some.total, Microseconds(77));
    EXPECT_EQ(pressure.full.total, Microseconds(5));
}

TEST(PressureParser, FullMayBeMissing) {
    const Pressure pressure =
        parse_pressure("some avg10=0.00 avg60=0.00 avg300=0.00 total=9").value();
    EXPECT_EQ(pressure.some.total, Microseconds(9));
    EXPECT_EQ(pressure.full.total, Microseconds(0));
}

TEST(PressureParser, RejectsMissingSome) {
    EXPECT_TRUE(fails(parse_pressure("")));
    EXPECT_TRUE(fails(parse_pressure("full avg10=0.00 avg60=0.00 avg300=0.00 total=9\n")));
}

TEST(PressureParser, RejectsMissingTotalAndTruncatedLines) {
    const std::string_view line = "some avg10=0.00 avg60=0.00 avg300=0.00 total=9";
    for (std::size_t length = 1; length < line.size(); ++length) {
        EXPECT_TRUE(fails(parse_pressure(line.substr(0, length)))) << length;
    }
}

TEST(PressureParser, TakesTheLargestTotalAndRejectsOverflow) {
    EXPECT_EQ(parse_pressure("some avg10=0.00 avg60=0.00 avg300=0.00 total=9223372036854775807\n")
                  .value()
                  .some.total,
              Microseconds::max());
    for (const char* total : {"9223372036854775808", "18446744073709551616", "-1"}) {
        EXPECT_TRUE(fails(parse_pressure(
            std::string("some avg10=0.00 avg60=0.00 avg300=0.00 total=") + total + "\n")))
            << total;
    }
}

TEST(PressureParser, RejectsGarbage) {
    for (const char* text : {"some avg10=0.00 avg60=0.00 avg300=0.00 total=9 x\n",
                             "some avg10=100.01 avg60=0.00 avg300=0.00 total=9\n",
                             "some avg10=1e2 avg60=0.00 avg300=0.00 total=9\n",
                             "some avg10=nan avg60=0.00 avg300=0.00 total=9\n",
                             "some avg60=0.00 avg10=0.00 avg300=0.00 total=9\n",
                             "some avg10=0.00 avg60=0.00 avg300=0.00 total=9\nmost\n"}) {
        EXPECT_TRUE(fails(parse_pressure(text))) << text;
    }
}

} // namespace
} // namespace cgtide::cgroup
