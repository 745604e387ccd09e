#include "engine/cli/views.hpp"
#include "tests/support/sizes.hpp"

#include <cstdlib>
#include <ctime>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace cgtide::cli {
namespace {

using nlohmann::json;

using test::kMiB;

json row() {
    return {{"name", "web"},
            {"ended", false},
            {"usage_bytes", 128 * kMiB},
            {"anon_bytes", 96 * kMiB},
            {"file_bytes", 30 * kMiB},
            {"swap_bytes", kMiB},
            {"memory_pressure_bp", 1.0},
            {"refaults_per_second", 1.25},
            {"source", "regions"},
            {"median_idle_us", -12'000'000},
            {"working_set_bytes", 72 * kMiB},
            {"cold_10s_bytes", 64 * kMiB},
            {"cold_1m_bytes", 48 * kMiB},
            {"cold_10m_bytes", nullptr},
            {"unseen_bp", 625.0}};
}

TEST(StatView, ShowsARowAContainer) {
    const json bare{{"name", "d\u001bb"}, {"ended", true}, {"usage_bytes", nullptr}};
    EXPECT_EQ(
        stat_text({{"rows", {row(), bare}}}),
        R"(NAME                USAGE      ANON      FILE     SWAP     PSI  REFAULTS   WORKING  COLD 10s        1m  10m  UNSEEN  MEDIAN IDLE      SENSOR
web             128.0 MiB  96.0 MiB  30.0 MiB  1.0 MiB  0.01 %     1.2/s  72.0 MiB  64.0 MiB  48.0 MiB    -  6.25 %  in use for 12 s  regions
d\x1bb (ended)          -         -         -        -       -         -         -         -         -    -       -  -                -
)");
}

TEST(HistoryView, ShowsARowAPoint) {
    ::setenv("TZ", "UTC", 1);
    ::tzset();
    constexpr std::int64_t kAt = 1'767'236'639'000; // 2026-01-01 03:03:59
    json point = row();
    point["at_ms"] = kAt;
    point["unseen_bytes"] = 8 * kMiB;
    EXPECT_EQ(
        history_text({{"points", json::array({point})}}, kAt),
        R"(TIME          USAGE   WORKING  COLD 10s        1m  10m   UNSEEN     PSI  REFAULTS  MEDIAN IDLE
03:03:59  128.0 MiB  72.0 MiB  64.0 MiB  48.0 MiB    -  8.0 MiB  0.01 %     1.2/s  in use for 12 s
)");
}

TEST(HistoryView, SaysWhereNothingIsKnown) {
    EXPECT_EQ(history_text({{"container", {{"name", "web"}}}, {"points", json::array()}}, 0),
              "nothing is known of web yet: see cgtide idle\n");
}

TEST(StatView, AReplyOfAnotherVersionStillPrints) {
    for (const json& odd : {json::object(), json{{"rows", 7}}, json{{"rows", {1, "x"}}},
                            json{{"points", {{{"at_ms", 1e300}}}}}}) {
        EXPECT_FALSE(stat_text(odd).empty()) << odd;
        EXPECT_FALSE(history_text(odd, 0).empty()) << odd;
    }
}

} // namespace
} // namespace cgtide::cli
