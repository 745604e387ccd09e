#include "tests/daemon/node.hpp"

#include <csignal>
#include <filesystem>

namespace cgtide::daemon {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

using Reclaim = Node;

TEST_F(Reclaim, WhatIsDecidedIsWrittenAndExplained) {
    ASSERT_TRUE(start());
    ASSERT_EQ(run_container("web", reclaimed()).status, 0);
    const json entry = await_reason("web", "reclaimed");
    ASSERT_FALSE(entry.is_null()) << engine().errors();
    EXPECT_EQ(reclaimed_text("web"), std::to_string(kTenth));
    EXPECT_EQ(entry["ask_bytes"], kTenth);
    EXPECT_EQ(entry["inputs"]["usage_bytes"], 64U << 20U);
    EXPECT_EQ(entry["inputs"]["target_bp"], 10.0);
    EXPECT_EQ(entry["outcome"]["end"], "done");
    const Ended explained = cli({"explain", "web"});
    EXPECT_EQ(explained.status, 0);
    EXPECT_THAT(explained.output,
                HasSubstr("asked 6.4 MiB of 64.0 MiB: memory pressure 0.00 % and "
                          "io pressure 0.00 % under 0.10 %, 0 B came back; age: unproven"));
    EXPECT_THAT(explained.output, HasSubstr("warming"));
}

TEST_F(Reclaim, NoLimitOfTheCgroupIsWritten) {
    make_container("web", {.low = mebibytes(1), .high = mebibytes(500), .max = mebibytes(600)});
    const auto limits = [&] {
        std::string all;
        for (const char* file : {"memory.min", "memory.low", "memory.high", "memory.max",
                                 "memory.swap.max", "cgroup.procs"}) {
            all += tree_.get("/pods/web", file);
        }
        return all;
    };
    const std::string before = limits();
    ASSERT_TRUE(start());
    ASSERT_EQ(create("web", reclaimed()).status, 0);
    ASSERT_FALSE(await_reason("web", "reclaimed").is_null());
    EXPECT_EQ(limits(), before);
}

TEST_F(Reclaim, FilePagesAreAskedForBySwappiness) {
    tree_.add_group("/cgtide"); // the engine's own cgroup, where memory.reclaim is probed
    ASSERT_TRUE(start());
    ASSERT_EQ(run_container("web", reclaimed({{"cgtide.io/reclaim.pages", "file"}})).status, 0);
    ASSERT_FALSE(await_reason("web", "reclaimed").is_null());
    EXPECT_EQ(reclaimed_text("web"), std::to_string(kTenth) + " swappiness=0");
    EXPECT_THAT(cli({"doctor"}).output, HasSubstr("memory.reclaim swappiness="));
}

TEST_F(Reclaim, PagesThatTheKernelCannotTellApartAreLeft) {
    ASSERT_TRUE(start());
    ASSERT_EQ(run_container("web", reclaimed({{"cgtide.io/reclaim.pages", "anon"}})).status, 0);
    EXPECT_FALSE(await_reason("web", "pages-unsupported").is_null());
    EXPECT_EQ(reclaimed_text("web"), "");
}

TEST_F(Reclaim, ADryRunDecidesAndWritesNothing) {
    ASSERT_TRUE(start());
    ASSERT_EQ(run_container("web", reclaimed({{"cgtide.io/dry-run", "true"}})).status, 0);
    const json entry = await_reason("web", "reclaimed");
    ASSERT_FALSE(entry.is_null());
    EXPECT_EQ(entry["outcome"]["end"], "dry-run");
    EXPECT_EQ(reclaimed_text("web"), "");
    EXPECT_THAT(cli({"ps"}).output, HasSubstr("web (dry run)"));
    EXPECT_THAT(cli({"explain", "web"}).output, HasSubstr("dry-run"));
}

TEST_F(Reclaim, AFrozenContainerIsLeftAloneUntilItThaws) {
    ASSERT_TRUE(start());
    ASSERT_EQ(run_container("web", reclaimed(), {.frozen = true}).status, 0);
    EXPECT_FALSE(await_reason("web", "frozen").is_null());
    EXPECT_EQ(reclaimed_text("web"), "");
    tree_.add_group("/pods/web", {.frozen = false});
    EXPECT_FALSE(await_reason("web", "reclaimed").is_null());
}

TEST_F(Reclaim, MemoryMinOverUsageLeavesNothingToAskFor) {
    tree_.add_group("/pods", {.min = mebibytes(512)});
    ASSERT_TRUE(start());
    ASSERT_EQ(run_container("web", reclaimed(), {.min = mebibytes(100)}).status, 0);
    const json entry = await_reason("web", "protected");
    ASSERT_FALSE(entry.is_null());
    // The kernel protects what is used: min(usage, memory.min), as the parent allows.
    EXPECT_GE(entry["inputs"]["floor_bytes"], 64U << 20U);
    EXPECT_EQ(reclaimed_text("web"), "");
}

TEST_F(Reclaim, TheParentsMemoryMinProtectsItsChildren) {
    // memory_recursiveprot: what no child claims is shared by usage, and here is one child.
    tree_.add_group("/pods", {.min = mebibytes(256)});
    ASSERT_TRUE(start());
    ASSERT_EQ(run_container("web", reclaimed()).status, 0);
    EXPECT_FALSE(await_reason("web", "protected").is_null());
    EXPECT_EQ(reclaimed_text("web"), "");
}

TEST_F(Reclaim, PressureOverTheTargetStopsIt) {
    ASSERT_TRUE(start());
    ASSERT_EQ(run_container("web", reclaimed()).status, 0);
    ASSERT_FALSE(await_reason("web", "reclaimed").is_null());
    std::uint64_t stall = 0;
    EXPECT_TRUE(await([&] { // a stall of 50 ms a look: far over 0.1 % of any period
        tree_.add_group("/pods/web", {.memory_stall_us = stall += 50'000});
        return journal("web").back()["reason"] == "pressure";
    }));
    EXPECT_THAT(cli({"explain", "web", "--last", "1"}).output, HasSubstr("over 0.10 %"));
}

TEST_F(Reclaim, ACgroupThatVanishesWhileItIsManagedIsAnEventAndNoError) {
    ASSERT_TRUE(start());
    ASSERT_EQ(run_container("web", reclaimed()).status, 0);
    ASSERT_FALSE(await_reason("web", "reclaimed").is_null());
    tree_.remove_group("/pods/web");
    EXPECT_TRUE(await([&] { return names().empty(); }));
    EXPECT_THAT(engine().errors(), Not(HasSubstr("error")));
    EXPECT_THAT(cli({"explain", "web"}).output, HasSubstr("reclaimed"));
}

TEST_F(Reclaim, AttachAndDetachWorkWhileAContainerRuns) {
    ASSERT_TRUE(start());
    const Annotations stat = reclaimed({{"cgtide.io/apps", "stat"}});
    ASSERT_EQ(run_container("web", stat).status, 0);
    EXPECT_THAT(cli({"attach", "web", "reclaim"}).output, HasSubstr("reclaim is attached to web"));
    ASSERT_FALSE(await_reason("web", "reclaimed").is_null());
    EXPECT_EQ(inspect("web")["attached"], json({"reclaim"}));
    EXPECT_EQ(cli({"detach", "web", "stat"}).status, 0);
    EXPECT_EQ(inspect("web")["detached"], json({"stat"}));
    EXPECT_EQ(inspect("web")["container"]["apps"], json({"reclaim"}));
    EXPECT_EQ(cli({"attach", "web", "thp"}).status, 1);
    EXPECT_EQ(cli({"attach", "nobody", "stat"}).status, 4);

    engine().signal(SIGTERM);
    EXPECT_EQ(engine().wait().status, 0);
    ASSERT_TRUE(start());
    EXPECT_EQ(inspect("web")["container"]["apps"], json({"reclaim"}));

    EXPECT_EQ(cli({"detach", "web", "reclaim"}).status, 0);
    EXPECT_EQ(cli({"attach", "web", "stat"}).status, 0);
    EXPECT_EQ(inspect("web")["attached"], json::array());
    EXPECT_EQ(inspect("web")["detached"], json::array());
    EXPECT_TRUE(fs::is_empty(run_dir() + "/attached"));
}

TEST_F(Reclaim, AnAttachmentEndsWithItsContainer) {
    ASSERT_TRUE(start());
    ASSERT_EQ(run_container("web", {{"cgtide.io/apps", "stat"}}).status, 0);
    ASSERT_EQ(cli({"attach", "web", "reclaim"}).status, 0);
    tree_.remove_group("/pods/web");
    EXPECT_TRUE(await([&] { return names().empty(); }));
    EXPECT_TRUE(await([&] { return fs::is_empty(run_dir() + "/attached"); }));
    ASSERT_EQ(run_container("web", {{"cgtide.io/apps", "stat"}}).status, 0);
    EXPECT_EQ(inspect("web")["container"]["apps"], json({"stat"}));
}

TEST_F(Reclaim, SighupTakesNewSettingsAndKeepsTheOldOnesWhereTheFileIsBad) {
    ASSERT_TRUE(start());
    ASSERT_EQ(run_container("web", reclaimed()).status, 0);
    EXPECT_EQ(inspect("web")["policy"]["profile"]["ratio"], 0.1);
    dir_.write("cgtide.toml", "[profile.test]\nratio = 0.25\n[[grant]]\ncgroup = \"/pods\"\n"
                              "profiles = [\"test\"]\n");
    engine().signal(SIGHUP);
    ASSERT_TRUE(await_line("settings read again"));
    EXPECT_EQ(inspect("web")["policy"]["profile"]["ratio"], 0.25);
    EXPECT_EQ(inspect("web")["container"]["apps"], json({"stat", "reclaim"}));
    dir_.write("cgtide.toml", "[profile.test]\nratio = 7\n");
    engine().signal(SIGHUP);
    ASSERT_TRUE(await_line("settings kept as they were"));
    EXPECT_THAT(engine().errors(), HasSubstr("line 2: profile.test.ratio = 7"));
    EXPECT_EQ(inspect("web")["policy"]["profile"]["ratio"], 0.25);
    fs::remove(config());
    engine().signal(SIGHUP);
    ASSERT_TRUE(await_line("cgtide.toml: No such file"));
    EXPECT_EQ(inspect("web")["policy"]["profile"]["ratio"], 0.25);
    // A grant that is taken away takes effect as well.
    dir_.write("cgtide.toml", "");
    engine().signal(SIGHUP);
    EXPECT_TRUE(await([&] { return inspect("web")["container"]["apps"] == json({"stat"}); }));
}

} // namespace
} // namespace cgtide::daemon
