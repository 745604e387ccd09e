#include "engine/cli/record.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <zlib.h>

namespace cgtide::cli {
namespace {

using nlohmann::json;

json row(std::int64_t start, std::int64_t end, std::int64_t idle_us, int accesses) {
    return {{"start", start},     {"end", end},           {"present_bytes", end - start},
            {"idle_us", idle_us}, {"accesses", accesses}, {"mapping", ""}};
}

json reply(std::int64_t at_us, const json& regions, int key = 7) {
    return {{"container", {{"name", "web"}}},
            {"sample_us", 50'000},
            {"aggregation_us", 1'000'000},
            {"spaces",
             json::array({{{"key", key}, {"pid", 42}, {"at_us", at_us}, {"regions", regions}}})}};
}

TEST(Recording, IsAListOfRecordsAsDamoHasThem) {
    Recording recording;
    recording.add(
        reply(9'000'000, {row(4096, 12288, -3'000'000, 15), row(12288, 16384, 5'400'000, 0)}));
    ASSERT_EQ(recording.targets(), 1U);
    EXPECT_EQ(recording.records(), json::parse(R"([{
        "kdamond_idx": 0, "context_idx": 0, "scheme_idx": null, "target_id": 7,
        "intervals": {"sample_us": 50000, "aggr_us": 1000000, "ops_update_us": 1000000},
        "scheme_filters": [], "data_source": "unknown",
        "snapshots": [{
            "start_time": 8000000000, "end_time": 9000000000, "total_bytes": 12288,
            "damos_stats": null, "sample_interval_us": null,
            "regions": [
                {"start": 4096, "end": 12288, "sz_filter_passed": 0, "probe_hits": [],
                 "nr_accesses": {"samples": 15.0, "percent": 75.0},
                 "age": {"usec": 3000000, "aggr_intervals": 3}},
                {"start": 12288, "end": 16384, "sz_filter_passed": 0, "probe_hits": [],
                 "nr_accesses": {"samples": 0.0, "percent": 0.0},
                 "age": {"usec": 4400000, "aggr_intervals": 4}}]}]}])"));
}

TEST(Recording, WhatIsIdleHasNoAccessesAndWhatIsInUseHasOneAtLeast) {
    Recording recording;
    recording.add(reply(9'000'000, {row(4096, 8192, 200'000, 3), row(8192, 12288, 0, 0)}));
    const json& regions = recording.records()[0]["snapshots"][0]["regions"];
    EXPECT_EQ(regions[0]["nr_accesses"]["samples"], 0.0);
    EXPECT_EQ(regions[0]["age"]["usec"], 0);
    EXPECT_EQ(regions[1]["nr_accesses"]["samples"], 1.0);
    EXPECT_EQ(regions[1]["nr_accesses"]["percent"], 5.0);
}

TEST(Recording, CountsAreOfTheRecordsIntervalAlsoAfterItChanged) {
    Recording recording;
    recording.add(reply(9'000'000, json::array({row(4096, 8192, 0, 12)})));
    json slower = reply(10'000'000, json::array({row(4096, 8192, 0, 4)}));
    slower["sample_us"] = 200'000;
    recording.add(slower);
    const json& record = recording.records()[0];
    EXPECT_EQ(record["intervals"]["sample_us"], 50'000);
    const json& counts = record["snapshots"][1]["regions"][0]["nr_accesses"];
    EXPECT_EQ(counts["samples"], 16.0);
    EXPECT_EQ(counts["percent"], 80.0);
}

TEST(Recording, TakesEachAggregationOfASpaceOnce) {
    Recording recording;
    recording.add(reply(9'000'000, json::array({row(4096, 8192, 0, 1)})));
    recording.add(reply(9'000'000, json::array({row(4096, 8192, 0, 1)})));
    recording.add(reply(10'000'000, json::array({row(4096, 8192, 0, 1)})));
    recording.add(reply(10'000'000, json::array({row(4096, 8192, 0, 1)}), 8));
    EXPECT_EQ(recording.snapshots(), 3U);
    EXPECT_EQ(recording.targets(), 2U);
    EXPECT_EQ(recording.records()[0]["snapshots"].size(), 2U);
    EXPECT_EQ(recording.records()[1]["target_id"], 8);
}

TEST(Recording, IsCompressedByZlib) {
    Recording recording;
    recording.add(reply(9'000'000, json::array({row(4096, 8192, 0, 1)})));
    const std::string file = recording.compressed();
    std::string text(65536, '\0');
    uLongf size = text.size();
    ASSERT_EQ(::uncompress(reinterpret_cast<Bytef*>(text.data()), &size,
                           reinterpret_cast<const Bytef*>(file.data()), file.size()),
              Z_OK);
    EXPECT_EQ(json::parse(text.substr(0, size)), recording.records());
}

TEST(Recording, AReplyOfAnotherVersionIsTakenAsFarAsItGoes) {
    Recording recording;
    recording.add(json::object());
    EXPECT_EQ(recording.snapshots(), 0U);
    recording.add({{"spaces", json::array({{{"regions", json::array({json::object()})}}})}});
    EXPECT_EQ(recording.snapshots(), 1U);
}

} // namespace
} // namespace cgtide::cli
