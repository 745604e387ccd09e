#include "engine/cli/options.hpp"

#include <initializer_list>
#include <vector>

#include <gtest/gtest.h>

namespace cgtide::cli {
namespace {

std::variant<Options, Output> parse(std::initializer_list<const char*> arguments) {
    std::vector<const char*> argv{"cgtide"};
    argv.insert(argv.end(), arguments);
    return parse_options(static_cast<int>(argv.size()), argv.data());
}

Options good(std::initializer_list<const char*> arguments) {
    const auto parsed = parse(arguments);
    const auto* options = std::get_if<Options>(&parsed);
    EXPECT_NE(options, nullptr) << std::get<Output>(parsed).err;
    return options != nullptr ? *options : Options{};
}

TEST(CliOptions, EachCommandIsKnown) {
    const Options ps = good({"ps", "--all", "--json"});
    EXPECT_EQ(ps.command, Command::ps);
    EXPECT_TRUE(ps.all);
    EXPECT_TRUE(ps.json);
    EXPECT_EQ(ps.socket, "/run/cgtide/cgtide.sock");
    EXPECT_EQ(good({"inspect", "web"}).name, "web");
    const Options what_if = good({"what-if", "web", "--idle", "5m"});
    EXPECT_EQ(what_if.command, Command::what_if);
    EXPECT_EQ(what_if.idle, Microseconds(300'000'000));
    EXPECT_EQ(good({"what-if", "web"}).idle, Microseconds(0));
    EXPECT_EQ(good({"suggest", "web"}).command, Command::suggest);
    EXPECT_EQ(good({"tier", "--json"}).command, Command::tier);
    const Options idle = good({"idle", "web", "--json"});
    EXPECT_EQ(idle.command, Command::idle);
    EXPECT_EQ(idle.name, "web");
    EXPECT_TRUE(idle.json);
    const Options explain = good({"explain", "web", "--last", "5"});
    EXPECT_EQ(explain.command, Command::explain);
    EXPECT_EQ(explain.last, 5U);
    const Options attach = good({"attach", "web", "reclaim"});
    EXPECT_EQ(attach.command, Command::attach);
    EXPECT_EQ(attach.app, "reclaim");
    EXPECT_EQ(good({"detach", "web", "stat"}).command, Command::detach);
    EXPECT_EQ(good({"doctor"}).command, Command::doctor);
    const Options hooks = good({"hooks", "--bundle", "/b", "--remove", "--dry-run"});
    EXPECT_EQ(hooks.bundle, "/b");
    EXPECT_TRUE(hooks.remove);
    EXPECT_TRUE(hooks.dry_run);
}

TEST(CliOptions, AWatchIsOfAllOrOfOne) {
    const Options all = good({"watch"});
    EXPECT_EQ(all.command, Command::watch);
    EXPECT_EQ(all.name, "");
    EXPECT_EQ(all.period, Microseconds(0));
    EXPECT_EQ(all.count, 0U);
    const Options one = good({"watch", "web", "--period", "10s", "--count", "3", "--json"});
    EXPECT_EQ(one.name, "web");
    EXPECT_EQ(one.period, Microseconds(10'000'000));
    EXPECT_EQ(one.count, 3U);
    EXPECT_TRUE(one.json);
}

TEST(CliOptions, ReleaseIsACommandOfDamon) {
    EXPECT_EQ(good({"damon", "release", "--socket", "/s"}).command, Command::damon_release);
    EXPECT_EQ(good({"damon", "release", "--socket", "/s"}).socket, "/s");
    const auto help = std::get<Output>(parse({"damon", "release", "--help"}));
    EXPECT_NE(help.out.find("cgtided is restarted"), std::string::npos) << help.out;
    for (const auto& arguments : std::initializer_list<std::initializer_list<const char*>>{
             {"damon"}, {"damon", "take"}, {"release"}, {"damon", "release", "web"}}) {
        EXPECT_EQ(std::get<Output>(parse(arguments)).status, status::kUsage);
    }
}

TEST(CliOptions, PauseAndResumeAreOfTheWholeNode) {
    EXPECT_EQ(good({"pause", "--json"}).command, Command::pause);
    EXPECT_TRUE(good({"pause", "--json"}).json);
    EXPECT_EQ(good({"resume", "--socket", "/s"}).command, Command::resume);
    EXPECT_EQ(std::get<Output>(parse({"pause", "web"})).status, status::kUsage);
    EXPECT_EQ(std::get<Output>(parse({"resume", "web"})).status, status::kUsage);
}

TEST(CliOptions, TheSocketStandsBeforeOrAfterTheCommand) {
    EXPECT_EQ(good({"--socket", "/s", "ps"}).socket, "/s");
    EXPECT_EQ(good({"ps", "--socket", "/s"}).socket, "/s");
}

TEST(CliOptions, MistakesAreUsage) {
    for (const auto& arguments : std::initializer_list<std::initializer_list<const char*>>{
             {},
             {"fly"},
             {"inspect"},
             {"idle"},
             {"what-if"},
             {"what-if", "web", "--idle", "5"},
             {"suggest"},
             {"attach", "web"},
             {"ps", "--colour"},
             {"watch", "web", "--period", "500ms"},
             {"watch", "--period", "often"},
             {"watch", "--count", "0"},
             {"explain", "web", "--last", "0"},
             {"explain", "web", "--last", "many"},
             {"hooks", "--remove"},
             {"ps", "stray"}}) {
        const auto parsed = parse(arguments);
        const auto* output = std::get_if<Output>(&parsed);
        ASSERT_NE(output, nullptr);
        EXPECT_EQ(output->status, status::kUsage);
        EXPECT_FALSE(output->err.empty());
    }
}

TEST(CliOptions, HelpOfEachCommandHasAnExample) {
    for (const char* command : {"ps", "inspect", "explain", "idle", "watch", "attach", "detach",
                                "pause", "resume", "doctor", "hooks"}) {
        const auto output = std::get<Output>(parse({command, "--help"}));
        EXPECT_EQ(output.status, status::kOk);
        EXPECT_NE(output.out.find(std::string("Example:\n  cgtide ") + command), std::string::npos)
            << output.out;
    }
    EXPECT_EQ(std::get<Output>(parse({"--help"})).status, status::kOk);
}

TEST(CliOptions, TellsItsVersion) {
    const auto output = std::get<Output>(parse({"--version"}));
    EXPECT_EQ(output.status, status::kOk);
    EXPECT_EQ(output.out, "cgtide " CGTIDE_VERSION "\n");
}

} // namespace
} // namespace cgtide::cli
