#include "engine/wire/interface.hpp"
#include "tests/daemon/node.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <stdexcept>

#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
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

using Faults = Node;

bool is_socket(const std::string& path) {
    struct stat info {};
    return ::lstat(path.c_str(), &info) == 0 && S_ISSOCK(info.st_mode);
}

TEST_F(Faults, ACgroupRebornUnderItsPathIsAnotherContainer) {
    ASSERT_TRUE(start());
    ASSERT_EQ(run_container("web", kStat).status, 0);
    const std::string before = to_string(tree_.add_group("/pods/web"));
    const std::string after = to_string(reborn("web"));
    ASSERT_NE(before, after);
    EXPECT_EQ(create("web", kStat).status, 0);
    EXPECT_THAT(names(), ElementsAre("web"));
    EXPECT_EQ(std::to_string(inspect("web")["container"]["cgroup"].get<int>()), after);
    EXPECT_TRUE(await([&] { return names(true).size() == 2; }));
    EXPECT_THAT(records(), SizeIs(1));
}

TEST_F(Faults, ACgroupRebornWhileTheEngineIsNotToldIsAnotherContainerAfterARestartToo) {
    ASSERT_TRUE(start());
    ASSERT_EQ(run_container("web", kStat).status, 0);
    const std::string nowhere = dir_.path() + "/nowhere";
    const std::string after = [&] {
        engine().signal(SIGSTOP); // the old one's end and the new record are seen at once
        const std::string id = to_string(reborn("web"));
        EXPECT_EQ(create("web", kStat, {"--socket", nowhere}).status, 1);
        engine().signal(SIGCONT);
        return id;
    }();
    const auto is_after = [&] {
        const json container = inspect("web").value("container", json::object());
        return container.contains("cgroup") &&
               std::to_string(container["cgroup"].get<int>()) == after;
    };
    EXPECT_TRUE(await(is_after));
    EXPECT_TRUE(await([&] { return names(true).size() == 2; }));
    ASSERT_THAT(records(), SizeIs(1));
    engine().signal(SIGKILL);
    engine().wait();
    ASSERT_TRUE(start());
    EXPECT_TRUE(is_after());
}

TEST_F(Faults, ALateRegistrationOfAVanishedCgroupDoesNotEndItsSuccessor) {
    ASSERT_TRUE(start());
    ASSERT_EQ(run_container("web", kStat).status, 0);
    ASSERT_EQ(cli({"attach", "web", "reclaim"}).status, 0);
    json late = json::parse(dir_.read("run/containers/" + records().at(0)));
    late["cgroup"] = 1;
    const json answer = call(wire::method::kRegister, {{"record", late}});
    EXPECT_EQ(answer["parameters"]["reason"], "gone") << answer;
    EXPECT_THAT(names(true), ElementsAre("web"));
    EXPECT_THAT(records(), SizeIs(1));
    EXPECT_FALSE(fs::is_empty(run_dir() + "/attached"));
}

TEST_F(Faults, ARecordOfAnotherBootOrAVanishedCgroupIsForgotten) {
    ASSERT_EQ(run_container("web", kStat).status, 1);
    ASSERT_EQ(run_container("old", kStat).status, 1);
    tree_.remove_group("/pods/web");
    const std::string path = "run/containers/";
    for (const std::string& name : records()) {
        std::string text = dir_.read(path + name);
        if (const auto at = text.find("11111111-"); text.find("/pods/old") != std::string::npos) {
            text.replace(at, 4, "9999");
            dir_.write(path + name, text);
        }
    }
    dir_.write(path + "00000000000000aa.stopped", "");
    ASSERT_TRUE(start());
    EXPECT_THAT(names(true), IsEmpty());
    EXPECT_THAT(records(), IsEmpty());
}

TEST_F(Faults, WhatAKilledHookLeftUnfinishedGoesWhileTheEngineRuns) {
    ASSERT_TRUE(start());
    dir_.write("run/containers/.00000000000000aa.7.tmp", "{");
    EXPECT_TRUE(await([&] { return records().empty(); }));
}

