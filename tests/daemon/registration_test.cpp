#include "engine/wire/interface.hpp"
#include "tests/daemon/node.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <filesystem>

#include <sys/inotify.h>
#include <unistd.h>

namespace cgtide::daemon {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

using Registration = Node;

TEST_F(Registration, ARegisteredContainerIsShownByName) {
    ASSERT_TRUE(start());
    const Ended hook = run_container("web", {{"cgtide.io/apps", "stat,reclaim"}});
    EXPECT_EQ(hook.status, 0) << hook.errors;
    const Ended ps = cli({"ps"});
    EXPECT_EQ(ps.status, 0);
    EXPECT_THAT(ps.output, HasSubstr("web"));
    EXPECT_THAT(ps.output, HasSubstr("stat,reclaim"));
    EXPECT_TRUE(await([&] { return !inspect("web")["counters"].is_null(); }));
    EXPECT_EQ(inspect("web")["container"]["usage_bytes"], 64U << 20U);
    EXPECT_EQ(inspect("web")["container"]["path"], "/pods/web");
    EXPECT_THAT(cli({"inspect", "web"}).output, HasSubstr("64.0 MiB"));
}

TEST_F(Registration, IdleTimesThatNoSensorTellsAreRefusedWithWhatToDo) {
    ASSERT_TRUE(start());
    ASSERT_EQ(run_container("web", kStat).status, 0);
    const Ended blind = cli({"idle", "web"});
    EXPECT_EQ(blind.status, 1);
    EXPECT_THAT(blind.errors, HasSubstr("refused (no-idle-view): no sensor has told of web yet"));
    EXPECT_THAT(blind.errors, HasSubstr("see cgtide doctor"));
    ASSERT_EQ(cli({"detach", "web", "stat"}).status, 0);
    EXPECT_THAT(cli({"idle", "web"}).errors, HasSubstr("cgtide attach web stat attaches it"));
    EXPECT_EQ(cli({"idle", "nobody"}).status, 4);
    EXPECT_TRUE(inspect("web")["idle"].is_null());
}

TEST_F(Registration, ForecastsAndAdviceThatNothingIsKnownForAreRefusedWithWhy) {
    ASSERT_TRUE(start());
    ASSERT_EQ(run_container("web", kStat).status, 0);
    const Ended blind = cli({"what-if", "web", "--idle", "5m"});
    EXPECT_EQ(blind.status, 1);
    EXPECT_THAT(blind.errors, HasSubstr("refused (no-idle-view): no sensor has told of web yet"));
    const Ended early = cli({"suggest", "web"});
    EXPECT_EQ(early.status, 1);
    EXPECT_THAT(early.errors, HasSubstr("refused (no-history): what is known of web covers less"));
    EXPECT_EQ(cli({"what-if", "nobody"}).status, 4);
    EXPECT_EQ(cli({"suggest", "nobody"}).status, 4);
}

TEST_F(Registration, DoctorTellsTheKernelsTypesWhenAskedAndOnceOnly) {
    ASSERT_TRUE(start());
    for (int asked = 0; asked < 2; ++asked) {
        const json doctor = json::parse(cli({"doctor", "--json"}).output);
        std::vector<std::string> names;
        for (const json& row : doctor["capabilities"]) {
            names.push_back(row["name"]);
        }
        EXPECT_EQ(std::count(names.begin(), names.end(), "DAMON features"), 1);
        EXPECT_EQ(std::count(names.begin(), names.end(), "DAMON tracepoints"), 1);
    }
}

TEST_F(Registration, DoctorSaysOfEachSensorThatTheKernelLacksDamon) {
    ASSERT_TRUE(start());
    const json doctor = json::parse(cli({"doctor", "--json"}).output);
    for (const char* name : {"idle times by regions", "idle times by physical regions"}) {
        std::vector<json> rows;
        for (const json& row : doctor["capabilities"]) {
            if (row["name"] == name) {
                rows.push_back(row);
            }
        }
        ASSERT_THAT(rows, SizeIs(1)) << name;
        EXPECT_FALSE(rows[0]["present"]) << name;
        EXPECT_THAT(rows[0]["detail"], HasSubstr("no sysfs interface")) << name;
    }
}

TEST_F(Registration, DamonThatTheEngineDoesNotUseCannotBeReleased) {
    ASSERT_TRUE(start());
    const Ended released = cli({"damon", "release"});
    EXPECT_EQ(released.status, 1);
    EXPECT_THAT(released.errors, HasSubstr("refused (no-damon): cgtided does not use DAMON: "));
    EXPECT_THAT(released.errors, HasSubstr("use DAMON: this kernel has no sysfs interface of it"));
    engine().signal(SIGTERM);
    EXPECT_EQ(engine().wait().status, 0);
    write_settings("[idle]\nsensor = \"generations\"\n");
    ASSERT_TRUE(start());
    EXPECT_THAT(cli({"damon", "release"}).errors, HasSubstr("its settings say so (idle.sensor)"));
}

/// What happens in a folder: opens, reads and writes.
class Events {
public:
    Events(const std::string& folder, unsigned mask)
        : fd_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
        EXPECT_GE(::inotify_add_watch(fd_.get(), folder.c_str(), mask), 0);
    }
    bool any() const {
        std::array<char, 4096> events{};
        return ::read(fd_.get(), events.data(), events.size()) > 0;
    }

private:
    UniqueFd fd_;
};

