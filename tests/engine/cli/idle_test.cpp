#include "engine/cli/idle.hpp"
#include "engine/cli/views.hpp"
#include "tests/support/sizes.hpp"

#include <algorithm>
#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace cgtide::cli {
namespace {

using nlohmann::json;

/// 48 MiB in use, 72 MiB idle for 2 m 5 s at most, 8 MiB that nobody saw.
json idle() {
    json percentiles = json::array();
    for (std::int64_t p = 0; p <= 100; ++p) {
        percentiles.push_back(p <= 40 ? -12'000'000 : (p <= 60 ? 0 : (p - 50) * 2'500'000));
    }
    using test::kMiB;
    const auto cold = [](std::int64_t seconds, std::int64_t anon, std::int64_t file) {
        return json{{"age_us", seconds * 1'000'000},
                    {"anon_bytes", anon * kMiB},
                    {"file_bytes", file * kMiB}};
    };
    return {{"source", "regions"},
            {"choice", "preferred"},
            {"age_ms", 3456},
            {"resolution_us", 1'000'000},
            {"watched_us", 312'000'000},
            {"percentiles_us", percentiles},
            {"cold",
             {cold(1, 60, 12),
              cold(10, 60, 12),
              cold(60, 40, 8),
              cold(120, 2, 0),
              {{"age_us", 600'000'000}, {"anon_bytes", nullptr}, {"file_bytes", nullptr}}}},
            {"working_set_bytes", 72 * kMiB},
            {"working_set_window_us", 60'000'000},
            {"seen_bytes", 120 * kMiB},
            {"unsure_bytes", 4 * kMiB},
            {"unseen_bytes", 8 * kMiB},
            {"charged_bytes", 128 * kMiB},
            {"coverage_bp", 9375.0},
            {"processes", 2},
            {"unwatched", 0}};
}

json reply(const json& times) {
    return {{"container", {{"name", "web"}, {"ended", false}}}, {"idle", times}};
}

TEST(IdleView, ShowsPercentilesAndColdBytesWithBars) {
    EXPECT_EQ(idle_text(reply(idle())),
              R"(web: by regions, resolution 1 s, 3.46 s old
2 processes, 93.75 % of 128.0 MiB seen, watched for 5 m 12 s

PERCENTILE  IDLE TIME
         0  in use for 12 s
        10  in use for 12 s
        20  in use for 12 s
        30  in use for 12 s
        40  in use for 12 s
        50  in use
        60  in use
        70  50 s             ##################
        80  1 m 15 s         ##########################
        90  1 m 40 s         ###################################
       100  2 m 5 s          ############################################

IDLE FOR         ANONYMOUS      FILE       SUM    SHARE
1 s               60.0 MiB  12.0 MiB  72.0 MiB  56.25 %  ###########
10 s              60.0 MiB  12.0 MiB  72.0 MiB  56.25 %  ###########
1 m               40.0 MiB   8.0 MiB  48.0 MiB  37.50 %  ########
2 m                2.0 MiB       0 B   2.0 MiB   1.56 %
10 m                     -         -         -        -
used within 1 m                       72.0 MiB  56.25 %
age unsure                             4.0 MiB   3.12 %
unseen                                 8.0 MiB   6.25 %
)");
}

TEST(IdleView, SaysWhyRegionsTellNothing) {
    json told = reply(idle());
    told["no_regions"] = "given back by hand\x1b";
    for (const std::string& text : {idle_text(told), idle_summary_text(told)}) {
        EXPECT_NE(text.find("5 m 12 s\nno regions: given back by hand\\x1b\n\n"), std::string::npos)
            << text;
    }
    told["no_regions"] = nullptr;
    EXPECT_EQ(idle_text(told), idle_text(reply(idle())));
}

TEST(IdleView, FitsATerminal) {
    json wide = idle();
    wide["source"] = "generations";
    for (json& value : wide["percentiles_us"]) {
        value = 9'000'000'000'000;
    }
    std::istringstream lines(idle_text(reply(wide)));
    std::size_t widest = 0;
    for (std::string line; std::getline(lines, line);) {
        widest = std::max(widest, line.size());
    }
    EXPECT_LE(widest, 80U);
}

TEST(IdleView, SaysWhatIsUnwatchedEndedOrUnproven) {
    json young = idle();
    young["unwatched"] = 3;
    young["processes"] = 1;
    young["watched_us"] = 20'000'000;
    json gone = reply(young);
    gone["container"]["ended"] = true;
    const std::string text = idle_text(gone);
    EXPECT_NE(text.find("web (ended): by regions"), std::string::npos) << text;
    EXPECT_NE(text.find("\n1 process (3 unwatched), "), std::string::npos) << text;
    EXPECT_NE(text.find("used within 1 m, at most "), std::string::npos) << text;
    EXPECT_NE(text.find("watched for 20 s\n"), std::string::npos) << text;
}

TEST(IdleView, SaysWhyGenerationsTell) {
    json other = idle();
    other["source"] = "generations";
    other["choice"] = "only";
    other["processes"] = 0;
    const std::string text = idle_text(reply(other));
    EXPECT_EQ(text.substr(0, text.find("\n\n")),
              "web: by generations (no other sensor works for it), resolution 1 s, 3.46 s old\n"
              "93.75 % of 128.0 MiB seen, watched for 5 m 12 s");
    other["choice"] = "sees-more";
    EXPECT_NE(idle_text(reply(other)).find("generations (they see more of it), "),
              std::string::npos);
    other["choice"] = "watches-longer";
    EXPECT_NE(idle_text(reply(other)).find("generations (the other sensor has just begun), "),
              std::string::npos);
    other["cpu_us"] = 2500;
    EXPECT_NE(idle_text(reply(other)).find("watched for 5 m 12 s, 2.5 ms of CPU a look\n"),
              std::string::npos)
        << idle_text(reply(other));
    other["choice"] = "configured";
    EXPECT_NE(idle_text(reply(other)).find("generations (as configured), "), std::string::npos);
}

TEST(IdleView, SaysWhyPageCacheIsUnseen) {
    json hidden = idle();
    hidden["page_cache"] = "mglru";
    EXPECT_NE(idle_text(reply(hidden)).find("unseen: multi-generational LRU hides it\n"),
              std::string::npos);
    hidden["page_cache"] = "no-room";
    EXPECT_NE(idle_summary_text(reply(hidden)).find("unseen: other containers have more"),
              std::string::npos);
    hidden["unseen_bytes"] = 4096;
    EXPECT_EQ(idle_text(reply(hidden)).find("page cache"), std::string::npos);
    hidden = idle();
    hidden["page_cache"] = "little";
    EXPECT_EQ(idle_text(reply(hidden)).find("page cache"), std::string::npos);
}

TEST(IdleView, AReplyOfAnotherVersionStillPrints) {
    for (const json& odd :
         {json::object(), json{{"idle", 7}}, json{{"idle", {{"percentiles_us", {1, "x"}}}}},
          json{{"idle", {{"percentiles_us", {{"p50", 1}}}}}}, json{{"idle", {{"cold", {1, 2}}}}},
          json{{"idle", {{"percentiles_us", json::array({1e300})}, {"age_ms", 1e300}}}}}) {
        EXPECT_FALSE(idle_text(odd).empty()) << odd;
    }
}

TEST(IdleTime, BelowZeroIsUse) {
    EXPECT_EQ(idle_time(-12e6), "in use for 12 s");
    EXPECT_EQ(idle_time(0.0), "in use");
    EXPECT_EQ(idle_time(125e6), "2 m 5 s");
    EXPECT_EQ(idle_time(std::nullopt), "-");
}

TEST(InspectView, HasAShortSectionOfIdleTimes) {
    const std::string text = inspect_text({{"detail", {{"idle", idle()}}}}, 0);
    EXPECT_NE(text.find(R"(
idle time
  median            in use
  90th percentile   1 m 40 s
  cold for 10 s     72.0 MiB
  cold for 1 m      48.0 MiB
  cold for 2 m      2.0 MiB
  coverage          93.75 % of 128.0 MiB seen
  source            regions, resolution 1 s, 3.46 s old

policy
)"),
              std::string::npos)
        << text;
    EXPECT_EQ(inspect_text({{"detail", {{"idle", nullptr}}}}, 0).find("idle time\n"),
              std::string::npos);
}

} // namespace
} // namespace cgtide::cli
