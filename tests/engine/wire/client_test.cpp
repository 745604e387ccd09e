#include "engine/wire/client.hpp"
#include "engine/wire/interface.hpp"
#include "tests/support/temp_dir.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/socket.h>
#include <sys/un.h>

namespace cgtide::wire {
namespace {

using std::string_literals::operator""s;
using nlohmann::json;

TimePoint in(Microseconds time) {
    return std::chrono::steady_clock::now() + time;
}

constexpr Microseconds kLong{20'000'000};
constexpr Microseconds kShort{50'000};

/// A listening socket; `serve` gives one client to a function on a thread of its own.
class Listener {
public:
    explicit Listener(int backlog = 8) : path_(folder_.path() + "/s") {
        fd_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(static_cast<char*>(address.sun_path), path_.data(), path_.size());
        EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
        EXPECT_EQ(::listen(fd_.get(), backlog), 0);
    }
    ~Listener() {
        if (thread_.joinable()) {
            thread_.join();
        }
    }
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    void serve(std::function<void(int)> client) {
        thread_ = std::thread([this, client = std::move(client)] {
            const UniqueFd peer(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC));
            client(peer.get());
        });
    }
    const std::string& path() const { return path_; }

private:
    test::TempDir folder_;
    std::string path_;
    UniqueFd fd_;
    std::thread thread_;
};

/// The one frame that a client sends before it waits.
std::string read_frame(int fd) {
    std::string frame;
    std::array<char, 65536> chunk{};
    while (frame.empty() || frame.back() != '\0') {
        const ssize_t got = ::recv(fd, chunk.data(), chunk.size(), 0);
        if (got <= 0) {
            return {};
        }
        frame.append(chunk.data(), static_cast<std::size_t>(got));
    }
    frame.pop_back();
    return frame;
}

void write_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) {
            return;
        }
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
}

TEST(WireClient, CallsAndReadsTheReply) {
    Listener listener;
    std::string seen;
    listener.serve([&](int fd) {
        seen = read_frame(fd);
        write_all(fd, "{\"parameters\":{\"name\":"s);
        write_all(fd, "\"web\"}}\0"s);
    });
    auto client = Client::connect(listener.path(), in(kLong));
    ASSERT_TRUE(client) << client.error().message();
    const auto reply = client->call(method::kInspect, {{"name", "we"}}, in(kLong));
    ASSERT_TRUE(reply) << reply.error().message();
    EXPECT_EQ((*reply)["name"], "web");
    EXPECT_EQ(json::parse(seen), json::parse(R"({"method":"io.cgtide.Engine.Inspect",
                                                 "parameters":{"name":"we"}})"));
}

TEST(WireClient, CarriesMegabytesBothWays) {
    Listener listener;
    const std::string big(3U << 20U, 'x');
    listener.serve([&](int fd) {
        const json call = json::parse(read_frame(fd));
        write_all(fd, json{{"parameters", call["parameters"]}}.dump() + '\0');
    });
    auto client = Client::connect(listener.path(), in(kLong));
    ASSERT_TRUE(client);
    const auto reply = client->call(method::kList, {{"text", big}}, in(kLong));
    ASSERT_TRUE(reply) << reply.error().message();
    EXPECT_EQ((*reply)["text"], big);
}

TEST(WireClient, MapsVarlinkErrors) {
    const std::pair<std::string_view, Errc> cases[] = {
        {error::kNoSuchContainer, Errc::not_found},  {error::kAmbiguousName, Errc::conflict},
        {error::kRefused, Errc::conflict},           {error::kPermissionDenied, Errc::denied},
        {error::kMethodNotFound, Errc::unsupported}, {error::kInvalidParameter, Errc::malformed},
        {"com.example.Other", Errc::malformed},
    };
    for (const auto& [name, code] : cases) {
        EXPECT_EQ(code_of(name), code) << name;
    }
    Listener listener;
    listener.serve([](int fd) {
        read_frame(fd);
        write_all(fd, encode_reply({R"({"name":"web"})", std::string(error::kNoSuchContainer)}));
    });
    auto client = Client::connect(listener.path(), in(kLong));
    ASSERT_TRUE(client);
    const auto reply = client->call(method::kInspect, {{"name", "web"}}, in(kLong));
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, Errc::not_found);
    EXPECT_EQ(reply.error().detail, R"(io.cgtide.Engine.NoSuchContainer {"name":"web"})");
}

TEST(WireClient, SaysWhereNoEngineIs) {
    const test::TempDir folder;
    const auto absent = Client::connect(folder.path() + "/s", in(kLong));
    ASSERT_FALSE(absent);
    EXPECT_EQ(absent.error().code, std::errc::no_such_file_or_directory);
    const auto overlong = Client::connect("/" + std::string(200, 'a'), in(kLong));
    ASSERT_FALSE(overlong);
    EXPECT_EQ(overlong.error().code, Errc::out_of_range);
}

TEST(WireClient, GivesUpOnAnEngineThatNeverAccepts) {
    Listener listener;
    auto client = Client::connect(listener.path(), in(kLong));
    ASSERT_TRUE(client);
    const auto reply = client->call(method::kList, json::object(), in(kShort));
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, Errc::timeout);
}

TEST(WireClient, GivesUpSendingToAnEngineThatNeverReads) {
    Listener listener;
    auto client = Client::connect(listener.path(), in(kLong));
    ASSERT_TRUE(client);
    const auto reply =
        client->call(method::kList, {{"x", std::string(8U << 20U, 'x')}}, in(kShort));
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, Errc::timeout);
}

TEST(WireClient, AFullBacklogIsAnErrorAtOnce) {
    Listener listener(0);
    std::vector<Client> waiting;
    for (int i = 0; i < 64; ++i) {
        auto client = Client::connect(listener.path(), kNoDeadline);
        if (!client) {
            EXPECT_EQ(client.error().code, std::errc::resource_unavailable_try_again);
            return;
        }
        waiting.push_back(std::move(*client));
    }
    FAIL() << "64 connections fit into a backlog of 0";
}

TEST(WireClient, APassedDeadlineDoesNotEvenConnect) {
    Listener listener;
    const auto client = Client::connect(listener.path(), in(Microseconds{-1}));
    ASSERT_FALSE(client);
    EXPECT_EQ(client.error().code, Errc::timeout);
}

TEST(WireClient, ReportsAnEngineThatHangsUpOrBabbles) {
    {
        Listener listener;
        listener.serve([](int fd) { read_frame(fd); });
        auto client = Client::connect(listener.path(), in(kLong));
        ASSERT_TRUE(client);
        const auto reply = client->call(method::kList, json::object(), in(kLong));
        ASSERT_FALSE(reply);
        EXPECT_EQ(reply.error().code, std::errc::connection_reset);
    }
    Listener listener;
    listener.serve([](int fd) {
        read_frame(fd);
        write_all(fd, "HTTP/1.1 400\r\n\0"s);
    });
    auto client = Client::connect(listener.path(), in(kLong));
    ASSERT_TRUE(client);
    const auto reply = client->call(method::kList, json::object(), in(kLong));
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, Errc::malformed);
}

} // namespace
} // namespace cgtide::wire
