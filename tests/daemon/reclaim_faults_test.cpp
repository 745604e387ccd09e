// Reclaim under faults: docs/apps/reclaim.md names for each what happens and which test shows it.
#include "tests/daemon/node.hpp"
#include "tests/support/sanitized.hpp"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <set>
#include <sstream>

namespace cgtide::daemon {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::Each;
using testing::HasSubstr;
using testing::Not;

class ReclaimFaults : public Node {
protected:
    /// Starts the engine; writes to memory.reclaim of containers named `slow…` take ten seconds.
    bool start_slowly() {
        wrapper_ = {"/usr/bin/env", std::string("LD_PRELOAD=") + CGTIDE_SLOW_WRITE,
                    "CGTIDE_SLOW_LOG=" + dir_.path() + "/begun"};
        return start();
    }

    /// The slow containers of which a write was begun.
    std::set<std::string> begun() const {
        std::set<std::string> names;
        std::istringstream lines(dir_.read("begun"));
        for (std::string line; std::getline(lines, line);) {
            names.insert(line);
        }
        return names;
    }

    /// How the requests of a container ended, oldest first; those under way are left out.
    std::vector<std::string> ends(const std::string& name) const {
        std::vector<std::string> ends;
        for (const json& entry : journal(name)) {
            if (entry["acted"] && !entry["outcome"].is_null()) {
                ends.push_back(entry["outcome"]["end"]);
            }
        }
        return ends;
    }

