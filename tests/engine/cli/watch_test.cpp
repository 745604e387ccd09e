#include "engine/cli/views.hpp"

#include <cstdlib>
#include <ctime>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace cgtide::cli {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::int64_t kAt = 1'767'236'639'000; // 2026-01-01 03:03:59

class WatchView : public testing::Test {
protected:
    WatchView() {
        ::setenv("TZ", "UTC", 1);
        ::tzset();
    }

    json reply{{"at_ms", kAt},
               {"rows", {{{"name", "web"}, {"ended", false}, {"source", "regions"}}}},
               {"container", {{"name", "web"}, {"ended", false}}},
               {"idle", {{"source", "regions"}, {"processes", 2}, {"unwatched", 0}}},
               {"no_idle", nullptr},
               {"entries", json::array()}};
};

TEST_F(WatchView, OfAllIsTheTimeAndTheTableOfFigures) {
    reply["container"] = nullptr;
    reply["idle"] = nullptr;
    EXPECT_EQ(watch_text(reply), "03:03:59\n" + stat_text(reply));
}

TEST_F(WatchView, OfOneIsFiguresIdleTimesAndDecisions) {
    const std::string text = watch_text(reply);
    EXPECT_EQ(text, "03:03:59\n" + stat_text(reply) + '\n' + idle_summary_text(reply) + '\n' +
                        explain_text(reply, kAt));
    EXPECT_THAT(text, HasSubstr("web: by regions, "));
    EXPECT_THAT(text, HasSubstr("IDLE FOR"));
    EXPECT_THAT(text, HasSubstr("no decision yet"));
    EXPECT_THAT(text, testing::Not(HasSubstr("PERCENTILE")));
}

TEST_F(WatchView, SaysWhyThereAreNoIdleTimes) {
    reply["idle"] = nullptr;
    reply["no_idle"] = "no sensor\x1b has told of web yet";
    EXPECT_THAT(watch_text(reply),
                HasSubstr("\nno idle times: no sensor\\x1b has told of web yet\n"));
}

TEST_F(WatchView, AReplyOfAnotherVersionStillPrints) {
    for (const json& odd : {json::object(), json{{"at_ms", 1e300}}, json{{"at_ms", "now"}},
                            json{{"container", {{"name", 1}}}, {"idle", 7}}}) {
        EXPECT_THAT(watch_text(odd), HasSubstr("NAME")) << odd;
    }
}

} // namespace
} // namespace cgtide::cli
