#include "engine/core/run_dir.hpp"
#include "tests/support/temp_dir.hpp"

#include <filesystem>
#include <stdexcept>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace cgtide::core {
namespace {

namespace fs = std::filesystem;
using model::AppName;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

mode_t mode_of(const std::string& path) {
    struct stat info {};
    EXPECT_EQ(::stat(path.c_str(), &info), 0) << path;
    return info.st_mode & 07777U;
}

oci::Record record(const std::string& id, std::uint64_t cgroup = 4711) {
    oci::Record made;
    made.id = id;
    made.bundle = "/bundles/" + id;
    made.pid = 100;
    made.pid_start = 1000;
    made.cgroup_path = "/" + id;
    made.cgroup = CgroupId{cgroup};
    made.boot_id = "11111111-2222-3333-4444-555555555555";
    made.annotations = {{"cgtide.io/apps", "stat"}};
    return made;
}

std::string key_of(const oci::Record& made) {
    return oci::record_key(made.bundle, made.id);
}

class RunFolder : public testing::Test {
protected:
    RunFolder() : run_(open()) {}

    RunDir open() const {
        auto run = RunDir::open(path());
        if (!run) {
            throw std::runtime_error(run.error().message());
        }
        return std::move(*run);
    }
    std::string path() const { return dir_.path() + "/run"; }
    bool exists(const std::string& name) const { return fs::exists(path() + "/" + name); }
    void put(const std::string& name, std::string_view text) const {
        dir_.write("run/" + name, text);
    }