    std::vector<std::string> reasons(const std::string& name) const {
        std::vector<std::string> reasons;
        for (const json& entry : journal(name)) {
            reasons.push_back(entry["reason"]);
        }
        return reasons;
    }
};

TEST_F(ReclaimFaults, SwapThatStrangersFillLeavesFilesToTake) {
    tree_.add_group("/cgtide"); // the engine's own cgroup, where memory.reclaim is probed
    // A tenth of swap and half of a request's worth are free.
    tree_.set_node({.swap_free = Bytes{mebibytes(1024).count / 10 + kibibytes(512).count}});
    ASSERT_TRUE(start());
    ASSERT_EQ(run_container("web", reclaimed()).status, 0);
    ASSERT_FALSE(await_reason("web", "reclaimed").is_null()) << journal("web");
    EXPECT_EQ(reclaimed_text("web"), std::to_string(kTenth) + " swappiness=0");
    tree_.add_group("/pods/web", {.anon = mebibytes(64), .file = {}});
    EXPECT_TRUE(await_last("web", "no-swap"));
    tree_.set_node({.swap_free = mebibytes(1000)});
    EXPECT_TRUE(await_last("web", "reclaimed"));
}

TEST_F(ReclaimFaults, SwapThatIsRemovedIsMissedAtOnceAndTakenAgainOnceItIsBack) {
    ASSERT_TRUE(start());
    ASSERT_EQ(run_container("web", reclaimed(), {.anon = mebibytes(64), .file = {}}).status, 0);
    ASSERT_TRUE(await_last("web", "reclaimed"));
    tree_.set_node({.swap_total = {}, .swap_free = {}});
    ASSERT_TRUE(await_last("web", "exhausted"));
    tree_.set("/pods/web", "memory.reclaim", "");
    ASSERT_TRUE(await([&] { return journal("web").back()["repeats"] >= 3; }));
    EXPECT_EQ(reclaimed_text("web"), "");
    tree_.set_node({});
    EXPECT_TRUE(await_last("web", "reclaimed"));
}

TEST_F(ReclaimFaults, AContainerThatMayNotSwapKeepsItsAnonymousMemory) {
    ASSERT_TRUE(start());
    ASSERT_EQ(run_container("web", reclaimed(), {.anon = mebibytes(64), .file = {}, .swap_max = {}})
                  .status,
              0);
    EXPECT_TRUE(await_last("web", "exhausted"));
    EXPECT_EQ(reclaimed_text("web"), "");
}

TEST_F(ReclaimFaults, AnOomKillAndALimitThatIsMetStopIt) {
    ASSERT_TRUE(start());
    ASSERT_EQ(run_container("killed", reclaimed()).status, 0);
    ASSERT_EQ(run_container("full", reclaimed(), {.max = mebibytes(64)}).status, 0);
    for (const char* name : {"killed", "full"}) {
        ASSERT_TRUE(await_last(name, "reclaimed"));
    }
    tree_.add_group("/pods/killed", {.oom_kill = 1});
    tree_.add_group("/pods/full", {.max = mebibytes(64), .max_events = 1});
    for (const std::string name : {"killed", "full"}) {
        ASSERT_TRUE(await_last(name, "after-oom"));
        ASSERT_TRUE(await([&] { return journal(name).back()["outcome"].is_null(); }));
        tree_.set("/pods/" + name, "memory.reclaim", "");
        ASSERT_TRUE(await([&] { return journal(name).back()["repeats"] >= 3; }));
        EXPECT_EQ(last_reason(name), "after-oom");
        EXPECT_EQ(reclaimed_text(name), "");
    }
}

TEST_F(ReclaimFaults, WithoutMemoryPressureNothingIsTakenAndWithoutIoPressureItIs) {
    ASSERT_TRUE(start());
    make_container("blind");
    fs::remove(group_dir("blind") + "/memory.pressure");
    make_container("web");
    fs::remove(group_dir("web") + "/io.pressure");
    for (const char* name : {"blind", "web"}) {
        ASSERT_EQ(create(name, reclaimed()).status, 0);
    }
    EXPECT_TRUE(await_last("web", "reclaimed"));
    ASSERT_TRUE(await([&] {
        const json entries = journal("blind");
        return !entries.empty() && entries.back()["repeats"] >= 3;
    }));
    EXPECT_EQ(reasons("blind"), std::vector<std::string>{"sensor"});
    EXPECT_EQ(reclaimed_text("blind"), "");
}

TEST_F(ReclaimFaults, AWriteThatBlocksEndsAtItsDeadlineWhileOthersAreServed) {
    if (test::kSanitized) {
        GTEST_SKIP() << "needs a build without sanitizers: it preloads a library";
    }
    ASSERT_TRUE(start_slowly()) << engine().errors();
    ASSERT_EQ(run_container("slow", reclaimed()).status, 0);
    ASSERT_EQ(run_container("web", reclaimed()).status, 0);
    ASSERT_TRUE(await([&] { return ends("slow").size() >= 2 && ends("web").size() >= 3; }));
    EXPECT_THAT(ends("slow"), Each("interrupted")) << journal("slow");
    EXPECT_THAT(ends("web"), Each("done")) << journal("web");
    EXPECT_EQ(begun(), std::set<std::string>{"slow"});
    EXPECT_EQ(reclaimed_text("slow"), "");
}

/// Left alone it would be done after ten seconds, and its deadline is later than that.
TEST_F(ReclaimFaults, AWriteThatIsUnderWayEndsWhereItsAppLeaves) {
    if (test::kSanitized) {
        GTEST_SKIP() << "needs a build without sanitizers: it preloads a library";
    }
    dir_.write("cgtide.toml", "[profile.late]\nratio = 0.1\nmax = \"10%\"\nperiod = \"15s\"\n"
                              "[[grant]]\ncgroup = \"/pods\"\nprofiles = [\"late\"]\n");
    ASSERT_TRUE(start_slowly()) << engine().errors();
    const Annotations late = reclaimed({{"cgtide.io/profile", "late"}});
    ASSERT_EQ(run_container("slow", late).status, 0);
    ASSERT_TRUE(await([&] { return begun().contains("slow"); })) << journal("slow");
    ASSERT_EQ(cli({"detach", "slow", "reclaim"}).status, 0);
    EXPECT_TRUE(await([&] { return !ends("slow").empty(); }));
    EXPECT_THAT(ends("slow"), Each("interrupted")) << journal("slow");
    EXPECT_EQ(reclaimed_text("slow"), "");
}

/// Four times as many as there are threads.
TEST_F(ReclaimFaults, ManyWritesThatBlockKeepNobodyFromBeingServed) {
    if (test::kSanitized) {
        GTEST_SKIP() << "needs a build without sanitizers: it preloads a library";
    }
    ASSERT_TRUE(start_slowly()) << engine().errors();
    std::set<std::string> slow;
    for (int i = 0; i < 8; ++i) {
        slow.insert("slow" + std::to_string(i));
        ASSERT_EQ(run_container(*slow.rbegin(), reclaimed()).status, 0);
    }
    ASSERT_EQ(run_container("web", reclaimed()).status, 0);
    EXPECT_TRUE(await([&] { return begun() == slow; }));
    EXPECT_TRUE(await([&] {
        const auto all = ends("web");
        return std::count(all.begin(), all.end(), "done") >= 2;
    })) << journal("web");
}

TEST_F(ReclaimFaults, AKilledEngineEndsItsWriteAndTheNextOneBeginsAnew) {
    if (test::kSanitized) {
        GTEST_SKIP() << "needs a build without sanitizers: it preloads a library";
    }
    ASSERT_TRUE(start_slowly()) << engine().errors();
    ASSERT_EQ(run_container("slow", reclaimed()).status, 0);
    ASSERT_TRUE(await([&] { return begun().contains("slow"); }));
    engine().signal(SIGKILL);
    EXPECT_EQ(engine().wait().status, -SIGKILL);
    EXPECT_EQ(reclaimed_text("slow"), "");
    wrapper_.clear();
    ASSERT_TRUE(start());
    EXPECT_FALSE(await_reason("slow", "reclaimed").is_null());
    EXPECT_EQ(reasons("slow").front(), "warming");
    EXPECT_EQ(reclaimed_text("slow"), std::to_string(kTenth));
}

TEST_F(ReclaimFaults, TwoHundredContainersAreAllServedAgainAndAgain) {
    constexpr int kContainers = 200;
    write_settings("[node]\nrate = \"20MiB\"\n");
    ASSERT_TRUE(start());
    for (int i = 0; i < kContainers; ++i) {
        ASSERT_EQ(run_container("c" + std::to_string(i), reclaimed()).status, 0);
    }
    for (int round = 0; round < 2; ++round) {
        std::set<std::string> waiting;
        for (int i = 0; i < kContainers; ++i) {
            waiting.insert("c" + std::to_string(i));
            tree_.set("/pods/c" + std::to_string(i), "memory.reclaim", "");
        }
        EXPECT_TRUE(await([&] {
            std::erase_if(waiting, [&](const auto& name) { return !reclaimed_text(name).empty(); });
            return waiting.empty();
        })) << waiting.size()
            << " were not served, one is " << *waiting.begin();
    }
    // Else the node's budget was never short.
    bool turned_away = false;
    for (int i = 0; i < kContainers && !turned_away; ++i) {
        const auto all = reasons("c" + std::to_string(i));
        turned_away = std::count(all.begin(), all.end(), "budget") > 0;
    }
    EXPECT_TRUE(turned_away);
}

TEST_F(ReclaimFaults, AnEngineThatStoodStillMeasuresAnew) {
    ASSERT_TRUE(start());
    ASSERT_EQ(run_container("web", reclaimed()).status, 0);
    ASSERT_FALSE(await_reason("web", "reclaimed").is_null());
    engine().signal(SIGSTOP);
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5); // five periods
    await([&] { return std::chrono::steady_clock::now() >= end; });
    engine().signal(SIGCONT);
    ASSERT_TRUE(await([&] {
        const auto all = reasons("web");
        const auto first = std::find(all.begin(), all.end(), "reclaimed");
        const auto anew = std::find(first, all.end(), "warming");
        return std::find(anew, all.end(), "reclaimed") != all.end();
    })) << journal("web");
}

TEST_F(ReclaimFaults, CountersOfAnEarlierLifeAreNoneOfTheNextOnes) {
    ASSERT_TRUE(start());
    ASSERT_EQ(run_container("web", reclaimed(),
                            {.memory_stall_us = 1'000'000'000,
                             .io_stall_us = 1'000'000'000,
                             .refault_anon = 1'000'000,
                             .oom_kill = 9,
                             .max_events = 99})
                  .status,
              0);
    ASSERT_TRUE(await_last("web", "reclaimed"));
    const std::string id = to_string(reborn("web"));
    ASSERT_EQ(create("web", reclaimed()).status, 0);
    ASSERT_TRUE(await([&] {
        const json container = inspect("web").value("container", json::object());
        return std::to_string(container.value("cgroup", 0)) == id;
    }));
    ASSERT_TRUE(await_last("web", "reclaimed"));
    EXPECT_EQ(reasons("web").front(), "warming");
    EXPECT_THAT(reasons("web"), Each(testing::AnyOf("warming", "reclaimed", "saving", "busy")));
    EXPECT_THAT(engine().errors(), Not(HasSubstr("error")));
}

} // namespace
} // namespace cgtide::daemon