TEST_F(Faults, AKilledEngineIsFollowedByOneThatManagesTheSameContainers) {
    constexpr int kContainers = 50;
    ASSERT_TRUE(start());
    for (int i = 0; i < kContainers; ++i) {
        ASSERT_EQ(run_container("c" + std::to_string(i), reclaimed()).status, 0);
    }
    ASSERT_FALSE(await_reason("c0", "reclaimed").is_null());
    const auto before = names();
    engine().signal(SIGKILL);
    EXPECT_EQ(engine().wait().status, -SIGKILL);
    EXPECT_EQ(cli({"ps"}).status, 3);
    const auto began = std::chrono::steady_clock::now();
    ASSERT_TRUE(start()) << engine().errors();
    EXPECT_EQ(names(), before);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    std::printf("%d containers were managed again after %.3f s (to be under 2 s)\n", kContainers,
                took.count());
    EXPECT_THAT(before, SizeIs(kContainers));
    EXPECT_FALSE(await_reason("c7", "reclaimed").is_null());
}

TEST_F(Faults, SigtermLeavesNoSocketAndNoCgroup) {
    ASSERT_TRUE(start());
    ASSERT_EQ(run_container("web", reclaimed()).status, 0);
    ASSERT_TRUE(is_socket(socket()));
    EXPECT_TRUE(fs::exists(tree_.path() + "/sys/fs/cgroup/cgtide"));
    engine().signal(SIGTERM);
    const Ended ended = engine().wait();
    EXPECT_EQ(ended.status, 0) << ended.errors;
    EXPECT_THAT(ended.errors, HasSubstr("stopped"));
    EXPECT_FALSE(is_socket(socket()));
    EXPECT_FALSE(fs::exists(tree_.path() + "/sys/fs/cgroup/cgtide"));
    EXPECT_THAT(records(), SizeIs(1)); // the container runs on
}

TEST_F(Faults, ASocketThatAKilledEngineLeftIsTakenOver) {
    ASSERT_TRUE(start());
    engine().signal(SIGKILL);
    engine().wait();
    ASSERT_TRUE(is_socket(socket()));
    EXPECT_TRUE(start());
    EXPECT_EQ(cli({"ps"}).status, 0);
}

TEST_F(Faults, ASecondEngineDoesNotTakeTheFirstOnesSocket) {
    ASSERT_TRUE(start());
    const Ended second = run(engine_arguments());
    EXPECT_EQ(second.status, 1);
    EXPECT_THAT(second.errors, HasSubstr("cannot start"));
    EXPECT_EQ(cli({"ps"}).status, 0);
}

TEST_F(Faults, AMissingRunFolderIsMade) {
    ASSERT_FALSE(fs::exists(run_dir()));
    ASSERT_TRUE(start());
    EXPECT_TRUE(fs::is_directory(run_dir() + "/containers"));
}

TEST_F(Faults, ARunFolderThatCannotBeMadeIsNamed) {
    dir_.write("run", "a file");
    const Ended ended = run(engine_arguments());
    EXPECT_EQ(ended.status, 1);
    EXPECT_THAT(ended.errors, HasSubstr("cannot start: open directory " + run_dir()));
}

/// A file system of its own over the run folder, seen by this process and its children alone.
class Mounted {
public:
    Mounted(std::string path, const char* options) : path_(std::move(path)) {
        if (::unshare(CLONE_NEWNS) != 0 ||
            ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
            return;
        }
        fs::create_directories(path_);
        mounted_ = ::mount("tmpfs", path_.c_str(), "tmpfs", 0, options) == 0;
    }
    ~Mounted() {
        if (mounted_) {
            ::umount2(path_.c_str(), MNT_DETACH);
        }
    }
    Mounted(const Mounted&) = delete;
    Mounted& operator=(const Mounted&) = delete;

