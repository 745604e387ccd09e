#include "oci/install/bundle.hpp"
#include "tests/support/temp_dir.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

namespace cgtide::install {
namespace {

using nlohmann::ordered_json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kPlain = "{\n\t\"ociVersion\": \"1.0.2\",\n\t\"process\": {\n\t\t\"args\": "
                               "[\n\t\t\t\"sh\"\n\t\t]\n\t},\n\t\"annotations\": {\n\t\t\"z\": "
                               "\"1\",\n\t\t\"a\": \"2\"\n\t}\n}\n";

class Bundle : public testing::Test {
protected:
    Result<BundleChange> edit(BundleEdit edit = {}, const HookOptions& options = {}) {
        return edit_bundle(dir_.dir(), options, edit);
    }
    std::string error_of(const std::string& config) {
        dir_.write("config.json", config);
        const auto change = edit();
        EXPECT_EQ(dir_.read("config.json"), config);
        return change ? "" : change.error().message();
    }
    ordered_json config() { return ordered_json::parse(dir_.read("config.json")); }

    test::TempDir dir_;
};

TEST(Stanza, HasBothStagesWithATimeout) {
    HookOptions options;
    options.args = {"--run-dir", "/tmp/r"};
    const auto json = ordered_json::parse(stanza(options));
    for (const char* stage : {"createRuntime", "poststop"}) {
        const auto& hook = json["hooks"][stage][0];
        EXPECT_EQ(hook["path"], "/usr/libexec/cgtide/cgtide-hook");
        EXPECT_EQ(hook["args"], ordered_json({"cgtide-hook", "--run-dir", "/tmp/r"}));
        EXPECT_EQ(hook["timeout"], 10);
    }
    EXPECT_EQ(json["hooks"].size(), 2U);
}

TEST_F(Bundle, GetsTheHooksAndKeepsTheRest) {
    dir_.write("config.json", kPlain);
    const auto change = edit();
    ASSERT_TRUE(change) << change.error().message();
    EXPECT_THAT(change->added, ElementsAre("createRuntime", "poststop"));
    const std::string text = dir_.read("config.json");
    EXPECT_EQ(text, change->text);
    // All that stood there stands there still, byte by byte: tabs and the order of keys too.
    const std::string_view before(kPlain);
    EXPECT_TRUE(text.starts_with(before.substr(0, before.size() - 3)));
    EXPECT_TRUE(text.ends_with("\n}\n"));
    EXPECT_EQ(config()["hooks"], ordered_json::parse(stanza({}))["hooks"]);
}

TEST_F(Bundle, GetsThemOnce) {
    dir_.write("config.json", kPlain);
    ASSERT_TRUE(edit());
    const std::string once = dir_.read("config.json");
    const auto again = edit();
    ASSERT_TRUE(again);
    EXPECT_FALSE(again->changed());
    EXPECT_EQ(dir_.read("config.json"), once);
}

TEST_F(Bundle, RemovalBringsBackWhatWas) {
    dir_.write("config.json", kPlain);
    ASSERT_TRUE(edit());
    const auto change = edit({true, false});
    ASSERT_TRUE(change);
    EXPECT_THAT(change->removed, ElementsAre("createRuntime", "poststop"));
    EXPECT_EQ(dir_.read("config.json"), kPlain);
    EXPECT_FALSE(edit({true, false})->changed());
}

TEST_F(Bundle, OtherHooksStay) {
    dir_.write("config.json",
               R"({"hooks":{"createRuntime":[{"path":"/bin/other"}],"poststart":[]}})");
    ASSERT_TRUE(edit());
    EXPECT_EQ(config()["hooks"]["createRuntime"].size(), 2U);
    EXPECT_EQ(config()["hooks"]["createRuntime"][0]["path"], "/bin/other");
    ASSERT_TRUE(edit({true, false}));
    EXPECT_EQ(dir_.read("config.json"),
              R"({"hooks":{"createRuntime":[{"path":"/bin/other"}],"poststart":[]}})");
}

TEST_F(Bundle, AnOlderEntryIsBroughtUpToDateInItsPlace) {
    dir_.write("config.json",
               R"({"hooks":{"createRuntime":[{"path":"/old/cgtide-hook"},)"
               R"({"path":"/bin/other"},{"path":"/x","args":["/y/cgtide-hook"]}]}})");
    const auto change = edit();
    ASSERT_TRUE(change);
    EXPECT_THAT(change->updated, ElementsAre("createRuntime"));
    EXPECT_THAT(change->added, ElementsAre("poststop"));
    const auto list = config()["hooks"]["createRuntime"];
    ASSERT_EQ(list.size(), 2U);
    EXPECT_EQ(list[0]["path"], "/usr/libexec/cgtide/cgtide-hook");
    EXPECT_EQ(list[1]["path"], "/bin/other");
}

TEST_F(Bundle, ADryRunWritesNothing) {
    dir_.write("config.json", kPlain);
    const auto change = edit({false, true});
    ASSERT_TRUE(change);
    EXPECT_TRUE(change->changed());
    EXPECT_THAT(change->text, HasSubstr("createRuntime"));
    EXPECT_EQ(dir_.read("config.json"), kPlain);
}

TEST_F(Bundle, TheFileKeepsItsModeAndLeavesNoOther) {
    dir_.write("config.json", kPlain);
    const std::string path = dir_.path() + "/config.json";
    ASSERT_EQ(::chmod(path.c_str(), 0640), 0);
    ASSERT_TRUE(edit());
    struct stat info {};
    ASSERT_EQ(::stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777U, 0640U);
    EXPECT_THAT(dir_.dir().list().value(), ElementsAre("config.json"));
}

TEST_F(Bundle, NamesTheFieldThatIsWrong) {
    EXPECT_THAT(error_of("no json"), HasSubstr("config.json no valid JSON"));
    EXPECT_THAT(error_of(R"({"hooks":[]})"), HasSubstr("hooks: [] is no object"));
    EXPECT_THAT(error_of(R"({"hooks":{"poststop":{}}})"),
                HasSubstr("hooks.poststop: {} is no array"));
    EXPECT_THAT(error_of(R"({"hooks":{"createRuntime":[7]}})"),
                HasSubstr("hooks.createRuntime: 7 is no object"));
    EXPECT_THAT(error_of(R"({"a":1,"a":2})"), HasSubstr("a: duplicate key"));
}

TEST_F(Bundle, NamesAFileThatIsMissing) {
    const auto change = edit();
    ASSERT_FALSE(change);
    EXPECT_THAT(change.error().message(), HasSubstr("config.json"));
}

} // namespace
} // namespace cgtide::install
