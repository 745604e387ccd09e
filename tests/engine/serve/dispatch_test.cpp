#include "engine/serve/dispatch.hpp"
#include "engine/wire/interface.hpp"
#include "tests/engine/serve/fake_control.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace cgtide::serve {
namespace {

using nlohmann::json;
namespace method = wire::method;
namespace error = wire::error;

class Dispatch : public testing::Test {
protected:
    wire::Reply ask(std::string_view name, const json& parameters, bool more = false) {
        boost::asio::io_context context;
        wire::Call call{std::string(name), parameters.dump()};
        call.more = more;
        auto reply = boost::asio::co_spawn(context, dispatch(control, std::move(call)),
                                           boost::asio::use_future);
        context.run();
        return reply.get();
    }
    json succeed(std::string_view name, const json& parameters) {
        const wire::Reply reply = ask(name, parameters);
        EXPECT_EQ(reply.error, "") << reply.parameters;
        return json::parse(reply.parameters);
    }
    void expect_invalid(std::string_view name, const json& parameters, std::string_view culprit) {
        const wire::Reply reply = ask(name, parameters);
        EXPECT_EQ(reply.error, error::kInvalidParameter) << parameters;
        EXPECT_EQ(json::parse(reply.parameters), json({{"parameter", culprit}})) << parameters;
    }
    static oci::Record record() {
        oci::Record record;
        record.id = "a1";
        record.bundle = "/b/a1";
        record.pid = 17;
        record.pid_start = 1234;
        record.cgroup_path = "/web/a1";
        record.cgroup = {4711};
        record.boot_id = "c0ffee00-0000-4000-8000-000000000000";
        record.annotations = {{"cgtide.io/apps", "stat"}};
        return record;
    }

    FakeControl control;
};

TEST_F(Dispatch, TellsRegions) {
    const json reply = succeed(method::kRegions, {{"name", "web"}});
    EXPECT_EQ(reply["container"]["name"], "web");
    EXPECT_EQ(reply["sample_us"], 50'000);
    EXPECT_EQ(reply["aggregation_us"], 1'000'000);
    EXPECT_EQ(reply["spaces"], json::parse(R"([{"key":7,"pid":42,"at_us":3000000,"regions":[
        {"start":4096,"end":12288,"present_bytes":4096,"idle_us":-5,"accesses":18,
         "mapping":"[heap]"}]}])"));
    EXPECT_EQ(control.asked, std::vector<std::string>{"mappings"});
    EXPECT_EQ(ask(method::kRegions, {{"name", "db"}}).error, error::kNoSuchContainer);
    expect_invalid(method::kRegions, {{"name", 1}}, "name");
    expect_invalid(method::kRecordRegions, {{"name", "web"}, {"period", 1}}, "period");
}

TEST_F(Dispatch, ARecordContinuesForWhoTakesMoreUntilTheContainerEnds) {
    EXPECT_FALSE(ask(method::kRecordRegions, {{"name", "web"}}).continues);
    EXPECT_TRUE(ask(method::kRecordRegions, {{"name", "web"}}, true).continues);
    EXPECT_EQ(control.asked, (std::vector<std::string>{"runs", "runs"}));
    control.most = 2;
    const wire::Reply last = ask(method::kRecordRegions, {{"name", "web"}}, true);
    EXPECT_EQ(last.error, error::kRefused);
    EXPECT_FALSE(last.continues);
}

TEST_F(Dispatch, AWatchTellsOfAllOrOfOne) {
    const json all = succeed(method::kWatch, json::object());
    EXPECT_EQ(all["rows"].size(), 2U); // those that ended too
    EXPECT_TRUE(all["container"].is_null());
    EXPECT_GT(all["at_ms"].get<std::int64_t>(), 0);
    const json one = succeed(method::kWatch, {{"name", "web"}, {"last", 3}});
    EXPECT_EQ(one["rows"][0]["name"], "web");
    EXPECT_EQ(one["container"]["name"], "web");
    EXPECT_EQ(one["idle"]["seen_bytes"], 3145728);
    EXPECT_TRUE(one["no_idle"].is_null());
    EXPECT_EQ(one["entries"].size(), 3U);
    EXPECT_EQ(succeed(method::kWatch, {{"name", "web"}})["entries"].size(), 5U);
}

