#include "engine/cli/views.hpp"
#include "tests/support/sizes.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace cgtide::cli {
namespace {

using nlohmann::json;

using test::kMiB;

json row(std::int64_t start_mib, std::int64_t size_mib, std::int64_t present_mib,
         std::int64_t seconds, const char* mapping) {
    return {{"start", start_mib * kMiB},
            {"end", (start_mib + size_mib) * kMiB},
            {"present_bytes", present_mib * kMiB},
            {"idle_us", seconds * 1'000'000},
            {"accesses", 0},
            {"mapping", mapping}};
}

json regions_reply(const json& regions) {
    return {{"container", {{"name", "web"}}},
            {"sample_us", 50'000},
            {"aggregation_us", 1'000'000},
            {"spaces",
             json::array({{{"key", 7}, {"pid", 42}, {"at_us", 9'000'000}, {"regions", regions}}})}};
}

TEST(RegionsView, IsAHeatMapByMapping) {
    EXPECT_EQ(
        regions_text(regions_reply({row(1, 4, 4, 5, "/usr/lib/a-library-of-a-long-name.so.6"),
                                    row(16, 8, 8, -30, "[heap]"), row(24, 8, 8, 30, "[heap]"),
                                    row(32, 8, 8, 300, "[heap]"), row(40, 8, 8, 3000, "[heap]"),
                                    row(4096, 1, 1, 0, "anon"), row(4097, 15, 0, 20, "anon")})),
        R"(web: 1 address space, looked at every 50 ms, told every 1 s
# in use, + idle under 10 s, - under 1 m, . under 10 m, _ longer, blank: not present

pid 42: 37.0 MiB present
START       PRESENT  HEAT                              MAPPING
100000      4.0 MiB  ++++++++++++++++++++++++++++++++  ...y-of-a-long-name.so.6
1000000    32.0 MiB  ########--------........________  [heap]
100000000   1.0 MiB  ##                                anon
)");
}

TEST(RegionsView, SumsUpWhatIsSmall) {
    json regions = json::array();
    for (int i = 0; i < 40; ++i) {
        regions.push_back(row(1 + 16 * i, 8, i < 8 ? 1 : 8, 0, "anon"));
    }
    const std::string text = regions_text(regions_reply(regions));
    EXPECT_NE(text.find("\nand 8 smaller ones: 8.0 MiB\n"), std::string::npos) << text;
}

TEST(RegionsView, AReplyOfAnotherVersionStillPrints) {
    EXPECT_NE(regions_text(json::object()).find("0 address spaces"), std::string::npos);
    EXPECT_NE(regions_text(regions_reply(json::array({json::object()}))).find("pid 42"),
              std::string::npos);
}

} // namespace
} // namespace cgtide::cli
