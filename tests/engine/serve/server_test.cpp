#include "engine/serve/peer.hpp"
#include "engine/serve/server.hpp"
#include "engine/wire/client.hpp"
#include "engine/wire/interface.hpp"
#include "tests/engine/serve/fake_control.hpp"
#include "tests/support/temp_dir.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <functional>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

namespace cgtide::serve {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using nlohmann::json;
using std::string_literals::operator""s;

constexpr gid_t kReaders = 54321;
constexpr uid_t kStranger = 54322;
constexpr std::chrono::seconds kPatience{20};

TimePoint soon() {
    return std::chrono::steady_clock::now() + kPatience;
}

/// A client that keeps to no protocol.
class Raw {
public:
    explicit Raw(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(static_cast<char*>(address.sun_path), path.data(), path.size());
        EXPECT_EQ(::connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    }

    /// \returns the bytes that went out before the server hung up.
    std::size_t send(std::string_view bytes) const {
        std::size_t sent = 0;
        while (sent < bytes.size()) {
            const ssize_t went =
                ::send(fd_.get(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
            if (went < 0) {
                break;
            }
            sent += static_cast<std::size_t>(went);
        }
        return sent;
    }
    void finish() const { ::shutdown(fd_.get(), SHUT_WR); }

    /// Waits until the server has hung up, reading nothing.
    bool hung_up() const {
        pollfd poll{fd_.get(), POLLRDHUP, 0};
        return ::poll(&poll, 1, static_cast<int>(kPatience / std::chrono::milliseconds{1})) == 1;
    }
    /// All that comes until the server hangs up.
    std::string rest() const {
        std::string text;
        std::array<char, 65536> chunk{};
        for (;;) {
            const ssize_t got = ::recv(fd_.get(), chunk.data(), chunk.size(), 0);
            if (got <= 0) {
                return text;
            }
            text.append(chunk.data(), static_cast<std::size_t>(got));
        }
    }

private:
    UniqueFd fd_;
};

class ServerAt : public testing::Test {
protected:
    void start(ServerOptions options = {}) {
        // A stranger must be able to reach the socket's folder.
        fs::permissions(folder.path(), fs::perms(0755));
        options.readers = readers();
        auto listener = Listener::bind(path, options.readers);
        ASSERT_TRUE(listener) << listener.error().message();
        server = std::make_unique<Server>(context.get_executor(), control, std::move(*listener),
                                          options);
        server->start();
        thread = std::thread([this] { context.run(); });
    }
    void stop() {
        if (thread.joinable()) {
            asio::co_spawn(context, server->stop(), asio::use_future).get();
            guard.reset();
            thread.join();
            server.reset();
        }
    }
    void TearDown() override { stop(); }

    static std::optional<gid_t> readers() {
        return ::geteuid() == 0 ? std::optional(kReaders) : std::nullopt;
    }
    wire::Client connect() const {
        auto client = wire::Client::connect(path, soon());
        EXPECT_TRUE(client) << client.error().message();
        return std::move(*client);
    }
    static Result<json> list(wire::Client& client) {
        return client.call(wire::method::kList, json::object(), soon());
    }
    /// Somebody else is being served as ever.
    void expect_served() const {
        auto client = connect();
        const auto reply = client.call(wire::method::kGetInfo, json::object(), soon());
        EXPECT_TRUE(reply) << reply.error().message();
    }
    /// Credentials belong to a thread in Linux; only libc makes them the process's.
    static void as(uid_t uid, gid_t gid, std::vector<gid_t> groups,
                   const std::function<void()>& work) {
        std::thread([&] {
            ASSERT_EQ(::syscall(SYS_setgroups, groups.size(), groups.data()), 0);
            ASSERT_EQ(::syscall(SYS_setresgid, gid, gid, gid), 0);
            ASSERT_EQ(::syscall(SYS_setresuid, uid, uid, uid), 0);
            work();
        }).join();
    }

    test::TempDir folder;
    std::string path = folder.path() + "/s";
    FakeControl control;
    asio::io_context context;
    asio::executor_work_guard<asio::io_context::executor_type> guard{context.get_executor()};
    std::unique_ptr<Server> server;
    std::thread thread;
};

class ServerAsRoot : public ServerAt {
protected:
    void SetUp() override {
        if (::geteuid() != 0) {
            GTEST_SKIP() << "needs root, to become somebody else";
        }
    }
};

TEST_F(ServerAt, AnswersCallAfterCallOfOneClient) {
    start();
    if (::geteuid() != 0) {
        GTEST_SKIP() << "needs root, or nobody may ask";
    }
    auto client = connect();
    for (int i = 0; i < 3; ++i) {
        const auto reply = list(client);
        ASSERT_TRUE(reply) << reply.error().message();
        EXPECT_EQ((*reply)["containers"][0]["name"], "web");
    }
}

TEST_F(ServerAsRoot, AnswersPipelinedCallsUpToTheEnd) {
    start();
    const Raw client(path);
    std::string calls;
    for (int i = 0; i < 100; ++i) {
        calls += wire::encode_call({std::string(wire::method::kList), "{}"});
    }
    client.send(calls);
    client.finish();
    const std::string replies = client.rest();
    EXPECT_EQ(std::count(replies.begin(), replies.end(), '\0'), 100);
}

TEST_F(ServerAsRoot, StreamsToWhoTakesMoreUntilTheContainerEnds) {
    control.most = 2;
    start();
    auto client = connect();
    wire::Call call{std::string(wire::method::kRecordRegions), R"({"name":"web"})"};
    call.more = true;
    auto reply = client.exchange(call, soon());
    ASSERT_TRUE(reply) << reply.error().message();
    EXPECT_TRUE(reply->continues);
    // Whoever waits no longer can ask again.
    const std::array<int, 2> ends = [] {
        std::array<int, 2> made{};
        EXPECT_EQ(::pipe2(made.data(), O_CLOEXEC), 0);
        return made;
    }();
    const UniqueFd in(ends[0]);
    const UniqueFd out(ends[1]);
    ASSERT_EQ(::write(out.get(), "x", 1), 1);
    reply = client.receive(soon(), in.get());
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, std::errc::interrupted);
    reply = client.receive(soon());
    ASSERT_TRUE(reply) << reply.error().message();
    EXPECT_TRUE(reply->continues);
    expect_served();
    reply = client.receive(soon());
    ASSERT_TRUE(reply) << reply.error().message();
    EXPECT_EQ(reply->error, wire::error::kRefused);
    EXPECT_FALSE(reply->continues);
    EXPECT_TRUE(list(client)) << "the connection is of use after a stream";
}

TEST_F(ServerAsRoot, StopEndsStreams) {
    start();
    auto client = connect();
    wire::Call call{std::string(wire::method::kRecordRegions), R"({"name":"web"})"};
    call.more = true;
    ASSERT_TRUE(client.exchange(call, soon()));
    stop();
    auto reply = client.receive(soon());
    while (reply) { // what was sent before
        reply = client.receive(soon());
    }
    EXPECT_EQ(reply.error().code, std::errc::connection_reset);
}

TEST_F(ServerAsRoot, ClosesAClientThatSendsGarbage) {
    start();
    const Raw client(path);
    client.send("GET / HTTP/1.1\r\n\r\n\0"s);
    EXPECT_EQ(client.rest(), "");
    expect_served();
}

TEST_F(ServerAsRoot, ClosesAClientThatStopsWithinAMessage) {
    ServerOptions options;
    options.limits.idle = Microseconds{100'000};
    start(options);
    const Raw client(path);
    client.send("{\"method\":\"io.cg");
    EXPECT_EQ(client.rest(), "");
    expect_served();
}

TEST_F(ServerAsRoot, ClosesAClientThatSends100MiBWithoutAnEnd) {
    start();
    const Raw client(path);
    const std::string mebibyte(1U << 20U, 'x');
    std::size_t sent = 0;
    for (int i = 0; i < 100; ++i) {
        const std::size_t went = client.send(mebibyte);
        sent += went;
        if (went < mebibyte.size()) {
            break;
        }
    }
    EXPECT_LT(sent, 8U << 20U);
    expect_served();
}

TEST_F(ServerAsRoot, ClosesAClientThatNeverReads) {
    ServerOptions options;
    options.limits.send = Microseconds{100'000};
    control.padding = 2U << 20U;
    start(options);
    const Raw client(path);
    client.send(wire::encode_call({std::string(wire::method::kList), "{}"}));
    expect_served();
    ASSERT_TRUE(client.hung_up());
    EXPECT_LT(client.rest().size(), control.padding);
    expect_served();
}

TEST_F(ServerAsRoot, TurnsAwayClientsBeyondTheLimit) {
    ServerOptions options;
    options.max_clients = 8;
    start(options);
    std::vector<wire::Client> inside;
    for (std::size_t i = 0; i < options.max_clients; ++i) {
        inside.push_back(connect());
        EXPECT_TRUE(list(inside.back()));
    }
    EXPECT_EQ(Raw(path).rest(), "");
    EXPECT_TRUE(list(inside.front())) << "those inside do not notice";
    inside.pop_back();
    bool served = false;
    for (const TimePoint end = soon(); !served && std::chrono::steady_clock::now() < end;) {
        auto client = connect();
        served = list(client).has_value();
    }
    EXPECT_TRUE(served) << "a place that was left is given again";
}

TEST_F(ServerAsRoot, ReadersCannotKeepRootOut) {
    ServerOptions options;
    options.max_clients = 8;
    start(options);
    std::vector<wire::Client> inside;
    as(kStranger, kReaders, {}, [&] {
        for (int i = 0; i < 6; ++i) {
            inside.push_back(connect());
            EXPECT_TRUE(list(inside.back()));
        }
        EXPECT_EQ(Raw(path).rest(), "");
    });
    expect_served();
}

TEST_F(ServerAsRoot, APeerWithoutRightsCannotConnect) {
    start();
    as(kStranger, kStranger, {}, [&] {
        const auto client = wire::Client::connect(path, soon());
        ASSERT_FALSE(client);
        EXPECT_EQ(client.error().code, std::errc::permission_denied);
    });
}

TEST_F(ServerAsRoot, APeerWithoutRightsIsToldSoWhereTheFileLetsItIn) {
    start();
    fs::permissions(path, fs::perms(0666));
    as(kStranger, kStranger, {kStranger + 1}, [&] {
        auto client = connect();
        for (const auto method : {wire::method::kList, wire::method::kGetInfo}) {
            const auto reply = client.call(method, json::object(), soon());
            ASSERT_FALSE(reply);
            EXPECT_EQ(reply.error().code, Errc::denied);
        }
    });
}

TEST_F(ServerAsRoot, AMemberBySupplementaryGroupReadsAndChangesNothing) {
    start();
    std::vector<gid_t> groups;
    for (gid_t gid = 60000; gid < 60060; ++gid) {
        groups.push_back(gid);
    }
    groups.push_back(kReaders);
    as(kStranger, kStranger, groups, [&] {
        auto client = connect();
        EXPECT_TRUE(list(client));
        const auto reply =
            client.call(wire::method::kAttach, {{"name", "web"}, {"app", "stat"}}, soon());
        ASSERT_FALSE(reply);
        EXPECT_EQ(reply.error().code, Errc::denied);
    });
    EXPECT_TRUE(control.asked.empty());
}

TEST_F(ServerAsRoot, StopClosesClientsAndRemovesTheSocket) {
    control.padding = 2U << 20U;
    start();
    auto waiting = connect();
    const Raw idle(path);
    const Raw full(path);
    full.send(wire::encode_call({std::string(wire::method::kList), "{}"}));
    EXPECT_TRUE(list(waiting)) << "meanwhile the reply to the other has begun, and cannot end";
    stop();
    EXPECT_EQ(idle.rest(), "");
    EXPECT_LT(full.rest().size(), control.padding);
    EXPECT_FALSE(fs::exists(path));
    EXPECT_FALSE(wire::Client::connect(path, soon()));
}

TEST(PeerOf, KnowsTheOtherEndOfASocket) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    const UniqueFd first(ends[0]);
    const UniqueFd second(ends[1]);
    const auto peer = peer_of(first.get());
    ASSERT_TRUE(peer) << peer.error().message();
    EXPECT_EQ(peer->uid, ::geteuid());
    EXPECT_EQ(peer->gid, ::getegid());
    EXPECT_EQ(peer->pid, ::getpid());
    EXPECT_FALSE(peer_of(-1));
}

TEST(GroupId, FindsAGroupByName) {
    EXPECT_EQ(group_id("root"), std::optional<gid_t>(0));
    EXPECT_EQ(group_id("no-such-group-here"), std::nullopt);
}

} // namespace
} // namespace cgtide::serve
