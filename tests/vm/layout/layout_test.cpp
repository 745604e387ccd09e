#include "tests/support/temp_dir.hpp"
#include "tests/vm/layout/plan.hpp"
#include "tests/vm/layout/segment.hpp"
#include "tests/vm/layout/truth.hpp"

#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cgtide::layout {
namespace {

using testing::HasSubstr;

Result<Plan> parse(std::vector<const char*> arguments) {
    return parse_plan(arguments);
}

std::string fault_of(std::vector<const char*> arguments) {
    const auto plan = parse(std::move(arguments));
    return plan ? "no fault" : plan.error().detail;
}

TEST(LayoutPlan, TakesProcessesAndTheirSegments) {
    const auto plan = parse({"--report", "/out/r", "--sample", "1s", "anon:4KiB:hot",
                             "file:8KiB:never:/f", "fork", "shared:0:every=5"});
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->report, "/out/r");
    EXPECT_EQ(plan->sample, std::chrono::seconds(1));
    ASSERT_EQ(plan->processes.size(), 2U);
    ASSERT_EQ(plan->processes[0].size(), 2U);
    EXPECT_EQ(plan->processes[0][0].use, (Use{true, {}}));
    EXPECT_EQ(plan->processes[0][1].kind, Kind::file);
    EXPECT_EQ(plan->processes[0][1].path, "/f");
    EXPECT_FALSE(plan->processes[0][1].use.ever);
    EXPECT_EQ(plan->processes[1][0].of, 0U);
    EXPECT_EQ(plan->processes[1][0].size, kibibytes(4));
    EXPECT_EQ(plan->processes[1][0].use, (Use{true, std::chrono::seconds(5)}));
}

TEST(LayoutPlan, NamesTheArgumentAtFault) {
    EXPECT_THAT(fault_of({}), HasSubstr("no segments"));
    EXPECT_THAT(fault_of({"anon:4KiB:hot", "fork"}), HasSubstr("no segments"));
    EXPECT_THAT(fault_of({"warm:4KiB:hot"}), HasSubstr("warm:4KiB:hot"));
    EXPECT_THAT(fault_of({"anon:5000:hot"}), HasSubstr("5000"));
    EXPECT_THAT(fault_of({"anon:0:hot"}), HasSubstr("0"));
    EXPECT_THAT(fault_of({"anon:4KiB:often"}), HasSubstr("often"));
    EXPECT_THAT(fault_of({"anon:4KiB:every=1"}), HasSubstr("every=1"));
    EXPECT_THAT(fault_of({"anon:4KiB"}), HasSubstr("anon:4KiB"));
    EXPECT_THAT(fault_of({"file:4KiB:hot"}), HasSubstr("file:4KiB:hot"));
    EXPECT_THAT(fault_of({"shared:0:hot"}), HasSubstr("shared:0:hot"));
    EXPECT_THAT(fault_of({"anon:4KiB:hot", "fork", "shared:1:hot"}), HasSubstr("shared:1"));
    EXPECT_THAT(fault_of({"thp:2MiB:hot", "fork", "shared:0:hot"}), HasSubstr("shared:0"));
    EXPECT_THAT(fault_of({"--report"}), HasSubstr("--report"));
    EXPECT_THAT(fault_of({"--sample", "1us"}), HasSubstr("--sample"));
}

Spec spec_of(Kind kind, Use use = {true, {}}) {
    return {kind, kibibytes(64), use, {}, 0};
}

TEST(LayoutUse, IsAlwaysNeverOrTheFirstSecondOfAPeriod) {
    using namespace std::chrono_literals;
    const Use each_five{true, 5s};
    EXPECT_TRUE(in_use({true, {}}, 100s, 105s));
    EXPECT_FALSE(in_use({}, 100s, 100s));
    EXPECT_TRUE(in_use(each_five, 100s, 105s + 999ms));
    EXPECT_FALSE(in_use(each_five, 100s, 106s));
    EXPECT_EQ(next_use(spec_of(Kind::anon), 100s, 105s), 105s + kPause);
    EXPECT_EQ(next_use(spec_of(Kind::read), 100s, 105s), 106s);
    EXPECT_EQ(next_use(spec_of(Kind::anon, each_five), 100s, 107s), 110s);
    EXPECT_EQ(next_use(spec_of(Kind::anon, each_five), 100s, 105s), 105s + kPause);
    EXPECT_EQ(next_use(spec_of(Kind::anon, {}), 100s, 105s), Nanoseconds::max());
}

