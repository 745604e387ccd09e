#include "engine/cli/commands.hpp"
#include "engine/cli/probe.hpp"
#include "engine/cli/remote.hpp"
#include "engine/wire/interface.hpp"
#include "tests/support/temp_dir.hpp"

#include <filesystem>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace cgtide::cli {
namespace {

namespace fs = std::filesystem;
namespace error = wire::error;
using nlohmann::json;

/// Makes `bin/cgtided`, a script; \returns the folder.
std::string make_engine(const test::TempDir& folder, const std::string& script) {
    folder.write("bin/cgtided", "#!/bin/sh\n" + script);
    fs::permissions(folder.path() + "/bin/cgtided", fs::perms(0755));
    return folder.path() + "/bin";
}

Options at_no_engine(const test::TempDir& folder, Command command) {
    Options options;
    options.command = command;
    options.name = "web";
    options.app = "stat";
    options.socket = folder.path() + "/none.sock";
    return options;
}

TEST(CliErrors, EachHasItsExitStatusAndWords) {
    const Output missing =
        explain_error({R"({"name":"we\u001bb"})", std::string(error::kNoSuchContainer)});
    EXPECT_EQ(missing.status, status::kNoSuchContainer);
    EXPECT_EQ(missing.err, "cgtide: no container is called we\\x1bb; cgtide ps --all lists them\n");
    const Output ambiguous = explain_error(
        {R"({"name":"w","matches":["web","web2"]})", std::string(error::kAmbiguousName)});
    EXPECT_EQ(ambiguous.status, status::kFailed);
    EXPECT_EQ(ambiguous.err, "cgtide: w may be any of these:\n  web\n  web2\n");
    EXPECT_EQ(explain_error({R"({"needs":"root"})", std::string(error::kPermissionDenied)}).err,
              "cgtide: not allowed: this takes root\n");
    EXPECT_EQ(
        explain_error({R"({"reason":"denied","message":"no grant"})", std::string(error::kRefused)})
            .err,
        "cgtide: refused (denied): no grant\n");
    EXPECT_EQ(explain_error({R"({"parameter":"app"})", std::string(error::kInvalidParameter)}).err,
              "cgtide: the engine does not accept this value of app\n");
    EXPECT_EQ(explain_error({"{}", "com.example.Odd"}).status, status::kFailed);
}

TEST(CliCommands, AnEngineThatIsNotThereHasAStatusOfItsOwn) {
    const test::TempDir folder;
    for (const Command command : {Command::ps, Command::stat, Command::inspect, Command::explain,
                                  Command::idle, Command::watch, Command::attach, Command::detach,
                                  Command::pause, Command::resume, Command::damon_release}) {
        const Output output = run(at_no_engine(folder, command), {});
        EXPECT_EQ(output.status, status::kUnreachable);
        EXPECT_NE(output.err.find("is cgtided running?"), std::string::npos) << output.err;
    }
}

TEST(CliDoctor, ProbesWithoutAnEngineAndSaysSo) {
    const test::TempDir folder;
    const std::string bin = make_engine(
        folder,
        R"(test "$1" = --probe && echo '{"capabilities":[{"name":"swap","present":true}]}')");
    const Output output = run(at_no_engine(folder, Command::doctor), {0, bin, ""});
    EXPECT_EQ(output.status, status::kOk) << output.err;
    EXPECT_NE(output.out.find("yes      swap\n"), std::string::npos) << output.out;
    EXPECT_NE(output.out.find("probed with " + bin + "/cgtided --probe"), std::string::npos);
}

TEST(CliDoctor, FailsWhereSomethingRequiredIsMissing) {
    const test::TempDir folder;
    const std::string bin = make_engine(
        folder,
        R"(echo '{"capabilities":[{"name":"memory","present":false,"required":true}]}'; exit 1)");
    Options options = at_no_engine(folder, Command::doctor);
    EXPECT_EQ(run(options, {0, bin, ""}).status, status::kFailed);
    options.json = true;
    const Output output = run(options, {0, bin, ""});
    EXPECT_EQ(output.status, status::kFailed);
    EXPECT_EQ(json::parse(output.out)["capabilities"][0]["name"], "memory");
}

TEST(CliDoctor, FailsWhereTheProbeFails) {
    const test::TempDir folder;
    for (const char* script :
         {"exit 3", "echo nonsense", "kill -9 $$", "head -c 3000000 /dev/zero"}) {
        const std::string bin = make_engine(folder, script);
        const Output output = run(at_no_engine(folder, Command::doctor), {0, bin, ""});
        EXPECT_EQ(output.status, status::kFailed) << script;
        EXPECT_FALSE(output.err.empty());
    }
    EXPECT_EQ(run(at_no_engine(folder, Command::doctor), {0, folder.path(), ""}).status,
              status::kUnreachable);
}

TEST(CliDoctor, FindsTheEngineBesideInSbinAndInPath) {
    const test::TempDir folder;
    const std::string bin = make_engine(folder, "");
    EXPECT_EQ(find_engine(bin, ""), bin + "/cgtided");
    folder.make("usr/bin");
    folder.make("usr/sbin");
    fs::rename(bin + "/cgtided", folder.path() + "/usr/sbin/cgtided");
    EXPECT_EQ(find_engine(folder.path() + "/usr/bin", ""),
              folder.path() + "/usr/bin/../sbin/cgtided");
    EXPECT_EQ(find_engine(bin, ":/nowhere:" + folder.path() + "/usr/sbin"),
              folder.path() + "/usr/sbin/cgtided");
    EXPECT_EQ(find_engine(bin, "/nowhere"), std::nullopt);
}

TEST(CliHooks, PrintsTheStanza) {
    Options options;
    options.command = Command::hooks;
    options.hook = "/opt/cgtide-hook";
    const Output output = run(options, {});
    EXPECT_EQ(output.status, status::kOk);
    const json stanza = json::parse(output.out);
    EXPECT_EQ(stanza["hooks"]["createRuntime"][0]["path"], "/opt/cgtide-hook");
    EXPECT_TRUE(stanza["hooks"].contains("poststop"));
}

TEST(CliHooks, AddsOnceAndRemovesFromABundle) {
    const test::TempDir folder;
    const std::string before = "{\n    \"ociVersion\": \"1.0.2\"\n}\n";
    folder.write("config.json", before);
    Options options;
    options.command = Command::hooks;
    options.bundle = folder.path();
    options.dry_run = true;
    EXPECT_EQ(run(options, {}).out, "would add createRuntime\nwould add poststop\n");
    EXPECT_EQ(folder.read("config.json"), before);
    options.dry_run = false;
    EXPECT_EQ(run(options, {}).out, "added createRuntime\nadded poststop\n");
    EXPECT_EQ(run(options, {}).out, "nothing to change\n");
    options.remove = true;
    EXPECT_EQ(run(options, {}).out, "removed createRuntime\nremoved poststop\n");
    EXPECT_EQ(folder.read("config.json"), before);
}

TEST(CliHooks, NamesABundleThatIsNone) {
    const test::TempDir folder;
    Options options;
    options.command = Command::hooks;
    options.bundle = folder.path() + "/none";
    EXPECT_EQ(run(options, {}).status, status::kFailed);
    options.bundle = folder.path();
    const Output output = run(options, {});
    EXPECT_EQ(output.status, status::kFailed);
    EXPECT_NE(output.err.find("config.json"), std::string::npos) << output.err;
}

} // namespace
} // namespace cgtide::cli