    test::TempDir dir_;
    RunDir run_;
};

TEST_F(RunFolder, IsMadeWithItsModes) {
    EXPECT_EQ(mode_of(path()), 0755U);
    EXPECT_EQ(mode_of(path() + "/containers"), 0700U);
    EXPECT_EQ(mode_of(path() + "/attached"), 0700U);
}

TEST_F(RunFolder, OneThatStandsIsTaken) {
    ASSERT_TRUE(run_.save("00000000000000aa", record("web")));
    EXPECT_THAT(open().scan()->entries, SizeIs(1));
}

TEST_F(RunFolder, OneThatCannotBeMadeIsNamed) {
    const auto below_file = RunDir::open("/proc/self/stat/run");
    ASSERT_FALSE(below_file);
    EXPECT_THAT(below_file.error().message(), HasSubstr("make run folder /proc/self/stat/run"));
    put("file", "");
    EXPECT_FALSE(RunDir::open(path() + "/file"));
}

TEST_F(RunFolder, ASavedRecordIsFoundAndPrivate) {
    const oci::Record web = record("web");
    ASSERT_TRUE(run_.save(key_of(web), web));
    EXPECT_EQ(mode_of(path() + "/containers/" + key_of(web) + ".json"), 0600U);
    const auto found = run_.scan();
    ASSERT_TRUE(found);
    ASSERT_THAT(found->entries, SizeIs(1));
    EXPECT_EQ(found->entries[0].key, key_of(web));
    EXPECT_EQ(*found->entries[0].record, web);
    EXPECT_FALSE(found->entries[0].stopped);
}

TEST_F(RunFolder, AMarkGoesWithItsRecord) {
    const oci::Record web = record("web");
    ASSERT_TRUE(run_.save(key_of(web), web));
    ASSERT_TRUE(run_.mark_stopped(key_of(web)));
    ASSERT_TRUE(run_.mark_stopped(key_of(web))); // twice is once
    const auto found = run_.scan();
    ASSERT_THAT(found->entries, SizeIs(1));
    EXPECT_TRUE(found->entries[0].stopped);
    EXPECT_THAT(found->orphans, IsEmpty());
}

TEST_F(RunFolder, BadAndNewerRecordsAreEntriesWithTheirError) {
    put("containers/00000000000000aa.json", "{");
    put("containers/00000000000000bb.json", R"({"version": 99})");
    put("containers/00000000000000cc.json", "");
    const auto found = run_.scan();
    ASSERT_THAT(found->entries, SizeIs(3));
    EXPECT_EQ(found->entries[0].record.error().code, Errc::malformed);
    EXPECT_EQ(found->entries[1].record.error().code, Errc::unsupported);
    EXPECT_EQ(found->entries[2].record.error().code, Errc::malformed);
}

TEST_F(RunFolder, ARecordThatIsTooLargeIsAnEntryWithItsError) {
    put("containers/00000000000000aa.json", std::string(2U << 20U, ' '));
    const auto found = run_.scan();
    ASSERT_THAT(found->entries, SizeIs(1));
    EXPECT_EQ(found->entries[0].record.error().code, Errc::out_of_range);
}

TEST_F(RunFolder, WhatAWriterLeftUnfinishedIsSweptOnceItIsOld) {
    using std::chrono::hours;
    const std::string hooks = "containers/.00000000000000aa.7.tmp";
    const std::string ours = "containers/.00000000000000bb.json.8.tmp";
    put("containers/.notes.tmp", "");
    put("containers/00000000000000cc.json", "{");
    EXPECT_FALSE(run_.scan()->unfinished);
    put(hooks, "{");
    put(ours, "");
    EXPECT_TRUE(run_.scan()->unfinished);
    EXPECT_EQ(run_.sweep(hours(1)).value(), 0);
    for (const std::string& name : {hooks, std::string("containers/.notes.tmp")}) {
        fs::last_write_time(path() + "/" + name, fs::file_time_type::clock::now() - hours(2));
    }
    EXPECT_EQ(run_.sweep(hours(1)).value(), 1);
    EXPECT_FALSE(exists(hooks));
    EXPECT_TRUE(exists(ours));
    EXPECT_TRUE(exists("containers/.notes.tmp"));
    EXPECT_TRUE(exists("containers/00000000000000cc.json"));
    EXPECT_TRUE(run_.scan()->unfinished);
}

TEST_F(RunFolder, FilesOfOthersAreLeftAlone) {
    put("containers/notes.json", "{}");
    put("containers/.notes.7.tmp", "{}");
    put("containers/.00000000000000aa.json", "{}");
    put("containers/00000000000000AA.json", "{}");
    put("containers/readme", "");
    put("containers/strange.stopped", "");
    const auto found = run_.scan();
    EXPECT_THAT(found->entries, IsEmpty());
    EXPECT_THAT(found->orphans, IsEmpty());
}

TEST_F(RunFolder, ALinkIsNotFollowed) {
    dir_.write("elsewhere.json", oci::encode_record(record("web")));
    fs::create_symlink(dir_.path() + "/elsewhere.json",
                       path() + "/containers/00000000000000aa.json");
    const auto found = run_.scan();
    ASSERT_THAT(found->entries, SizeIs(1));
    EXPECT_FALSE(found->entries[0].record);
}

TEST_F(RunFolder, AMarkWithoutARecordIsAnOrphan) {
    put("containers/00000000000000aa.stopped", "");
    const auto found = run_.scan();
    EXPECT_THAT(found->orphans, ElementsAre("00000000000000aa"));
}

TEST_F(RunFolder, ForgetRemovesRecordMarkAndAttachment) {
    const oci::Record web = record("web");
    const std::string key = key_of(web);
    ASSERT_TRUE(run_.save(key, web));
    ASSERT_TRUE(run_.mark_stopped(key));
    ASSERT_TRUE(run_.attach(key, {{AppName::reclaim}, {}}));
    ASSERT_TRUE(run_.forget(key, web.cgroup));
    EXPECT_FALSE(exists("containers/" + key + ".json"));
    EXPECT_FALSE(exists("containers/" + key + ".stopped"));
    EXPECT_FALSE(exists("attached/" + key + ".json"));
    EXPECT_TRUE(run_.forget(key, web.cgroup)); // what is gone needs no forgetting
}

TEST_F(RunFolder, ForgetLeavesTheRecordOfALaterContainerOfTheKey) {
    const std::string key = key_of(record("web"));
    ASSERT_TRUE(run_.save(key, record("web", 2)));
    ASSERT_TRUE(run_.attach(key, {{AppName::reclaim}, {}}));
    ASSERT_TRUE(run_.forget(key, CgroupId{1}));
    const auto found = run_.scan();
    ASSERT_THAT(found->entries, SizeIs(1));
    EXPECT_EQ(found->entries[0].record->cgroup, CgroupId{2});
    EXPECT_EQ(*run_.attachment(key), Attachment{}); // it was the earlier one's
    put("containers/" + key + ".json", R"({"version": 99})");
    ASSERT_TRUE(run_.forget(key, CgroupId{2}));
    EXPECT_THAT(run_.scan()->entries, SizeIs(1)); // a newer version's record is not ours to remove
    ASSERT_TRUE(run_.save(key, record("web", 2)));
    ASSERT_TRUE(run_.forget(key, CgroupId{2}));
    EXPECT_THAT(run_.scan()->entries, IsEmpty());
}

TEST_F(RunFolder, AttachmentsAreKeptAndTakenBack) {
    const std::string key = "00000000000000aa";
    EXPECT_EQ(*run_.attachment(key), Attachment{});
    const Attachment attachment{{AppName::reclaim}, {AppName::stat}};
    ASSERT_TRUE(run_.attach(key, attachment));
    EXPECT_EQ(*open().attachment(key), attachment);
    ASSERT_TRUE(run_.attach(key, {}));
    EXPECT_FALSE(exists("attached/" + key + ".json"));
    EXPECT_EQ(*run_.attachment(key), Attachment{});
}

TEST_F(RunFolder, AttachmentsOfLaterVersionsAreReadAsFarAsKnown) {
    put("attached/00000000000000aa.json", R"({"added": ["thp", "stat", 3], "new": {}})");
    const auto attachment = run_.attachment("00000000000000aa");
    ASSERT_TRUE(attachment);
    EXPECT_THAT(attachment->added, ElementsAre(AppName::stat));
    EXPECT_THAT(attachment->removed, IsEmpty());
}

TEST_F(RunFolder, AnAttachmentThatIsNoObjectIsAnError) {
    for (const char* text : {"", "[]", "{", "3"}) {
        put("attached/00000000000000aa.json", text);
        const auto attachment = run_.attachment("00000000000000aa");
        ASSERT_FALSE(attachment) << text;
        EXPECT_EQ(attachment.error().code, Errc::malformed);
    }
    put("attached/00000000000000aa.json", R"({"added": 3, "removed": null})");
    EXPECT_EQ(*run_.attachment("00000000000000aa"), Attachment{});
}

TEST_F(RunFolder, APauseIsKeptUntilItIsEnded) {
    EXPECT_FALSE(run_.paused().value());
    ASSERT_TRUE(run_.pause(true));
    ASSERT_TRUE(run_.pause(true)); // twice is once
    EXPECT_TRUE(open().paused().value());
    EXPECT_EQ(mode_of(path() + "/paused"), 0600U);
    ASSERT_TRUE(run_.pause(false));
    ASSERT_TRUE(run_.pause(false));
    EXPECT_FALSE(open().paused().value());
    EXPECT_FALSE(exists("paused"));
}

TEST_F(RunFolder, APauseThatCannotBeReadIsAnError) {
    fs::create_directory(path() + "/paused");
    EXPECT_FALSE(run_.paused());
    EXPECT_FALSE(run_.pause(true));
    EXPECT_FALSE(run_.pause(false));
    for (const auto& entry : fs::directory_iterator(path())) {
        EXPECT_FALSE(entry.path().filename().string().ends_with(".tmp")) << entry.path();
    }
}

TEST_F(RunFolder, ChangedMovesWithTheFolder) {
    const auto before = run_.changed();
    ASSERT_TRUE(before);
    const timespec past[2] = {{1, 0}, {1, 0}};
    ASSERT_EQ(::utimensat(AT_FDCWD, (path() + "/containers").c_str(), past, 0), 0);
    EXPECT_EQ(*run_.changed(), 1'000'000'000);
    put("containers/00000000000000aa.json", "{}");
    EXPECT_GE(*run_.changed(), *before);
}

TEST_F(RunFolder, AFailedSaveIsNamedAndLeavesNothing) {
    const oci::Record web = record("web");
    ASSERT_TRUE(run_.save(key_of(web), web));
    // A record that is a folder cannot be replaced by a file: any error of rename will do.
    fs::create_directory(path() + "/containers/00000000000000aa.json");
    const auto saved = run_.save("00000000000000aa", web);
    ASSERT_FALSE(saved);
    EXPECT_THAT(saved.error().message(), HasSubstr("00000000000000aa.json"));
    for (const auto& entry : fs::directory_iterator(path() + "/containers")) {
        EXPECT_FALSE(entry.path().filename().string().ends_with(".tmp")) << entry.path();
    }
}

} // namespace
} // namespace cgtide::core