std::uint64_t present_of(const Segment& segment) {
    const auto pagemap = workload::Pagemap::open_own();
    Truth truth;
    EXPECT_TRUE(pagemap && segment.count(*pagemap, truth));
    return truth.present;
}

TEST(LayoutSegment, CountsWhatItFilled) {
    for (const Kind kind : {Kind::anon, Kind::sparse, Kind::shm}) {
        auto segment = Segment::make(spec_of(kind));
        ASSERT_TRUE(segment) << to_string(kind);
        EXPECT_EQ(present_of(*segment), kibibytes(64).count) << to_string(kind);
        EXPECT_TRUE(segment->use());
        EXPECT_EQ(present_of(*segment), kibibytes(64).count) << to_string(kind);
        EXPECT_EQ(present_of(Segment::inherited(*segment)),
                  kind == Kind::sparse ? kibibytes(64).count : present_of(*segment));
    }
}

TEST(LayoutSegment, CountsFilesInThePageCache) {
    const test::TempDir folder;
    for (const Kind kind : {Kind::file, Kind::read, Kind::borrowed}) {
        Spec spec = spec_of(kind);
        spec.path = folder.path() + "/data"; // the last one borrows what the others made
        auto segment = Segment::make(spec);
        ASSERT_TRUE(segment) << to_string(kind);
        EXPECT_EQ(present_of(*segment), kibibytes(64).count) << to_string(kind);
        EXPECT_TRUE(segment->use());
    }
}

TEST(LayoutSegment, CannotBorrowWhatIsNotThere) {
    Spec spec = spec_of(Kind::borrowed);
    spec.path = "/nonexistent/data";
    EXPECT_FALSE(Segment::make(spec));
}

TEST(LayoutTruth, TellsSharedMemoryOnceByTheYoungerUse) {
    const auto truths = TruthTable::make(3);
    ASSERT_TRUE(truths);
    const std::vector<Spec> specs{
        spec_of(Kind::anon), spec_of(Kind::shared), {Kind::borrowed, kibibytes(64), {}, "/f", 0}};
    (*truths)[0].used_ns = 1'000'000'000;
    (*truths)[0].present = 4096;
    (*truths)[1].used_ns = 2'000'000'000;
    (*truths)[2].present = 8192;
    EXPECT_EQ(format_line("sample", std::chrono::milliseconds(3500), specs, *truths),
              R"({"event":"sample","t_ms":3500,"parts":[)"
              R"({"segment":0,"kind":"anon","file":false,"charged":true,"path":"",)"
              R"("used_ms":2000,"bytes":4096},)"
              R"({"segment":2,"kind":"borrowed","file":true,"charged":false,"path":"/f",)"
              R"("used_ms":0,"bytes":8192}]})"
              "\n");
}

TEST(LayoutTruth, AHugePageIsUsedAsAWhole) {
    const auto truths = TruthTable::make(1);
    ASSERT_TRUE(truths);
    const std::vector<Spec> specs{{Kind::thp, mebibytes(6), {true, {}}, {}, 0}};
    (*truths)[0].filled_ns = 1'000'000'000;
    (*truths)[0].used_ns = 5'000'000'000;
    (*truths)[0].present = mebibytes(6).count;
    (*truths)[0].huge = mebibytes(4).count;
    const std::string line = format_line("sample", std::chrono::seconds(6), specs, *truths);
    EXPECT_THAT(line, HasSubstr(R"("used_ms":5000,"bytes":4198400)")); // 4 MiB and a page
    EXPECT_THAT(line, HasSubstr(R"("used_ms":1000,"bytes":2093056)"));
}

} // namespace
} // namespace cgtide::layout
