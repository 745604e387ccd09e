#include "cgroup/base/units.hpp"
#include "tests/support/results.hpp"

#include <gmock/gmock.h>

namespace cgtide {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using test::fails;
using ::testing::DoubleNear;
using ::testing::HasSubstr;

TEST(BytesParser, TakesEachSuffix) {
    EXPECT_EQ(parse_bytes("1048576").value(), mebibytes(1));
    EXPECT_EQ(parse_bytes("16MiB").value(), mebibytes(16));
    EXPECT_EQ(parse_bytes("512K").value(), kibibytes(512));
    EXPECT_EQ(parse_bytes("1.5GiB").value(), mebibytes(1536));
    EXPECT_EQ(parse_bytes("2T").value(), mebibytes(2U << 20U));
    EXPECT_EQ(parse_bytes("7B").value().count, 7U);
    EXPECT_EQ(parse_bytes("0").value().count, 0U);
}

TEST(BytesParser, RejectsWhatIsNoAmount) {
    for (const char* text : {"", "MiB", "-1", "+1", " 1", "1 ", "1 MiB", "1.5.5K", ".5K", "5.K",
                             "1e3", "0x10", "1Q", "1MiBs", "1mib", "nan", "inf"}) {
        EXPECT_TRUE(fails(parse_bytes(text), Errc::malformed)) << text;
    }
    EXPECT_TRUE(fails(parse_bytes(std::string_view("1\0K", 3)), Errc::malformed));
}

TEST(BytesParser, RejectsOverflow) {
    EXPECT_TRUE(fails(parse_bytes("8388608TiB"), Errc::out_of_range));
    EXPECT_TRUE(fails(parse_bytes("99999999999999999999999"), Errc::out_of_range));
    EXPECT_TRUE(parse_bytes("8388607TiB"));
}

TEST(BytesParser, SaysWhatIsAllowed) {
    const auto result = parse_bytes("16\nMB");
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().message(), HasSubstr("'16\\x0aMB' is no amount"));
}

TEST(ShareParser, TakesPercent) {
    EXPECT_THAT(parse_share("0.1%").value().count, DoubleNear(10.0, 1e-9));
    EXPECT_THAT(parse_share("100%").value().count, DoubleNear(10000.0, 1e-9));
    EXPECT_THAT(parse_share("0%").value().ratio(), DoubleNear(0.0, 1e-9));
}

TEST(ShareParser, RejectsWhatIsNoShare) {
    for (const char* text : {"", "%", "1", "-1%", "1%%", "1% ", " 1%", "1 %", "1e1%", ".5%"}) {
        EXPECT_TRUE(fails(parse_share(text), Errc::malformed)) << text;
    }
    EXPECT_TRUE(fails(parse_share("100.01%"), Errc::out_of_range));
}

TEST(DurationParser, TakesEachUnit) {
    EXPECT_EQ(parse_duration("7us").value(), Microseconds(7));
    EXPECT_EQ(parse_duration("350ms").value(), milliseconds(350));
    EXPECT_EQ(parse_duration("10s").value(), seconds(10));
    EXPECT_EQ(parse_duration("2m").value(), minutes(2));
    EXPECT_EQ(parse_duration("1.5h").value(), minutes(90));
    EXPECT_EQ(parse_duration("1d").value(), hours(24));
}

TEST(DurationParser, RejectsWhatIsNone) {
    for (const char* text : {"", "10", "s", "-1s", "1 s", "1s ", "1sec", "1m30s", "1e3s"}) {
        EXPECT_TRUE(fails(parse_duration(text), Errc::malformed)) << text;
    }
    EXPECT_TRUE(fails(parse_duration("3661d"), Errc::out_of_range));
    EXPECT_TRUE(fails(parse_duration("999999999999999999999999d"), Errc::out_of_range));
}

TEST(Formats, Bytes) {
    EXPECT_EQ(format_bytes({0}), "0 B");
    EXPECT_EQ(format_bytes({512}), "512 B");
    EXPECT_EQ(format_bytes({12687770}), "12.1 MiB");
    EXPECT_EQ(format_bytes({Bytes::kUnlimited}), "max");
    EXPECT_EQ(format_bytes({Bytes::kUnlimited - 1}), "16.0 EiB");
    EXPECT_EQ(format_bytes({1048575}), "1.0 MiB");
    EXPECT_EQ(format_bytes({1023}), "1023 B");
}

TEST(Formats, Shares) {
    EXPECT_EQ(format_share({34.0}), "0.34 %");
    EXPECT_EQ(format_share({10000.0}), "100 %");
    EXPECT_EQ(format_share({0.0}), "0.00 %");
}

TEST(Formats, Durations) {
    EXPECT_EQ(format_duration(Microseconds(0)), "0 us");
    EXPECT_EQ(format_duration(Microseconds(999)), "999 us");
    EXPECT_EQ(format_duration(milliseconds(350)), "350 ms");
    EXPECT_EQ(format_duration(seconds(10)), "10 s");
    EXPECT_EQ(format_duration(seconds(125)), "2 m 5 s");
    EXPECT_EQ(format_duration(hours(3)), "3 h");
    EXPECT_EQ(format_duration(hours(24) + minutes(1)), "1 d 1 m");
}

TEST(Formats, DurationsNearTheNextUnit) {
    EXPECT_EQ(format_duration(Microseconds(999999)), "1 s");
    EXPECT_EQ(format_duration(Microseconds(59999999)), "1 m");
    EXPECT_EQ(format_duration(hours(1) - milliseconds(1)), "1 h");
}

TEST(BytesArithmetic, DifferenceStopsAtZero) {
    EXPECT_EQ((mebibytes(1) - mebibytes(2)).count, 0U);
    EXPECT_EQ(mebibytes(3) - mebibytes(1), mebibytes(2));
}

} // namespace
} // namespace cgtide