TEST_F(Dispatch, AWatchContinuesForWhoTakesMoreUntilTheContainerEnds) {
    EXPECT_FALSE(ask(method::kWatch, {{"name", "web"}}).continues);
    EXPECT_TRUE(ask(method::kWatch, {{"name", "web"}}, true).continues);
    EXPECT_TRUE(ask(method::kWatch, json::object(), true).continues);
    control.ended = true;
    const wire::Reply last = ask(method::kWatch, {{"name", "web"}}, true);
    EXPECT_EQ(last.error, error::kRefused);
    EXPECT_FALSE(last.continues);
    EXPECT_EQ(json::parse(last.parameters),
              json({{"reason", "gone"},
                    {"message", "web has ended; cgtide explain web tells what was done for it"}}));
    EXPECT_EQ(ask(method::kWatch, {{"name", "nobody"}}, true).error, error::kNoSuchContainer);
}

TEST_F(Dispatch, APeriodOfAWatchIsBetweenASecondAndAnHour) {
    succeed(method::kWatch, {{"period_us", 1'000'000}});
    succeed(method::kWatch, {{"period_us", 3'600'000'000}});
    expect_invalid(method::kWatch, {{"period_us", 999'999}}, "period_us");
    expect_invalid(method::kWatch, {{"period_us", 3'600'000'001}}, "period_us");
    expect_invalid(method::kWatch, {{"period_us", -1}}, "period_us");
    expect_invalid(method::kWatch, {{"all", true}}, "all");
}

TEST_F(Dispatch, RegistersARecord) {
    const json reply =
        succeed(method::kRegister, {{"record", json::parse(oci::encode_record(record()))}});
    EXPECT_EQ(reply, json({{"name", "a1"}}));
    EXPECT_EQ(control.asked, std::vector<std::string>{"enroll a1"});
}

TEST_F(Dispatch, RefusesABadRecordByItsField) {
    json bad = json::parse(oci::encode_record(record()));
    bad["pid"] = "seventeen";
    const auto reply = ask(method::kRegister, {{"record", bad}});
    EXPECT_EQ(reply.error, error::kRefused);
    const json parameters = json::parse(reply.parameters);
    EXPECT_EQ(parameters["reason"], "malformed");
    EXPECT_NE(parameters["message"].get<std::string>().find("pid"), std::string::npos);
    EXPECT_TRUE(control.asked.empty());
}

TEST_F(Dispatch, NamesTheReasonOfARefusal) {
    const std::pair<Error, const char*> cases[] = {
        {{Errc::conflict, "register", "shared-cgroup: the root"}, "shared-cgroup"},
        {{Errc::conflict, "register", "key in use"}, "conflict"},
        {{Errc::gone, "register", "pid 17"}, "gone"},
        {{Errc::denied, "register", "x"}, "denied"},
        {{std::make_error_code(std::errc::io_error), "register", "x"}, "failed"},
    };
    for (const auto& [problem, reason] : cases) {
        control.enroll_error = problem;
        const auto reply =
            ask(method::kRegister, {{"record", json::parse(oci::encode_record(record()))}});
        EXPECT_EQ(reply.error, error::kRefused);
        EXPECT_EQ(json::parse(reply.parameters)["reason"], reason);
        EXPECT_EQ(json::parse(reply.parameters)["message"], problem.message());
    }
}

TEST_F(Dispatch, TellsFiguresOfAllOrOne) {
    EXPECT_EQ(succeed(method::kStat, json::object())["rows"].size(), 1U);
    EXPECT_EQ(succeed(method::kStat, {{"name", nullptr}, {"all", true}})["rows"].size(), 2U);
    const json one = succeed(method::kStat, {{"name", "web"}});
    EXPECT_EQ(one["rows"][0]["name"], "web");
    EXPECT_TRUE(one["rows"][0]["median_idle_us"].is_null());
    EXPECT_EQ(ask(method::kStat, {{"name", "nobody"}}).error, error::kNoSuchContainer);
    expect_invalid(method::kStat, {{"name", 7}}, "name");
    expect_invalid(method::kStat, {{"all", "x"}}, "all");
}

TEST_F(Dispatch, TellsHistory) {
    const json past = succeed(method::kHistory, {{"name", "web"}});
    EXPECT_EQ(past["points"].size(), 2U);
    EXPECT_EQ(past["container"]["name"], "web");
    EXPECT_EQ(ask(method::kHistory, {{"name", "nobody"}}).error, error::kNoSuchContainer);
    expect_invalid(method::kHistory, json::object(), "name");
}

TEST_F(Dispatch, Unregisters) {
    succeed(method::kUnregister, {{"id", "web"}, {"bundle", "/b/web"}});
    EXPECT_EQ(control.asked, std::vector<std::string>{"retire web /b/web"});
    EXPECT_EQ(ask(method::kUnregister, {{"id", "x"}, {"bundle", "/b"}}).error,
              error::kNoSuchContainer);
}

TEST_F(Dispatch, ListsContainersAndRefusedRecords) {
    const json reply = succeed(method::kList, json::object());
    ASSERT_EQ(reply["containers"].size(), 1U);
    EXPECT_EQ(reply["containers"][0]["name"], "web");
    EXPECT_EQ(reply["refused"][0]["reason"], "shared-cgroup");
    EXPECT_EQ(succeed(method::kList, {{"all", true}})["containers"].size(), 2U);
    EXPECT_EQ(succeed(method::kList, {{"all", nullptr}})["containers"].size(), 1U);
}

TEST_F(Dispatch, InspectsAndExplains) {
    EXPECT_EQ(succeed(method::kInspect, {{"name", "web"}})["detail"]["container"]["cgroup"], 4711);
    const json told = succeed(method::kExplain, {{"name", "web"}, {"last", 3}});
    EXPECT_EQ(told["entries"].size(), 3U);
    EXPECT_EQ(told["dropped"], 7);
    EXPECT_EQ(succeed(method::kExplain, {{"name", "web"}})["entries"].size(), 0U);
}

TEST_F(Dispatch, TellsIdleTimes) {
    const json reply = succeed(method::kIdle, {{"name", "web"}});
    EXPECT_EQ(reply["container"]["name"], "web");
    EXPECT_EQ(reply["idle"]["seen_bytes"], 3145728);
}

TEST_F(Dispatch, SaysWhyThereAreNoIdleTimes) {
    const auto reply = ask(method::kIdle, {{"name", "blind"}});
    EXPECT_EQ(reply.error, error::kRefused);
    EXPECT_EQ(json::parse(reply.parameters),
              json({{"reason", "no-idle-view"}, {"message", "no sensor has told of blind yet"}}));
}

TEST_F(Dispatch, TellsWhatWouldLeave) {
    const json own = succeed(method::kWhatIf, {{"name", "web"}});
    EXPECT_EQ(own["container"]["name"], "web");
    EXPECT_EQ(own["what_if"]["idle_us"], 120'000'000);
    EXPECT_EQ(own["what_if"]["anon_bytes"], 3145728);
    const json other = succeed(method::kWhatIf, {{"name", "web"}, {"idle_us", 5}});
    EXPECT_EQ(other["what_if"]["idle_us"], 5);
    expect_invalid(method::kWhatIf, {{"name", "web"}, {"idle_us", -5}}, "idle_us");
    EXPECT_EQ(ask(method::kWhatIf, {{"name", "db"}}).error, error::kNoSuchContainer);
}

TEST_F(Dispatch, TellsTiersAndWhatContainersHaveInThem) {
    const json reply = succeed(method::kTiers, json::object());
    EXPECT_EQ(reply, json::parse(R"({"flat":null,"strays":"node 2","tiers":[
        {"rank":4,"nodes":[{"id":0,"has_cpus":true,"total_bytes":1073741824,"free_bytes":10485760}]},
        {"rank":450,"nodes":[{"id":1,"has_cpus":false,"total_bytes":2147483648,"free_bytes":null}]}],
        "uses":[{"name":"db","id":"b2","tier_bytes":null,"share":null},
                {"name":"web","id":"a1","tier_bytes":[1048576,2097152],"share":{"low_bytes":1048576,
                 "high_bytes":null,"target_bytes":null,"hot_bytes":4194304,"hot_fast_bytes":3145728,
                 "promoted_bytes":5242880,"demoted_bytes":6291456,"returned_bytes":7340032}}]})"));
    expect_invalid(method::kTiers, {{"all", true}}, "all");
}

TEST_F(Dispatch, SuggestsOrSaysThatTooLittleIsKnown) {
    const json reply = succeed(method::kSuggest, {{"name", "web"}});
    EXPECT_EQ(reply["suggestion"]["request_bytes"], 5242880);
    EXPECT_EQ(reply["suggestion"]["confidence"], "medium");
    const auto refused = ask(method::kSuggest, {{"name", "young"}});
    EXPECT_EQ(refused.error, error::kRefused);
    EXPECT_EQ(json::parse(refused.parameters)["reason"], "no-history");
}

TEST_F(Dispatch, AttachesAndDetaches) {
    succeed(method::kAttach, {{"name", "web"}, {"app", "reclaim"}});
    succeed(method::kDetach, {{"name", "web"}, {"app", "stat"}});
    EXPECT_EQ(control.asked, (std::vector<std::string>{"attach web reclaim", "detach web stat"}));
    const auto denied = ask(method::kAttach, {{"name", "forbidden"}, {"app", "reclaim"}});
    EXPECT_EQ(denied.error, error::kRefused);
    EXPECT_EQ(json::parse(denied.parameters)["reason"], "denied");
}

TEST_F(Dispatch, ReleasesDamonOnceAndSaysSoFromThenOn) {
    EXPECT_TRUE(succeed(method::kIdle, {{"name", "web"}})["no_regions"].is_null());
    expect_invalid(method::kReleaseDamon, {{"force", true}}, "force");
    EXPECT_EQ(succeed(method::kReleaseDamon, json::object()),
              json({{"done", "started again: damon_stat"}}));
    const auto again = ask(method::kReleaseDamon, json::object());
    EXPECT_EQ(again.error, error::kRefused);
    EXPECT_EQ(json::parse(again.parameters),
              json({{"reason", "no-damon"}, {"message", "given back by hand"}}));
    EXPECT_EQ(succeed(method::kIdle, {{"name", "web"}})["no_regions"], "given back by hand");
    EXPECT_EQ(succeed(method::kWatch, {{"name", "web"}})["no_regions"], "given back by hand");
    EXPECT_EQ(control.asked, (std::vector<std::string>{"release", "release"}));
}

TEST_F(Dispatch, PausesAndResumesTheNode) {
    EXPECT_EQ(succeed(method::kList, json::object())["paused"], false);
    EXPECT_EQ(succeed(method::kPause, json::object()), json({{"under_way", 1}}));
    EXPECT_EQ(succeed(method::kList, json::object())["paused"], true);
    EXPECT_EQ(succeed(method::kResume, json::object()), json::object());
    EXPECT_EQ(succeed(method::kList, json::object())["paused"], false);
    expect_invalid(method::kPause, {{"name", "web"}}, "name");
    expect_invalid(method::kResume, {{"all", true}}, "all");
    EXPECT_EQ(control.asked, (std::vector<std::string>{"pause", "resume"}));
}

TEST_F(Dispatch, APauseThatCannotBeKeptIsRefused) {
    control.full = true;
    for (const auto name : {method::kPause, method::kResume}) {
        const auto reply = ask(name, json::object());
        EXPECT_EQ(reply.error, error::kRefused);
        EXPECT_EQ(json::parse(reply.parameters)["reason"], "failed");
    }
}

TEST_F(Dispatch, TellsCapabilities) {
    const json reply = succeed(method::kCapabilities, json::object());
    EXPECT_EQ(reply["capabilities"][0]["name"], "memory.reclaim");
    EXPECT_EQ(reply["capabilities"][0]["required"], true);
}

TEST_F(Dispatch, ListsTheMatchesOfAnAmbiguousName) {
    for (const auto name : {method::kInspect, method::kExplain, method::kIdle}) {
        const auto reply = ask(name, {{"name", "w"}});
        EXPECT_EQ(reply.error, error::kAmbiguousName);
        EXPECT_EQ(json::parse(reply.parameters),
                  json({{"name", "w"}, {"matches", {"web", "web2"}}}));
    }
    EXPECT_EQ(ask(method::kAttach, {{"name", "w"}, {"app", "stat"}}).error, error::kAmbiguousName);
    EXPECT_EQ(ask(method::kInspect, {{"name", "q"}}).error, error::kNoSuchContainer);
    EXPECT_EQ(ask(method::kIdle, {{"name", "q"}}).error, error::kNoSuchContainer);
}

TEST_F(Dispatch, NamesTheParameterThatIsWrong) {
    expect_invalid(method::kInspect, json::object(), "name");
    expect_invalid(method::kInspect, {{"name", 1}}, "name");
    expect_invalid(method::kInspect, {{"name", "web"}, {"extra", 1}}, "extra");
    expect_invalid(method::kExplain, {{"name", "web"}, {"last", -1}}, "last");
    expect_invalid(method::kExplain, {{"name", "web"}, {"last", "5"}}, "last");
    expect_invalid(method::kIdle, json::object(), "name");
    expect_invalid(method::kIdle, {{"name", "web"}, {"extra", 1}}, "extra");
    expect_invalid(method::kList, {{"all", "yes"}}, "all");
    expect_invalid(method::kAttach, {{"name", "web"}, {"app", "fly"}}, "app");
    expect_invalid(method::kAttach, {{"app", "stat"}}, "name");
    expect_invalid(method::kRegister, {{"record", "text"}}, "record");
    expect_invalid(method::kUnregister, {{"id", "a"}}, "bundle");
    expect_invalid(method::kCapabilities, {{"x", 1}}, "x");
    EXPECT_TRUE(control.asked.empty());
}

} // namespace
} // namespace cgtide::serve
