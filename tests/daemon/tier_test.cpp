#include "tests/daemon/node.hpp"

namespace cgtide::daemon {
namespace {

using nlohmann::json;
using testing::HasSubstr;

/// A node with memory on NUMA nodes, and containers that are granted the app tier. No page moves: a
/// fake tree has none.
class Tier : public Node {
protected:
    void put(const std::string& file, const std::string& text) const {
        tree_.dir().write("sys/devices/" + file, text);
    }

    void put_node(int id, const std::string& cpus) const {
        const std::string node = "system/node/node" + std::to_string(id);
        const std::string name = "Node " + std::to_string(id);
        put(node + "/cpulist", cpus + "\n");
        put(node + "/distance", id == 0 ? "10 20\n" : "20 10\n");
        put(node + "/meminfo", name + " MemTotal: 1048576 kB\n" + name + " MemFree: 524288 kB\n");
    }

    void put_tiers() const {
        put("system/node/online", "0-1\n");
        put_node(0, "0-1");
        put_node(1, "");
        put("virtual/memory_tiering/memory_tier4/nodelist", "0\n");
        put("virtual/memory_tiering/memory_tier450/nodelist", "1\n");
    }

    static Annotations tiered(const std::string& fast) {
        return {{"cgtide.io/apps", "tier"},
                {"cgtide.io/profile", "test"},
                {"cgtide.io/tier.fast", fast}};
    }

    bool start_granting() {
        dir_.write("cgtide.toml", "[profile.test]\nperiod = \"1s\"\n[[grant]]\ncgroup = \"/pods\"\n"
                                  "apps = [\"tier\"]\nprofiles = [\"test\"]\nlow = \"80%\"\n");
        return start();
    }

    json doctor_row(const std::string& name) const {
        const json told = call("io.cgtide.Engine.Capabilities", json::object());
        for (const json& row : told["capabilities"]) {
            if (row["name"] == name) {
                return row;
            }
        }
        return nullptr;
    }