TEST_F(Registration, AContainerWithoutAnnotationIsNeverTouched) {
    make_container("plain");
    const Events plain(group_dir("plain"), IN_OPEN | IN_ACCESS | IN_MODIFY);
    ASSERT_TRUE(start());
    const Ended hook = create("plain", {{"org.example/key", "value"}});
    EXPECT_EQ(hook.status, 0);
    EXPECT_EQ(hook.errors, "");
    ASSERT_EQ(run_container("web", reclaimed()).status, 0);
    // The other one is managed meanwhile, beyond its first write.
    ASSERT_FALSE(await_reason("web", "reclaimed").is_null());
    EXPECT_FALSE(plain.any()) << "the engine opened a file of a stranger's cgroup";
    EXPECT_THAT(names(true), ElementsAre("web"));
    EXPECT_THAT(records(), SizeIs(1));
}

TEST_F(Registration, AContainerThatIsOnlyWatchedIsNeverWritten) {
    make_container("watched");
    const Events writes(group_dir("watched"), IN_CLOSE_WRITE | IN_MODIFY | IN_CREATE);
    ASSERT_TRUE(start());
    ASSERT_EQ(create("watched", kStat).status, 0);
    ASSERT_TRUE(await([&] { return !inspect("watched")["rates"].is_null(); }));
    EXPECT_FALSE(writes.any());
}

TEST_F(Registration, OneContainerRegisteredTwiceIsOne) {
    ASSERT_TRUE(start());
    ASSERT_EQ(run_container("web", kStat).status, 0);
    EXPECT_EQ(create("web", kStat).status, 0);
    EXPECT_THAT(names(true), ElementsAre("web"));
    EXPECT_THAT(records(), SizeIs(1));
}

TEST_F(Registration, OneIdFromTwoBundlesIsTwoContainers) {
    ASSERT_TRUE(start());
    ASSERT_EQ(run_container("web", kStat).status, 0);
    make_container("other");
    json second = json::parse(state("other", kStat));
    second["id"] = "web";
    ASSERT_EQ(run(hook_arguments(), second.dump()).status, 0);
    EXPECT_THAT(names(), ElementsAre("web", "web"));
    const Ended inspected = cli({"inspect", "web"});
    EXPECT_EQ(inspected.status, 1);
    EXPECT_THAT(inspected.errors, HasSubstr("may be any of these"));
    const std::string id = to_string(tree_.add_group("/pods/other"));
    EXPECT_EQ(cli({"inspect", id}).status, 0);
}

TEST_F(Registration, ADeadPidIsNamedAndNotRegistered) {
    ASSERT_TRUE(start());
    make_container("web");
    tree_.remove_process(pids_["web"]);
    const Ended hook = create("web", kStat);
    EXPECT_EQ(hook.status, 1);
    EXPECT_THAT(hook.errors, HasSubstr("pid " + std::to_string(pids_["web"])));
    EXPECT_THAT(names(true), IsEmpty());
}

