#include "engine/cli/views.hpp"

#include <cstdlib>
#include <ctime>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace cgtide::cli {
namespace {

using nlohmann::json;

/// 2026-01-02 03:04:05 UTC.
constexpr std::int64_t kNow = 1'767'323'045'000;

json entry() {
    return {{"sequence", 9},
            {"first_ms", kNow - 6000},
            {"last_ms", kNow - 6000},
            {"repeats", 1},
            {"app", "reclaim"},
            {"acted", true},
            {"actuator", "memory.reclaim"},
            {"ask_bytes", 4194304},
            {"reason", "reclaimed"},
            {"inputs",
             {{"usage_bytes", 134217728},
              {"floor_bytes", 16777216},
              {"memory_pressure_bp", 1.5},
              {"target_bp", 10.0},
              {"carried_bytes", -4096}}},
            {"text", "asked 4.0 MiB of 128.0 MiB"},
            {"outcome",
             {{"asked_bytes", 4194304},
              {"taken_bytes", 3145728},
              {"wall_us", 12000},
              {"cpu_us", 3000},
              {"end", "partial"},
              {"error", nullptr}}}};
}

json web() {
    return {{"name", "web"},
            {"id", "0123456789abcdef0123"},
            {"cgroup", 4711},
            {"path", "/web/a1"},
            {"apps", {"stat", "reclaim"}},
            {"ended", false},
            {"dry_run", false},
            {"usage_bytes", 134217728},
            {"swap_bytes", 1048576},
            {"memory_pressure_bp", 1.5},
            {"taken_bytes", 100663296},
            {"registered_ms", kNow - 185000},
            {"faults", 0},
            {"last", entry()}};
}

class View : public testing::Test {
protected:
    void SetUp() override {
        ::setenv("TZ", "UTC", 1);
        ::tzset();
    }
};

TEST_F(View, PsIsATableWithNotesBelow) {
    json db = {{"name", "db"},         {"id", "b2"},      {"apps", json::array()},
               {"ended", true},        {"dry_run", true}, {"usage_bytes", nullptr},
               {"taken_bytes", 0},     {"faults", 2},     {"last", nullptr},
               {"swap_bytes", nullptr}};
    const json reply = {{"containers", {web(), db}},
                        {"refused",
                         {{{"key", "00000000000000aa"},
                           {"name", ""},
                           {"reason", "newer-version"},
                           {"message", "version 9"}}}}};
    EXPECT_EQ(
        ps_text(reply, kNow),
        R"(NAME                  ID            APPS              USAGE     SWAP     PSI     TAKEN  LAST
web                   0123456789ab  stat,reclaim  128.0 MiB  1.0 MiB  0.01 %  96.0 MiB  reclaimed 3.0 MiB, 6 s ago
db (ended) (dry run)  b2            -                     -        -       -       0 B  -

db: 2 annotations are refused; see cgtide inspect db
refused 00000000000000aa (newer-version): version 9
)");
}

TEST_F(View, PsSaysThatTheNodeIsPausedAndHowToGoOn) {
    json reply = {{"containers", json::array()}, {"paused", true}};
    EXPECT_EQ(ps_text(reply, kNow),
              "NAME  ID  APPS  USAGE  SWAP  PSI  TAKEN  LAST\n\n"
              "paused: nothing is reclaimed on this node until cgtide resume\n");
    reply["paused"] = false;
    EXPECT_EQ(ps_text(reply, kNow), "NAME  ID  APPS  USAGE  SWAP  PSI  TAKEN  LAST\n");
}

TEST_F(View, PsOfNothingIsItsTitle) {
    EXPECT_EQ(ps_text({{"containers", json::array()}}, kNow),
              "NAME  ID  APPS  USAGE  SWAP  PSI  TAKEN  LAST\n");
}

TEST_F(View, ExplainShowsEachOfWhatALimitHoldsBesideIt) {
    for (const char* key : {"refault_bytes", "returned_bytes", "growth_bytes", "carried_bytes",
                            "foreign_mapped_bytes", "swap_free_bytes"}) {
        json kept = entry();
        kept["inputs"] = {{key, 2097152}, {"limit_bytes", 1048576}};
        const json reply = {{"container", web()}, {"entries", {kept}}, {"dropped", 0}};
        EXPECT_THAT(explain_text(reply, kNow), testing::HasSubstr(" 2.0 MiB (limit 1.0 MiB)\n"))
            << key;
    }
}

TEST_F(View, ExplainShowsNumbersBesideTheirThresholds) {
    json kept = entry();
    kept["reason"] = "pressure";
    kept["text"] = "kept 128.0 MiB: memory pressure 0.34 % over 0.10 %";
    kept["inputs"] = {{"memory_pressure_bp", 34.0}, {"target_bp", 10.0}, {"hold_us", 6000000}};
    kept["repeats"] = 3;
    kept["acted"] = false;
    kept["outcome"] = nullptr;
    kept["first_ms"] = kNow - 86'400'000;
    json running = entry();
    running["outcome"] = nullptr;
    json failed = entry();
    failed["outcome"]["end"] = "failed";
    failed["outcome"]["error"] = "Permission denied";
    const json reply = {
        {"container", web()}, {"entries", {kept, entry(), running, failed}}, {"dropped", 12}};
    EXPECT_EQ(explain_text(reply, kNow), R"(web: 96.0 MiB taken since registration, usage 128.0 MiB
12 older decisions are not kept any more
2026-01-01 03:04:05  reclaim  pressure: kept 128.0 MiB: memory pressure 0.34 % over 0.10 %
    memory pressure 0.34 % (target 0.10 %), hold 6 s
    3 times until 03:03:59
03:03:59  reclaim  reclaimed: asked 4.0 MiB of 128.0 MiB
    memory pressure 0.01 % (target 0.10 %), usage 128.0 MiB (floor 16.0 MiB), carried -4.0 KiB
    -> took 3.0 MiB of 4.0 MiB by memory.reclaim in 12 ms (3 ms of CPU): partial
03:03:59  reclaim  reclaimed: asked 4.0 MiB of 128.0 MiB
    memory pressure 0.01 % (target 0.10 %), usage 128.0 MiB (floor 16.0 MiB), carried -4.0 KiB
    -> in progress
03:03:59  reclaim  reclaimed: asked 4.0 MiB of 128.0 MiB
    memory pressure 0.01 % (target 0.10 %), usage 128.0 MiB (floor 16.0 MiB), carried -4.0 KiB
    -> took 3.0 MiB of 4.0 MiB by memory.reclaim in 12 ms (3 ms of CPU): failed, Permission denied
)");
}

TEST_F(View, ExplainOfNothingSaysSo) {
    EXPECT_EQ(
        explain_text({{"container", web()}, {"entries", json::array()}, {"dropped", 0}}, kNow),
        "web: 96.0 MiB taken since registration, usage 128.0 MiB\nno decision yet\n");
}

TEST_F(View, InspectShowsPolicyAndFaults) {
    const json reply = {
        {"detail",
         {{"container", web()},
          {"bundle", "/b/a1"},
          {"pid", 17},
          {"policy",
           {{"profile",
             {{"name", "default"},
              {"ratio", 0.0005},
              {"max_bp", 100.0},
              {"period_us", 6000000},
              {"cpu_bp", 100.0}}},
            {"pressure_bp", 10.0},
            {"idle_us", 120000000},
            {"keep_bytes", nullptr},
            {"keep_bp", 500.0},
            {"pages", "all"},
            {"fast_low", {{"bytes", 0}, {"bp", nullptr}}},
            {"fast_high", {{"bytes", nullptr}, {"bp", 6000.0}}}}},
          {"attached", {"reclaim"}},
          {"detached", json::array()},
          {"counters",
           {{"anon_bytes", 100000000},
            {"file_bytes", 30000000},
            {"min_bytes", 0},
            {"low_bytes", 1048576},
            {"major_faults", 5},
            {"oom_kills", 0},
            {"frozen", false}}},
          {"rates",
           {{"refaults_per_second", 1.25}, {"memory_pressure_bp", 1.5}, {"io_pressure_bp", 0.0}}},
          {"floor_bytes", 16777216},
          {"period_us", 6000000},
          {"age", "unproven"},
          {"faults",
           {{{"key", "cgtide.io/profile"},
             {"value", "ea\u001b[31mger"},
             {"message", "no grant for eager"},
             {"app", "reclaim"}}}}}}};
    EXPECT_EQ(inspect_text(reply, kNow), R"(web
  id                0123456789abcdef0123
  cgroup            /web/a1 (4711)
  bundle            /b/a1
  pid               17
  registered        03:01:00 (3 m 5 s ago)
  apps              stat,reclaim
  attached by hand  reclaim
  detached by hand  -

memory
  usage             128.0 MiB
    anonymous       95.4 MiB
    file            28.6 MiB
    kernel          -
    shmem           -
  swap              1.0 MiB
  floor             16.0 MiB
  memory.min, low   0 B, 1.0 MiB in effect
  taken             96.0 MiB since registration
  memory pressure   0.01 %
  io pressure       0.00 %
  refaults          1.2 pages/s
  major faults      5
  OOM kills         0
  frozen            no
  idle age          unproven

policy
  profile           default
    pace            0.05 % of usage every 6 s, at most 1.00 %
    cpu             1.00 % of a core
  period in force   6 s
  pressure target   0.10 %
  idle              2 m
  keep              5.00 % of usage
  pages             all
  fast tier         0 B..60.00 %

refused annotations
  cgtide.io/profile = "ea\x1b[31mger"
    no grant for eager; reclaim stays off
)");
}

TEST_F(View, DoctorNamesTheFileAndWhatIsDoneWithoutIt) {
    const json reply = {{"capabilities",
                         {{{"name", "memory.reclaim"},
                           {"present", true},
                           {"required", true},
                           {"probed", "/sys/fs/cgroup/cgtide/memory.reclaim"},
                           {"detail", "writable"},
                           {"without", "reclaim stays off"}},
                          {{"name", "swap"},
                           {"present", false},
                           {"required", false},
                           {"probed", "/proc/meminfo"},
                           {"detail", "SwapTotal 0 kB"},
                           {"without", "only page cache is reclaimed"}}}}};
    EXPECT_EQ(doctor_text(reply), R"(yes      memory.reclaim (required)
         probed /sys/fs/cgroup/cgtide/memory.reclaim: writable
         without it: reclaim stays off
MISSING  swap
         probed /proc/meminfo: SwapTotal 0 kB
         without it: only page cache is reclaimed
)");
    EXPECT_FALSE(lacks_required(reply));
}

TEST_F(View, DoctorFindsWhatIsRequiredAndMissing) {
    EXPECT_TRUE(lacks_required(
        {{"capabilities", {{{"name", "memory"}, {"present", false}, {"required", true}}}}}));
    EXPECT_FALSE(lacks_required(json::object()));
}

TEST_F(View, NamesOfTenantsCannotSteerTheTerminal) {
    json evil = web();
    evil["name"] = "a\u001b]0;x\u0007\nb";
    evil["id"] = "\u001b[2J";
    const std::string text = ps_text({{"containers", {evil}}}, kNow);
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
}

TEST_F(View, AReplyOfAnotherVersionStillPrints) {
    for (const json& reply :
         {json::object(), json{{"containers", 7}}, json{{"containers", {{{"name", 1}}}}},
          json{{"detail", {{"container", nullptr}}}},
          json{{"entries", {{{"inputs", {{"new_thing", "x"}}}}}}},
          json{{"capabilities", {1, 2}}}}) {
        EXPECT_FALSE(ps_text(reply, kNow).empty()) << reply;
        EXPECT_FALSE(inspect_text(reply, kNow).empty()) << reply;
        EXPECT_FALSE(explain_text(reply, kNow).empty()) << reply;
        doctor_text(reply);
    }
}

} // namespace
} // namespace cgtide::cli
