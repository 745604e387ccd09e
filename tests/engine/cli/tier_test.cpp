#include "engine/cli/views.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace cgtide::cli {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

TEST(TierText, ShowsTiersAndWhatContainersHaveInThem) {
    const json reply = json::parse(R"({"flat":null,"strays":"node 2","tiers":[
        {"rank":4,"nodes":[{"id":0,"has_cpus":true,"total_bytes":1073741824,"free_bytes":10485760}]},
        {"rank":450,"nodes":[{"id":1,"has_cpus":false,"total_bytes":2147483648,"free_bytes":null}]}],
        "uses":[{"name":"d\u001bb","id":"b2","tier_bytes":null,"share":null},
                {"name":"web","id":"a1","tier_bytes":[50331648,2097152],"share":{"low_bytes":0,
                 "high_bytes":1073741824,"target_bytes":62914560,"hot_bytes":48234496,
                 "hot_fast_bytes":47185920,"promoted_bytes":48234496,"demoted_bytes":67108864,
                 "returned_bytes":1048576}}]})");
    EXPECT_EQ(tier_text(reply),
              "TIER  NODES           SIZE      FREE\n"
              "1     0            1.0 GiB  10.0 MiB\n"
              "2     1 (no CPUs)  2.0 GiB         -\n"
              "left alone: node 2, which the kernel has in no tier\n"
              "\n"
              "NAME      TIER 1   TIER 2  LOW     HIGH    TARGET       HOT  HOT IN TIER 1  "
              "      UP      DOWN     BACK\n"
              "d\\x1bb         -        -    -        -         -         -              -  "
              "       -         -        -\n"
              "web     48.0 MiB  2.0 MiB  0 B  1.0 GiB  60.0 MiB  46.0 MiB       45.0 MiB  "
              "46.0 MiB  64.0 MiB  1.0 MiB\n");
}

TEST(TierText, SaysWhyThereIsNothingToChooseBetween) {
    const json reply = json::parse(R"({"flat":"one NUMA node has all memory","strays":null,
        "tiers":[],"uses":[]})");
    EXPECT_THAT(tier_text(reply), HasSubstr("no tiers to choose between: one NUMA node"));
}

TEST(TierText, AnOlderEngineStillPrints) {
    EXPECT_THAT(tier_text(json::object()), HasSubstr("NAME"));
}

} // namespace
} // namespace cgtide::cli
