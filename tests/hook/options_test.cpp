#include "hook/options.hpp"

#include <vector>

#include <gmock/gmock.h>

namespace cgtide::hook {
namespace {

using Args = std::vector<const char*>;
using testing::HasSubstr;

std::string error_of(const Args& args) {
    const auto options = parse_options(args);
    return options ? "" : options.error().message();
}

TEST(HookOptions, DefaultsNeedNoEnvironment) {
    const auto options = parse_options(Args{});
    ASSERT_TRUE(options);
    EXPECT_EQ(options->run_dir, "/run/cgtide");
    EXPECT_EQ(options->socket, "/run/cgtide/cgtide.sock");
    EXPECT_EQ(options->root, "/");
    EXPECT_EQ(options->budget, std::chrono::milliseconds(80));
    EXPECT_FALSE(options->strict);
    EXPECT_FALSE(options->stage);
}

TEST(HookOptions, TakesValuesInBothForms) {
    const auto options =
        parse_options(Args{"--strict", "--run-dir", "/r", "--root=/fake", "--stage=poststop"});
    ASSERT_TRUE(options);
    EXPECT_TRUE(options->strict);
    EXPECT_EQ(options->run_dir, "/r");
    EXPECT_EQ(options->socket, "/r/cgtide.sock");
    EXPECT_EQ(options->root, "/fake/");
    EXPECT_EQ(options->stage, Stage::poststop);
    EXPECT_EQ(parse_options(Args{"--socket", "/s", "--run-dir", "/r"})->socket, "/s");
    EXPECT_EQ(parse_options(Args{"--budget", "1500"})->budget, std::chrono::milliseconds(1500));
    EXPECT_EQ(parse_options(Args{"--stage", "createRuntime"})->stage, Stage::create_runtime);
}

TEST(HookOptions, NamesWhatIsWrong) {
    EXPECT_THAT(error_of({"--wrong"}), HasSubstr("unknown argument '--wrong'"));
    EXPECT_THAT(error_of({"extra"}), HasSubstr("unknown argument 'extra'"));
    EXPECT_THAT(error_of({"--strict=no"}), HasSubstr("unknown argument '--strict'"));
    EXPECT_THAT(error_of({"--run-dir"}), HasSubstr("--run-dir: allowed is an absolute path"));
    EXPECT_THAT(error_of({"--socket", "rel"}), HasSubstr("--socket: "));
    for (const char* budget : {"", "9", "1501", "-1", "80ms"}) {
        EXPECT_THAT(error_of({"--budget", budget}), HasSubstr("10 to 1500"));
    }
    EXPECT_THAT(error_of({"--budget"}), HasSubstr("--budget"));
    EXPECT_THAT(error_of({"--stage", "prestart"}), HasSubstr("createRuntime, poststop"));
}

TEST(HookOptions, StrictIsSeenBesideAMistake) {
    EXPECT_TRUE(asks_strict(Args{"--wrong", "--strict"}));
    EXPECT_FALSE(asks_strict(Args{"--wrong"}));
}

} // namespace
} // namespace cgtide::hook