    explicit operator bool() const { return mounted_; }
    void make_read_only() const {
        if (::mount(nullptr, path_.c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr) != 0) {
            throw std::runtime_error("remount");
        }
    }

private:
    std::string path_;
    bool mounted_ = false;
};

TEST_F(Faults, AReadOnlyRunFolderKeepsNothingAndTheSocketDoes) {
    const Mounted mounted(run_dir(), "size=1m");
    if (!mounted) {
        GTEST_SKIP() << "needs CAP_SYS_ADMIN for a mount namespace";
    }
    fs::create_directory(run_dir() + "/containers");
    fs::create_directory(run_dir() + "/attached");
    mounted.make_read_only();
    socket_option_ = dir_.path() + "/elsewhere.sock";
    ASSERT_TRUE(start()) << engine().errors();
    const Ended hook = run_container("web", reclaimed());
    EXPECT_THAT(hook.errors, HasSubstr("Read-only file system"));
    EXPECT_THAT(names(), ElementsAre("web"));
    EXPECT_TRUE(await_line("Read-only file system"));
    EXPECT_FALSE(await_reason("web", "reclaimed").is_null());
}

TEST_F(Faults, AReadOnlyRunFolderWithTheSocketInItIsNamed) {
    const Mounted mounted(run_dir(), "size=1m");
    if (!mounted) {
        GTEST_SKIP() << "needs CAP_SYS_ADMIN for a mount namespace";
    }
    mounted.make_read_only();
    const Ended ended = run(engine_arguments());
    EXPECT_EQ(ended.status, 1);
    EXPECT_THAT(ended.errors, HasSubstr("Read-only file system"));
}

TEST_F(Faults, AFullRunFolderKeepsNothingAndTheSocketDoes) {
    const Mounted mounted(run_dir(), "size=64k");
    if (!mounted) {
        GTEST_SKIP() << "needs CAP_SYS_ADMIN for a mount namespace";
    }
    socket_option_ = dir_.path() + "/elsewhere.sock";
    ASSERT_TRUE(start()) << engine().errors();
    EXPECT_THROW(dir_.write("run/filler", std::string(1U << 20U, 'x')), std::runtime_error);
    const Ended hook = run_container("web", reclaimed());
    EXPECT_THAT(hook.errors, HasSubstr("No space left"));
    EXPECT_THAT(names(), ElementsAre("web"));
    EXPECT_TRUE(await_line("No space left"));
    EXPECT_FALSE(await_reason("web", "reclaimed").is_null());
    EXPECT_THAT(records(), IsEmpty()); // no half of a record
    tree_.remove_group("/pods/web");
    EXPECT_TRUE(await([&] { return names().empty(); }));
}

TEST_F(Faults, ANodeWithoutTheMemoryControllerIsOneClearError) {
    tree_.set("/", "cgroup.controllers", "cpu io pids\n");
    const Ended ended = run(engine_arguments());
    EXPECT_EQ(ended.status, 1);
    EXPECT_THAT(ended.errors, HasSubstr("memory"));
    EXPECT_EQ(std::count(ended.errors.begin(), ended.errors.end(), '\n'), 1) << ended.errors;
    EXPECT_FALSE(fs::exists(socket()));
    const Ended probe = run({CGTIDE_DAEMON, "--root", tree_.path(), "--probe"});
    EXPECT_EQ(probe.status, 0);
    const json capabilities = json::parse(probe.output)["capabilities"];
    ASSERT_THAT(capabilities, SizeIs(1));
    EXPECT_EQ(capabilities[0]["required"], true);
    EXPECT_EQ(capabilities[0]["present"], false);
}

TEST_F(Faults, ANodeWithoutV2IsOneClearError) {
    tree_.dir().write("proc/self/mountinfo", "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n");
    const Ended ended = run(engine_arguments());
    EXPECT_EQ(ended.status, 1);
    EXPECT_THAT(ended.errors, HasSubstr("cgroup"));
    EXPECT_EQ(std::count(ended.errors.begin(), ended.errors.end(), '\n'), 1) << ended.errors;
}

