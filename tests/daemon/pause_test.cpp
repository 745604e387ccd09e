#include "engine/wire/interface.hpp"
#include "tests/daemon/node.hpp"

#include <csignal>
#include <filesystem>

#include <fcntl.h>
#include <sys/stat.h>

namespace cgtide::daemon {
namespace {

namespace fs = std::filesystem;
namespace method = wire::method;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

class Pause : public Node {
protected:
    bool paused() const { return list()["paused"]; }
    /// Waits until requests were turned away in two periods.
    bool await_paused(const std::string& name) {
        return await([&] {
            const json entries = journal(name);
            return !entries.empty() && entries.back()["reason"] == "paused" &&
                   entries.back()["repeats"] >= 2;
        });
    }
};

TEST_F(Pause, DecidesAndAsksForNothingUntilItIsResumed) {
    ASSERT_TRUE(start());
    ASSERT_EQ(run_container("web", reclaimed()).status, 0);
    ASSERT_FALSE(await_reason("web", "reclaimed").is_null());
    EXPECT_FALSE(paused());
    const Ended pause = cli({"pause"});
    EXPECT_EQ(pause.status, 0) << pause.errors;
    EXPECT_EQ(pause.output, "paused: nothing is reclaimed on this node until cgtide resume\n");
    tree_.set("/pods/web", "memory.reclaim", "");
    ASSERT_TRUE(await_paused("web"));
    EXPECT_EQ(reclaimed_text("web"), "");
    const json kept = journal("web").back();
    EXPECT_EQ(kept["ask_bytes"], 0);
    EXPECT_EQ(kept["acted"], false);
    EXPECT_EQ(kept["inputs"], json({{"usage_bytes", 64U << 20U}}));
    EXPECT_EQ(kept["text"], "kept 64.0 MiB: reclaim is paused on this node");
    EXPECT_TRUE(paused());
    EXPECT_THAT(cli({"ps"}).output, HasSubstr("\n\npaused: nothing is reclaimed"));
    EXPECT_EQ(cli({"stat", "web"}).status, 0);
    EXPECT_EQ(json::parse(cli({"pause", "--json"}).output), json({{"under_way", 0}}));

    EXPECT_THAT(cli({"resume"}).output, HasSubstr("resumed"));
    EXPECT_TRUE(await_last("web", "reclaimed"));
    EXPECT_FALSE(paused());
    EXPECT_THAT(cli({"ps"}).output, Not(HasSubstr("paused")));
    EXPECT_EQ(cli({"resume"}).status, 0); // twice is once
}

TEST_F(Pause, LastsOverARestartUntilItIsResumed) {
    ASSERT_TRUE(start());
    ASSERT_EQ(run_container("web", reclaimed()).status, 0);
    ASSERT_EQ(cli({"pause"}).status, 0);
    EXPECT_TRUE(fs::is_regular_file(run_dir() + "/paused"));
    engine().signal(SIGKILL);
    engine().wait();
    tree_.set("/pods/web", "memory.reclaim", "");
    ASSERT_TRUE(start());
    EXPECT_THAT(engine().errors(), HasSubstr("paused: nothing is reclaimed until cgtide resume"));
    EXPECT_TRUE(paused());
    ASSERT_TRUE(await_paused("web"));
    EXPECT_EQ(reclaimed_text("web"), "");
    ASSERT_EQ(cli({"resume"}).status, 0);
    EXPECT_FALSE(fs::exists(run_dir() + "/paused"));
    EXPECT_TRUE(await_last("web", "reclaimed"));
}

TEST_F(Pause, EndsAWriteThatIsUnderWay) {
    ASSERT_TRUE(start());
    make_container("web");
    // Who opens it to write waits for a reader: a write that no signal ends.
    const std::string file = group_dir("web") + "/memory.reclaim";
    fs::remove(file);
    ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0);
    ASSERT_EQ(create("web", reclaimed()).status, 0);
    ASSERT_TRUE(await([&] {
        const json entries = journal("web");
        return !entries.empty() && entries.back()["reason"] == "busy";
    }));
    EXPECT_THAT(cli({"pause"}).output, HasSubstr("1 of the writes under way had not ended"));
    const UniqueFd reader(::open(file.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    ASSERT_TRUE(reader);
    const json entry = await_reason("web", "reclaimed");
    ASSERT_FALSE(entry.is_null());
    EXPECT_EQ(entry["outcome"]["end"], "interrupted"); // nothing was written any more
    ASSERT_TRUE(await_paused("web"));
    EXPECT_EQ(call(method::kPause, json::object()), json({{"under_way", 0}}));
}

TEST_F(Pause, WhatCannotBeKeptChangesNothing) {
    ASSERT_TRUE(start());
    ASSERT_EQ(run_container("web", reclaimed()).status, 0);
    fs::create_directory(run_dir() + "/paused");
    const Ended pause = cli({"pause"});
    EXPECT_EQ(pause.status, 1);
    EXPECT_THAT(pause.errors, HasSubstr("paused"));
    EXPECT_FALSE(paused());
    EXPECT_TRUE(await_last("web", "reclaimed"));

    fs::remove(run_dir() + "/paused");
    ASSERT_EQ(cli({"pause"}).status, 0);
    fs::remove(run_dir() + "/paused");
    fs::create_directory(run_dir() + "/paused");
    EXPECT_EQ(cli({"resume"}).status, 1);
    EXPECT_TRUE(paused());
    engine().signal(SIGTERM);
    EXPECT_EQ(engine().wait().status, 0);
    ASSERT_TRUE(start()); // nobody knows whether it is paused: then it is
    EXPECT_TRUE(paused());
}

} // namespace
} // namespace cgtide::daemon
