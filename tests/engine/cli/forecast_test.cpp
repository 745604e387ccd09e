#include "engine/cli/views.hpp"
#include "tests/support/sizes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace cgtide::cli {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

using test::kMiB;

json what_if_reply() {
    return {{"container", {{"name", "web"}}},
            {"what_if",
             {{"idle_us", 300'000'000},
              {"anon_bytes", 64 * kMiB},
              {"file_bytes", 20 * kMiB},
              {"kept_by_kind_bytes", 0},
              {"kept_by_floor_bytes", 0},
              {"floor_bytes", 16 * kMiB},
              {"unproven_bytes", 0},
              {"usage_bytes", 128 * kMiB}}}};
}

TEST(WhatIfText, SaysWhatWouldLeaveAndThatNothingDid) {
    EXPECT_EQ(what_if_text(what_if_reply()),
              "web: 84.0 MiB of 128.0 MiB would leave, idle for 5 m or longer: 64.0 MiB anonymous, "
              "20.0 MiB file\nnothing was touched\n");
}

TEST(WhatIfText, SaysWhatStaysAndWhy) {
    json reply = what_if_reply();
    reply["what_if"]["kept_by_kind_bytes"] = 3 * kMiB;
    reply["what_if"]["kept_by_floor_bytes"] = 4 * kMiB;
    reply["what_if"]["unproven_bytes"] = 5 * kMiB;
    const std::string text = what_if_text(reply);
    EXPECT_THAT(text, HasSubstr("kept by the floor of 16.0 MiB: 4.0 MiB\n"));
    EXPECT_THAT(text, HasSubstr("kept by reclaim.pages or for want of swap: 3.0 MiB\n"));
    EXPECT_THAT(text, HasSubstr("of unknown age: 5.0 MiB\n"));
}

TEST(SuggestText, SaysWhatItComesFrom) {
    const json reply{{"container", {{"name", "web"}}},
                     {"suggestion",
                      {{"request_bytes", 55 * kMiB},
                       {"limit_bytes", 120 * kMiB},
                       {"confidence", "medium"},
                       {"window_us", 1'800'000'000},
                       {"points", 31},
                       {"working_set_bytes", 40 * kMiB},
                       {"highest_usage_bytes", 100 * kMiB},
                       {"unseen_bytes", 10 * kMiB},
                       {"refaulted_bytes", 0}}}};
    EXPECT_EQ(suggest_text(reply),
              "web: request 55.0 MiB, limit 120.0 MiB (confidence medium)\n"
              "  over 30 m: working set at most 40.0 MiB, usage at most 100.0 MiB, unseen at most "
              "10.0 MiB,\n  came back within a minute at most 0 B\n");
}

TEST(SuggestText, AnOlderEngineStillPrints) {
    EXPECT_THAT(suggest_text(json::object()), HasSubstr("request -, limit -"));
    EXPECT_THAT(what_if_text(json::object()), Not(HasSubstr("kept")));
}

} // namespace
} // namespace cgtide::cli