TEST_F(Faults, TheProbePrintsCapabilitiesAndChangesNothing) {
    const Ended probe = run({CGTIDE_DAEMON, "--root", tree_.path(), "--probe"});
    EXPECT_EQ(probe.status, 0);
    EXPECT_GT(json::parse(probe.output)["capabilities"].size(), 10U);
    EXPECT_FALSE(fs::exists(tree_.path() + "/sys/fs/cgroup/cgtide"));
}

TEST_F(Faults, WithoutCapDacOverrideTheEngineRunsAndNamesIt) {
    wrapper_ = {"/usr/bin/setpriv", "--bounding-set", "-dac_override", "--inh-caps",
                "-dac_override"};
    std::vector<std::string> trial = wrapper_;
    trial.push_back("/bin/true");
    if (!fs::exists(wrapper_[0]) || run(trial).status != 0) {
        GTEST_SKIP() << "needs CAP_SETPCAP and setpriv (util-linux)";
    }
    ASSERT_TRUE(start()) << engine().errors();
    EXPECT_THAT(engine().errors(), HasSubstr("CAP_DAC_OVERRIDE is missing"));
    const Ended doctor = cli({"doctor", "--json"});
    const json reply = json::parse(doctor.output);
    for (const json& capability : reply["capabilities"]) {
        if (capability["name"] == "CAP_DAC_OVERRIDE") {
            EXPECT_EQ(capability["present"], false);
        }
    }
    EXPECT_THAT(doctor.output, HasSubstr("CAP_DAC_OVERRIDE"));
    ASSERT_EQ(run_container("web", reclaimed()).status, 0);
    EXPECT_FALSE(await_reason("web", "reclaimed").is_null());
}

TEST_F(Faults, UsageErrorsAreStatus2) {
    EXPECT_EQ(run({CGTIDE_DAEMON, "--frobnicate"}).status, 2);
    EXPECT_EQ(run({CGTIDE_DAEMON, "--sandbox", "off"}).status, 2);
    EXPECT_EQ(run({CGTIDE_DAEMON, "extra"}).status, 2);
    const Ended help = run({CGTIDE_DAEMON, "--help"});
    EXPECT_EQ(help.status, 0);
    EXPECT_THAT(help.output, HasSubstr("Examples:"));
    EXPECT_EQ(run({CGTIDE_DAEMON, "--version"}).output.rfind("cgtided ", 0), 0U);
}

TEST_F(Faults, BadSettingsAtTheStartAreNamed) {
    dir_.write("cgtide.toml", "[bound]\n");
    const Ended bad = run(engine_arguments());
    EXPECT_EQ(bad.status, 1);
    EXPECT_THAT(bad.errors, HasSubstr("line 1: bound"));
    fs::remove(config());
    const Ended missing = run(engine_arguments());
    EXPECT_EQ(missing.status, 1);
    EXPECT_THAT(missing.errors, HasSubstr(config()));
}

TEST_F(Faults, TheCliTellsItsFailuresApart) {
    EXPECT_EQ(cli({"ps"}).status, 3);
    EXPECT_THAT(cli({"ps"}).errors, HasSubstr("is cgtided running?"));
    ASSERT_TRUE(start());
    EXPECT_EQ(cli({"ps"}).status, 0);
    EXPECT_EQ(cli({"ps", "--json"}).output.front(), '{');
    EXPECT_EQ(cli({"frobnicate"}).status, 2);
    EXPECT_EQ(cli({"inspect"}).status, 2);
    EXPECT_EQ(cli({"inspect", "nobody"}).status, 4);
    EXPECT_EQ(cli({"explain", "nobody"}).status, 4);
    ASSERT_EQ(run_container("web1", kStat).status, 0);
    ASSERT_EQ(run_container("web2", kStat).status, 0);
    EXPECT_EQ(cli({"inspect", "web"}).status, 1);
    EXPECT_EQ(cli({"inspect", "web1"}).status, 0);
}

} // namespace
} // namespace cgtide::daemon
