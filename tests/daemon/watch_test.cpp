#include "engine/wire/interface.hpp"
#include "tests/daemon/node.hpp"

#include <csignal>
#include <sstream>

namespace cgtide::daemon {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class Watch : public Node {
protected:
    std::vector<std::string> watch(const std::vector<std::string>& more) const {
        std::vector<std::string> words{CGTIDE_CLI, "--socket", socket(), "watch"};
        words.insert(words.end(), more.begin(), more.end());
        return words;
    }

    /// Starts a watch and waits for what it prints first.
    void begin(const std::vector<std::string>& more) {
        watch_.emplace(watch(more));
        ASSERT_TRUE(watch_->await([&] { return !watch_->output().empty(); })) << watch_->errors();
    }

    std::optional<Program> watch_;
};

TEST_F(Watch, PrintsALineOfJsonAPeriod) {
    ASSERT_TRUE(start());
    ASSERT_EQ(run_container("web", kStat).status, 0);
    const Ended ended = cli({"watch", "--period", "1s", "--count", "2", "--json"});
    EXPECT_EQ(ended.status, 0) << ended.errors;
    std::istringstream lines(ended.output);
    std::vector<json> replies;
    for (std::string line; std::getline(lines, line);) {
        replies.push_back(json::parse(line));
    }
    ASSERT_EQ(replies.size(), 2U);
    EXPECT_EQ(replies[0]["rows"][0]["name"], "web");
    EXPECT_GE(replies[1]["at_ms"], replies[0]["at_ms"]);
}

TEST_F(Watch, AppendsBlocksWhereNoTerminalIs) {
    ASSERT_TRUE(start());
    ASSERT_EQ(run_container("web", kStat).status, 0);
    const Ended ended = cli({"watch", "web", "--period", "1s", "--count", "2"});
    EXPECT_EQ(ended.status, 0) << ended.errors;
    const std::size_t first = ended.output.find("SENSOR");
    ASSERT_NE(first, std::string::npos) << ended.output;
    EXPECT_NE(ended.output.find("SENSOR", first + 1), std::string::npos) << ended.output;
    EXPECT_THAT(ended.output, HasSubstr("no idle times: no sensor has told of web yet"));
    EXPECT_THAT(ended.output, Not(HasSubstr("\x1b")));
}

TEST_F(Watch, DrawsATerminalAnew) {
    ASSERT_TRUE(start());
    std::string line;
    for (const std::string& word : watch({"--count", "1"})) {
        line += word + ' ';
    }
    const Ended ended =
        run({"/usr/bin/script", "--quiet", "--return", "--command", line, "/dev/null"});
    EXPECT_EQ(ended.status, 0) << ended.errors;
    EXPECT_THAT(ended.output, HasSubstr("\x1b[H\x1b[2J"));
    EXPECT_THAT(ended.output, HasSubstr("SENSOR"));
}

TEST_F(Watch, EndsWellAtASignal) {
    ASSERT_TRUE(start());
    for (const int signal : {SIGINT, SIGTERM}) {
        begin({"--period", "1h"});
        watch_->signal(signal);
        const Ended ended = watch_->wait();
        EXPECT_EQ(ended.status, 0) << ended.errors;
        EXPECT_THAT(ended.errors, IsEmpty());
    }
}

TEST_F(Watch, EndsWithTheContainer) {
    ASSERT_TRUE(start());
    ASSERT_EQ(run_container("web", kStat).status, 0);
    begin({"web", "--period", "1s"});
    tree_.remove_group("/pods/web");
    const Ended ended = watch_->wait();
    EXPECT_EQ(ended.status, 1);
    EXPECT_THAT(ended.errors, HasSubstr("web has ended; cgtide explain web tells"));
}

TEST_F(Watch, EndsWithTheEngine) {
    ASSERT_TRUE(start());
    begin({"--period", "1h"});
    engine().signal(SIGTERM);
    EXPECT_EQ(engine().wait().status, 0); // it does not wait for the next period
    const Ended ended = watch_->wait();
    EXPECT_EQ(ended.status, 3);
    EXPECT_THAT(ended.errors, HasSubstr("the engine closed the connection"));
}

TEST_F(Watch, NobodyIsNoContainer) {
    ASSERT_TRUE(start());
    EXPECT_EQ(cli({"watch", "nobody"}).status, 4);
    const Ended much = cli({"watch", "--period", "2h"});
    EXPECT_EQ(much.status, 1);
    EXPECT_THAT(much.errors, HasSubstr("period_us"));
}

} // namespace
} // namespace cgtide::daemon