    json apps_of(const std::string& name) const { return inspect(name)["container"]["apps"]; }
};

TEST_F(Tier, ANodeWithOneTierSaysWhyAndLeavesContainersAlone) {
    put("system/node/online", "0\n");
    put_node(0, "0-1");
    ASSERT_TRUE(start_granting());
    ASSERT_EQ(run_container("web", tiered("0..50%")).status, 0);
    EXPECT_FALSE(await_reason("web", "no-tiers").is_null());
    const Ended shown = cli({"tier"});
    EXPECT_EQ(shown.status, 0);
    EXPECT_THAT(shown.output, HasSubstr("no tiers to choose between: one NUMA node"));
    EXPECT_THAT(cli({"doctor"}).output, HasSubstr("/memory_tiering: one NUMA node"));
}

TEST_F(Tier, WithoutASensorNothingIsMovedAndThatIsSaid) {
    put_tiers();
    ASSERT_TRUE(start_granting());
    ASSERT_EQ(run_container("web", tiered("10%..60%")).status, 0);
    tree_.set("/pods/web", "memory.numa_stat",
              "anon N0=8388608 N1=4194304\nfile N0=0 N1=1048576\n");
    EXPECT_FALSE(await_reason("web", "unplaced").is_null());
    const json told = call("io.cgtide.Engine.Tiers", json::object());
    EXPECT_EQ(told["flat"], nullptr);
    ASSERT_EQ(told["tiers"].size(), 2U);
    EXPECT_EQ(told["uses"][0]["tier_bytes"], json({8388608, 5242880}));
    EXPECT_EQ(told["uses"][0]["share"]["low_bytes"], 107374182);
    EXPECT_EQ(told["uses"][0]["share"]["target_bytes"], nullptr);
    EXPECT_EQ(inspect("web")["policy"]["fast_high"]["bp"], 6000.0);
}

TEST_F(Tier, LowsBeyondTheFastestTierAreRefusedByNameAndThoseBeforeStay) {
    put_tiers();
    ASSERT_TRUE(start_granting());
    ASSERT_EQ(run_container("one", tiered("60%..")).status, 0);
    ASSERT_EQ(run_container("two", tiered("60%..")).status, 0);
    EXPECT_EQ(apps_of("one"), json({"tier"}));
    EXPECT_EQ(apps_of("two"), json::array());
    EXPECT_THAT(inspect("two")["faults"][0]["message"].get<std::string>(),
                HasSubstr("LOW of all containers would be 1.2 GiB of 1.0 GiB"));
    EXPECT_EQ(cli({"attach", "two", "tier"}).status, 0);
    EXPECT_EQ(apps_of("two"), json({"tier"}));
    EXPECT_EQ(inspect("two")["policy"]["fast_low"]["bytes"], 0);
    Annotations later = tiered("60%..");
    later["cgtide.io/apps"] = ""; // root alone gives it the app
    ASSERT_EQ(run_container("three", later).status, 0);
    const Ended refused = cli({"attach", "three", "tier"});
    EXPECT_EQ(refused.status, 1);
    EXPECT_THAT(refused.errors, HasSubstr("LOW of all containers would be 1.2 GiB"));
    EXPECT_EQ(apps_of("three"), json::array());
}

TEST_F(Tier, WhoWasRefusedHasItsLowOnceTheOthersEnds) {
    put_tiers();
    ASSERT_TRUE(start_granting());
    ASSERT_EQ(run_container("one", tiered("60%..")).status, 0);
    ASSERT_EQ(run_container("two", tiered("60%..")).status, 0);
    ASSERT_EQ(apps_of("two"), json::array());
    tree_.add_group("/pods/one", {.populated = false});
    EXPECT_TRUE(await([&] { return apps_of("two") == json({"tier"}); }));
    EXPECT_EQ(inspect("two")["faults"], json::array());
}

TEST_F(Tier, ARestartLeavesLowWithThoseWhoHadIt) {
    put_tiers();
    ASSERT_TRUE(start_granting());
    std::map<CgroupId, std::string> names; // the kernel's numbers rise
    for (const char* name : {"a", "b", "c", "d", "e", "f"}) {
        names.emplace(make_container(name), name);
    }
    ASSERT_EQ(names.size(), 6U);
    for (const auto& [id, name] : names) {
        ASSERT_EQ(create(name, tiered("45%..")).status, 0);
    }
    for (int restart = 0; restart < 2; ++restart) {
        int place = 0;
        for (const auto& [id, name] : names) {
            EXPECT_EQ(apps_of(name), ++place <= 2 ? json({"tier"}) : json::array()) << name;
        }
        engine().signal(SIGKILL);
        engine().wait();
        ASSERT_TRUE(start_granting());
    }
}

TEST_F(Tier, TiersThatComeLaterHoldLowsAgainstThem) {
    put("system/node/online", "0\n");
    put_node(0, "0-1");
    put("virtual/memory_tiering/memory_tier4/nodelist", "0\n");
    ASSERT_TRUE(start_granting());
    ASSERT_EQ(run_container("one", tiered("60%..")).status, 0);
    ASSERT_EQ(run_container("two", tiered("60%..")).status, 0);
    ASSERT_EQ(run_container("bytes", tiered("1MiB..")).status, 0);
    EXPECT_EQ(apps_of("one"), json({"tier"}));
    EXPECT_EQ(apps_of("two"), json({"tier"}));
    EXPECT_EQ(apps_of("bytes"), json::array()); // of which its grant is a share
    put_tiers();
    EXPECT_TRUE(await([&] { return apps_of("two") == json::array(); }));
    EXPECT_EQ(apps_of("one"), json({"tier"}));
    EXPECT_EQ(apps_of("bytes"), json({"tier"}));
}

TEST_F(Tier, AnAttachThatIsRefusedKeepsWhatRootHadDetached) {
    put_tiers();
    ASSERT_TRUE(start_granting());
    ASSERT_EQ(run_container("one", tiered("60%..")).status, 0);
    ASSERT_EQ(run_container("two", tiered("30%..")).status, 0);
    ASSERT_EQ(cli({"detach", "two", "tier"}).status, 0);
    ASSERT_EQ(run_container("three", tiered("30%..")).status, 0);
    ASSERT_EQ(apps_of("three"), json({"tier"}));
    EXPECT_EQ(cli({"attach", "two", "tier"}).status, 1);
    EXPECT_EQ(apps_of("two"), json::array());
    engine().signal(SIGKILL);
    engine().wait();
    ASSERT_TRUE(start_granting());
    EXPECT_EQ(apps_of("two"), json::array());
    EXPECT_EQ(apps_of("three"), json({"tier"}));
}

TEST_F(Tier, AReloadKeepsSharesAndANodeThatWentOfflineEndsThem) {
    put_tiers();
    ASSERT_TRUE(start_granting());
    ASSERT_EQ(run_container("web", tiered("60%..")).status, 0);
    ASSERT_FALSE(await_reason("web", "unplaced").is_null());
    engine().signal(SIGHUP);
    ASSERT_TRUE(await_line("settings read again"));
    EXPECT_EQ(apps_of("web"), json({"tier"}));
    put("system/node/online", "0\n");
    EXPECT_FALSE(await_reason("web", "no-tiers").is_null());
    EXPECT_EQ(doctor_row("memory tiers")["present"], false);
}

TEST_F(Tier, DoctorSaysWhoElseMovesPagesOnceThatChanges) {
    put_tiers();
    tree_.dir().write("proc/sys/kernel/numa_balancing", "0\n");
    ASSERT_TRUE(start_granting());
    EXPECT_EQ(doctor_row("numa_balancing off")["present"], true);
    EXPECT_EQ(doctor_row("demotion by the kernel")["present"], false);
    tree_.dir().write("proc/sys/kernel/numa_balancing", "2\n");
    tree_.dir().write("sys/kernel/mm/numa/demotion_enabled", "true\n");
    EXPECT_EQ(doctor_row("numa_balancing off")["present"], false);
    EXPECT_EQ(doctor_row("demotion by the kernel")["present"], true);
}

} // namespace
} // namespace cgtide::daemon
