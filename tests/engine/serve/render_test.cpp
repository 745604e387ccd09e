#include "engine/serve/render.hpp"

#include <cerrno>
#include <limits>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace cgtide::serve {
namespace {

using model::InputKey;
using model::ReasonCode;
using nlohmann::json;

model::JournalEntry entry() {
    model::JournalEntry entry;
    entry.sequence = 3;
    entry.wall_ms = 1000;
    entry.last_ms = 7000;
    entry.repeats = 2;
    entry.app = model::AppName::reclaim;
    entry.acted = true;
    entry.ask = mebibytes(4);
    entry.reason = model::Reason(
        ReasonCode::reclaimed,
        {{InputKey::usage, 134217728.4}, {InputKey::memory_pressure, 0.25}, {InputKey::hold, 6e6}});
    model::Outcome outcome;
    outcome.asked = mebibytes(4);
    outcome.taken = mebibytes(3);
    outcome.wall = Microseconds{1500};
    outcome.cpu = Microseconds{700};
    outcome.end = model::OutcomeEnd::partial;
    entry.outcome = outcome;
    return entry;
}

TEST(Render, AnEntryCarriesReasonInputsWithUnitsAndText) {
    const json out = render(entry());
    EXPECT_EQ(out["app"], "reclaim");
    EXPECT_EQ(out["reason"], "reclaimed");
    EXPECT_EQ(out["text"], model::explain(entry().reason));
    EXPECT_EQ(out["inputs"], json::parse(R"({"usage_bytes":134217728,"memory_pressure_bp":0.25,
                                             "hold_us":6000000})"));
    EXPECT_TRUE(out["inputs"]["usage_bytes"].is_number_integer());
    EXPECT_EQ(out["outcome"], json::parse(R"({"asked_bytes":4194304,"taken_bytes":3145728,
        "wall_us":1500,"cpu_us":700,"end":"partial","error":null})"));
    EXPECT_EQ(out["repeats"], 2);
}

TEST(Render, AFailureSaysWhatTheKernelSaid) {
    model::JournalEntry failed = entry();
    failed.outcome->end = model::OutcomeEnd::failed;
    failed.outcome->error = EACCES;
    EXPECT_EQ(render(failed)["outcome"]["error"], "Permission denied");
    failed.outcome.reset();
    EXPECT_TRUE(render(failed)["outcome"].is_null());
}

TEST(Render, AnInputThatIsNoNumberIsNull) {
    model::JournalEntry odd = entry();
    odd.reason = model::Reason(ReasonCode::sensor,
                               {{InputKey::target, std::numeric_limits<double>::quiet_NaN()}});
    EXPECT_TRUE(render(odd)["inputs"]["target_bp"].is_null());
}

TEST(Render, WhatWasNotReadIsNullNeverZero) {
    const json summary = render(model::ContainerSummary{});
    for (const char* key : {"usage_bytes", "swap_bytes", "memory_pressure_bp", "last"}) {
        EXPECT_TRUE(summary.at(key).is_null()) << key;
    }
    EXPECT_EQ(summary["taken_bytes"], 0);
    model::ContainerDetail detail;
    EXPECT_TRUE(render(detail)["counters"].is_null());
    EXPECT_TRUE(render(detail)["rates"].is_null());
    detail.snapshot.emplace();
    const json counters = render(detail)["counters"];
    for (const char* key : {"anon_bytes", "memory_stall_us", "oom_kills", "swap_limit_bytes"}) {
        EXPECT_TRUE(counters.at(key).is_null()) << key;
    }
}

model::IdleFigures figures() {
    model::IdleFigures figures;
    figures.age = Microseconds{3'456'789};
    model::IdleSummary& idle = figures.summary;
    idle.resolution = Microseconds{1'000'000};
    idle.watched = Microseconds{30'000'000};
    idle.percentiles[0] = Microseconds{-12'000'000};
    idle.percentiles[100] = Microseconds{30'000'000};
    idle.cold = {{Microseconds{30'000'000}, mebibytes(2), Bytes{}, mebibytes(1)},
                 {Microseconds{60'000'000}, Bytes{}, Bytes{}}};
    idle.working_set = mebibytes(1);
    idle.seen = mebibytes(3);
    idle.unsure = mebibytes(2);
    idle.unseen = mebibytes(1);
    idle.processes = 2;
    idle.unwatched = 1;
    return figures;
}

TEST(Render, IdleTimesSayHowMuchTheyCoverAndHowOldTheyAre) {
    json out = render(figures());
    EXPECT_EQ(out["percentiles_us"].size(), 101U);
    EXPECT_EQ(out["percentiles_us"][0], -12'000'000);
    EXPECT_EQ(out["percentiles_us"][100], 30'000'000);
    out.erase("percentiles_us");
    EXPECT_EQ(out,
              json::parse(
                  R"({"source":"regions","choice":"preferred","age_ms":3456,"resolution_us":1000000,
        "watched_us":30000000,"cpu_us":null,"working_set_bytes":1048576,"working_set_window_us":60000000,
        "seen_bytes":3145728,"unsure_bytes":2097152,"unseen_bytes":1048576,"charged_bytes":4194304,"coverage_bp":7500.0,
        "processes":2,"unwatched":1,"page_cache":"off","cold":[
            {"age_us":30000000,"anon_bytes":2097152,"file_bytes":0,"unsure_bytes":1048576},
            {"age_us":60000000,"anon_bytes":null,"file_bytes":null,"unsure_bytes":null}]})"));
}

TEST(Render, CoverageOfNothingIsNull) {
    EXPECT_TRUE(render(model::IdleFigures{})["coverage_bp"].is_null());
}

TEST(Render, ADetailHasIdleTimesWhereASensorToldThem) {
    model::ContainerDetail detail;
    EXPECT_TRUE(render(detail)["idle"].is_null());
    detail.idle = figures();
    EXPECT_EQ(render(detail)["idle"], render(figures()));
}

TEST(Render, ARowHasIdleTimesInShort) {
    model::StatRow row;
    row.name = "web";
    EXPECT_TRUE(render(row)["cold_10s_bytes"].is_null());
    EXPECT_TRUE(render(row)["anon_bytes"].is_null());
    model::IdleSummary idle = figures().summary;
    idle.cold = {{Microseconds{10'000'000}, mebibytes(2), mebibytes(1)},
                 {Microseconds{60'000'000}, Bytes{}, Bytes{}}};
    row.idle = std::make_shared<const model::IdleSummary>(idle);
    row.idle_age = Microseconds{1'500'000};
    row.kinds.emplace().anon = mebibytes(3);
    const json out = render(row);
    EXPECT_EQ(out["cold_10s_bytes"], 3 << 20);
    EXPECT_TRUE(out["cold_1m_bytes"].is_null()) << "watched for 30 s alone";
    EXPECT_EQ(out["unseen_bp"], 2500.0);
    EXPECT_EQ(out["idle_age_ms"], 1500);
    EXPECT_EQ(out["anon_bytes"], 3 << 20);
    EXPECT_EQ(out["source"], "regions");
}

TEST(Render, APointOfThePastSaysWhatIsNotKnown) {
    model::HistoryPoint point;
    point.wall_ms = 1000;
    point.cold = {mebibytes(1), Bytes{}, Bytes{Bytes::kUnlimited}};
    EXPECT_EQ(render(point), json::parse(R"({"at_ms":1000,"usage_bytes":0,"working_set_bytes":0,
        "unseen_bytes":0,"median_idle_us":0,"memory_pressure_bp":0.0,"refaults_per_second":0.0,
        "cold_10s_bytes":1048576,"cold_1m_bytes":0,"cold_10m_bytes":null})"));
}

TEST(Render, NoLimitHasNoNumber) {
    model::ContainerDetail detail;
    detail.snapshot.emplace();
    detail.snapshot->swap_limit = Bytes{Bytes::kUnlimited};
    EXPECT_TRUE(render(detail)["counters"]["swap_limit_bytes"].is_null());
    detail.snapshot->swap_limit = mebibytes(1);
    EXPECT_EQ(render(detail)["counters"]["swap_limit_bytes"], 1048576);
}

TEST(Render, ADetailHasPolicyFaultsAndHandMadeChanges) {
    model::ContainerDetail detail;
    detail.policy.reclaim.keep = BasisPoints{500};
    detail.policy.faults = {{"cgtide.io/profile", "eager", "no grant", model::AppName::reclaim},
                            {"cgtide.io/nmae", "x", "did you mean cgtide.io/name?", {}}};
    detail.attached = {model::AppName::reclaim};
    const json out = render(detail);
    EXPECT_EQ(out["policy"]["keep_bp"], 500.0);
    EXPECT_TRUE(out["policy"]["keep_bytes"].is_null());
    EXPECT_EQ(out["policy"]["idle_us"], 120'000'000);
    EXPECT_EQ(out["policy"]["profile"]["name"], "default");
    EXPECT_EQ(out["faults"][0], json::parse(R"({"key":"cgtide.io/profile","value":"eager",
        "message":"no grant","app":"reclaim"})"));
    EXPECT_TRUE(out["faults"][1]["app"].is_null());
    EXPECT_EQ(out["attached"], json({"reclaim"}));
    EXPECT_EQ(out["detached"], json::array());
}

} // namespace
} // namespace cgtide::serve