TEST_F(Registration, APidThatDiedAfterTheHookEndsWithItsCgroup) {
    ASSERT_EQ(run_container("web", kStat, {}).status, 1); // no engine yet: the file is left
    tree_.remove_process(pids_["web"]);
    tree_.add_group("/pods/web", {.populated = false});
    ASSERT_TRUE(start());
    EXPECT_THAT(names(true), IsEmpty());
    EXPECT_THAT(records(), IsEmpty());
}

TEST_F(Registration, APidThatWasReusedElsewhereIsNotFollowed) {
    ASSERT_EQ(run_container("web", kStat, {}).status, 1);
    make_container("stranger");
    tree_.add_process(pids_["web"], "/pods/stranger", 9999);
    ASSERT_TRUE(start());
    EXPECT_EQ(inspect("web")["container"]["path"], "/pods/web"); // the cgroup is the truth
    tree_.add_group("/pods/web", {.populated = false});
    EXPECT_TRUE(await([&] { return names().empty(); }));
    EXPECT_EQ(reclaimed_text("stranger"), "");
}

TEST_F(Registration, AProcessThatMovesAwayEndsTheContainerItLeavesEmpty) {
    ASSERT_TRUE(start());
    ASSERT_EQ(run_container("web", kStat).status, 0);
    make_container("elsewhere");
    tree_.add_process(pids_["web"], "/pods/elsewhere");
    tree_.add_group("/pods/web", {.populated = false});
    EXPECT_TRUE(await([&] { return names().empty(); }));
    EXPECT_THAT(cli({"ps", "--all"}).output, HasSubstr("web (ended)"));
    EXPECT_THAT(records(), IsEmpty());
}

TEST_F(Registration, SharedCgroupsAreRefusedByName) {
    ASSERT_TRUE(start());
    ASSERT_EQ(run_container("web", kStat).status, 0);
    tree_.add_process(100, "/pods/web");
    tree_.add_process(101, "/cgtide");
    for (const auto& [pid, why] :
         {std::pair{100, "is registered by container web"}, {101, "is the cgroup of the engine"}}) {
        pids_["thief"] = pid;
        const Ended hook = create("thief", kStat);
        EXPECT_EQ(hook.status, 1);
        EXPECT_THAT(hook.errors, HasSubstr("shared-cgroup"));
        EXPECT_THAT(hook.errors, HasSubstr(why));
        EXPECT_THAT(cli({"ps"}).output, HasSubstr("refused thief (shared-cgroup)"));
    }
    EXPECT_THAT(names(true), ElementsAre("web"));
}

TEST_F(Registration, TheRootsCgroupIsRefusedByHookAndEngine) {
    ASSERT_TRUE(start());
    make_container("web");
    tree_.add_process(pids_["web"], "/");
    EXPECT_THAT(create("web", kStat).errors, HasSubstr("/ is the root cgroup"));
    const json answer =
        call(wire::method::kRegister, {{"record",
                                        {{"version", 1},
                                         {"id", "web"},
                                         {"bundle", "/bundles/web"},
                                         {"pid", 4001},
                                         {"pid_start", 1000},
                                         {"cgroup_path", "/"},
                                         {"cgroup", 1},
                                         {"boot_id", "11111111-2222-3333-4444-555555555555"},
                                         {"annotations", kStat}}}});
    EXPECT_EQ(answer["error"], wire::error::kRefused) << answer;
    EXPECT_EQ(answer["parameters"]["reason"], "shared-cgroup") << answer;
}

TEST_F(Registration, ACgroupWithAnotherContainerInsideIsLeftAlone) {
    ASSERT_TRUE(start());
    ASSERT_EQ(run_container("outer", reclaimed()).status, 0);
    make_container("outer/inner");
    ASSERT_EQ(run(hook_arguments(),
                  [&] {
                      json inner = json::parse(state("outer/inner", reclaimed()));
                      inner["id"] = "inner";
                      return inner.dump();
                  }())
                  .status,
              0);
    EXPECT_FALSE(await_reason("outer", "nested").is_null());
    EXPECT_FALSE(await_reason("inner", "reclaimed").is_null());
}

