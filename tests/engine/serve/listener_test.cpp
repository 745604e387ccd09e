#include "engine/serve/listener.hpp"
#include "tests/support/temp_dir.hpp"

#include <filesystem>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace cgtide::serve {
namespace {

namespace fs = std::filesystem;

class ListenerAt : public testing::Test {
protected:
    struct stat status() const {
        struct stat found {};
        EXPECT_EQ(::lstat(path.c_str(), &found), 0);
        return found;
    }

    test::TempDir folder;
    std::string path = folder.path() + "/cgtide.sock";
};

TEST_F(ListenerAt, IsForItsOwnerAloneWithoutAGroup) {
    const auto listener = Listener::bind(path, std::nullopt);
    ASSERT_TRUE(listener) << listener.error().message();
    EXPECT_TRUE(S_ISSOCK(status().st_mode));
    EXPECT_EQ(status().st_mode & 07777U, 0600U);
}

TEST_F(ListenerAt, IsForTheGroupWhereThereIsOne) {
    const auto listener = Listener::bind(path, ::getegid());
    ASSERT_TRUE(listener) << listener.error().message();
    EXPECT_EQ(status().st_mode & 07777U, 0660U);
    EXPECT_EQ(status().st_gid, ::getegid());
}

TEST_F(ListenerAt, RemovesItsFileAtItsEnd) {
    {
        const auto listener = Listener::bind(path, std::nullopt);
        ASSERT_TRUE(listener);
    }
    EXPECT_FALSE(fs::exists(path));
}

TEST_F(ListenerAt, LeavesTheFileOfAnother) {
    auto first = Listener::bind(path, std::nullopt);
    ASSERT_TRUE(first);
    const auto other = Listener::bind(folder.path() + "/other", std::nullopt);
    ASSERT_TRUE(other);
    fs::rename(folder.path() + "/other", path);
    { const Listener gone = std::move(*first); }
    EXPECT_TRUE(fs::exists(path));
    fs::remove(path);
}

TEST_F(ListenerAt, ReplacesWhatAKilledEngineLeft) {
    {
        auto killed = Listener::bind(path, std::nullopt);
        ASSERT_TRUE(killed);
        fs::create_hard_link(path, folder.path() + "/kept");
    }
    fs::rename(folder.path() + "/kept", path);
    const auto listener = Listener::bind(path, std::nullopt);
    EXPECT_TRUE(listener) << listener.error().message();
}

TEST_F(ListenerAt, LeavesALiveEngineAlone) {
    const auto live = Listener::bind(path, std::nullopt);
    ASSERT_TRUE(live);
    const auto second = Listener::bind(path, std::nullopt);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Errc::conflict);
    EXPECT_TRUE(fs::exists(path));
}

TEST_F(ListenerAt, NeverRemovesWhatIsNoSocket) {
    folder.write("cgtide.sock", "text");
    const auto listener = Listener::bind(path, std::nullopt);
    ASSERT_FALSE(listener);
    EXPECT_EQ(listener.error().code, Errc::conflict);
    EXPECT_EQ(folder.read("cgtide.sock"), "text");
}

TEST_F(ListenerAt, NamesAFolderThatIsMissingAndAPathThatIsTooLong) {
    const auto missing = Listener::bind(folder.path() + "/no/s", std::nullopt);
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, std::errc::no_such_file_or_directory);
    const auto overlong = Listener::bind("/" + std::string(200, 'a'), std::nullopt);
    ASSERT_FALSE(overlong);
    EXPECT_EQ(overlong.error().code, Errc::out_of_range);
}

TEST_F(ListenerAt, AdoptsAnInheritedSocketAndLeavesItsFile) {
    auto made = Listener::bind(path, std::nullopt);
    ASSERT_TRUE(made);
    fs::create_hard_link(path, folder.path() + "/kept");
    {
        const auto adopted = Listener::adopt(UniqueFd(made->release()));
        ASSERT_TRUE(adopted) << adopted.error().message();
    }
    EXPECT_TRUE(fs::exists(path));
    EXPECT_FALSE(Listener::adopt(UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0))));
}

} // namespace
} // namespace cgtide::serve