TEST_F(Registration, AnUngrantedProfileIsRefusedByNameWhileStatRuns) {
    ASSERT_TRUE(start());
    ASSERT_EQ(run_container("web", reclaimed({{"cgtide.io/profile", "eager"}})).status, 0);
    EXPECT_EQ(inspect("web")["container"]["apps"], json({"stat"}));
    EXPECT_TRUE(await_line("profile 'eager' needs a grant"));
    EXPECT_THAT(cli({"inspect", "web"}).output,
                HasSubstr("profile 'eager' needs a grant (granted here: default, test)"));
    EXPECT_THAT(cli({"ps"}).output, HasSubstr("web: 1 annotation is refused"));
    EXPECT_TRUE(await([&] { return !inspect("web")["rates"].is_null(); }));
    EXPECT_EQ(reclaimed_text("web"), "");
}

TEST_F(Registration, RecordsOfNewerVersionsAndBadOnesAreKeptAndShown) {
    dir_.write("run/containers/00000000000000aa.json", R"({"version": 99, "id": "future"})");
    dir_.write("run/containers/00000000000000bb.json", "{ bad");
    ASSERT_TRUE(start());
    ASSERT_EQ(run_container("web", kStat).status, 0);
    const Ended ps = cli({"ps"});
    EXPECT_EQ(ps.status, 0);
    EXPECT_THAT(ps.output, HasSubstr("refused 00000000000000aa (newer-version)"));
    EXPECT_THAT(ps.output, HasSubstr("refused 00000000000000bb (malformed)"));
    EXPECT_THAT(records(), SizeIs(3));
    engine().signal(SIGTERM);
    EXPECT_EQ(engine().wait().status, 0);
    EXPECT_THAT(records(), SizeIs(3));
}

TEST_F(Registration, ABadRecordThatWasRepairedIsTaken) {
    ASSERT_EQ(run_container("web", kStat).status, 1);
    const std::string name = "run/containers/" + records().at(0);
    const std::string text = dir_.read(name);
    dir_.write(name, "{ bad");
    ASSERT_TRUE(start());
    EXPECT_THAT(list()["refused"], SizeIs(1));
    fs::remove(dir_.path() + "/" + name);
    dir_.write(name, text);
    EXPECT_TRUE(await([&] { return names().size() == 1; }));
    EXPECT_THAT(list()["refused"], IsEmpty());
}

TEST_F(Registration, ABadRecordThatWasRemovedIsShownNoMore) {
    dir_.write("run/containers/00000000000000bb.json", "{ bad");
    ASSERT_TRUE(start());
    EXPECT_THAT(list()["refused"], SizeIs(1));
    fs::remove(run_dir() + "/containers/00000000000000bb.json");
    EXPECT_TRUE(await([&] { return list()["refused"].empty(); }));
}

TEST_F(Registration, AStoppedContainerEndsWhenItsCgroupDoes) {
    ASSERT_TRUE(start());
    ASSERT_EQ(run_container("web", kStat).status, 0);
    EXPECT_EQ(stopped("web", kStat).status, 0);
    EXPECT_THAT(names(), ElementsAre("web")); // the runtime's word is a hint
    tree_.remove_group("/pods/web");
    EXPECT_TRUE(await([&] { return names().empty(); }));
    EXPECT_TRUE(await([&] { return records().empty(); }));
    EXPECT_THAT(names(true), ElementsAre("web"));
    EXPECT_EQ(cli({"explain", "web"}).status, 0); // its journal stays
}

TEST_F(Registration, TheRecordOfARefusedContainerGoesWhenItsRuntimeStopsIt) {
    ASSERT_TRUE(start());
    ASSERT_EQ(run_container("web", kStat).status, 0);
    pids_["thief"] = pids_["web"];
    ASSERT_EQ(create("thief", kStat).status, 1);
    ASSERT_THAT(records(), SizeIs(2));
    stopped("thief", kStat);
    EXPECT_TRUE(await([&] { return records().size() == 1; }));
    EXPECT_THAT(list()["refused"], IsEmpty());
}

TEST_F(Registration, AHungEngineTakesWhatItMissed) {
    ASSERT_TRUE(start());
    engine().signal(SIGSTOP);
    make_container("web");
    const Ended hook = run(hook_arguments(), state("web", kStat));
    EXPECT_THAT(hook.errors, HasSubstr("timed out"));
    EXPECT_THAT(records(), SizeIs(1));
    engine().signal(SIGCONT);
    EXPECT_TRUE(await([&] { return names() == std::vector<std::string>{"web"}; }));
}

} // namespace
} // namespace cgtide::daemon
