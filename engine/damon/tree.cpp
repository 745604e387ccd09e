#include "engine/damon/tree.hpp"

#include "cgroup/base/text.hpp"

#include <algorithm>
#include <thread>

namespace cgtide::damon {

namespace {

bool is_busy(const Error& error) {
    return error.code == std::errc::device_or_resource_busy;
}

/// Calls until it is not EBUSY or time is out. Its pauses grow, for the lock is held for
/// microseconds by a reader and for seconds by a commit.
template <class Call>
auto patiently(Microseconds patience, Call call) {
    constexpr Microseconds kFirstPause{500};
    constexpr Microseconds kLongestPause{50'000};
    const auto end = std::chrono::steady_clock::now() + patience;
    Microseconds pause = kFirstPause;
    for (;;) {
        auto done = call();
        if (done || !is_busy(done.error()) || std::chrono::steady_clock::now() >= end) {
            return done;
        }
        std::this_thread::sleep_for(pause);
        pause = std::min(2 * pause, kLongestPause);
    }
}

/// What the kernel means by an error of a write: its names say little, and ENOMEM is what it makes
/// of a bad path of a cgroup.
std::string_view meaning(const Error& error, const std::string& path) {
    if (is_busy(error)) {
        return ": busy all the time; another user or module of the kernel holds DAMON";
    }
    if (!path.ends_with("/state")) {
        return "";
    }
    if (error.code == std::errc::invalid_argument) {
        return ": the pid of a target is gone, or a value is out of range";
    }
    if (error.code == std::errc::not_enough_memory) {
        return ": a memcg path that the kernel does not know, or no memory";
    }
    return "";
}

} // namespace

Result<std::string> Tree::read(const std::string& path) const {
    auto text = patiently(patience_, [&] { return files_->read(path); });
    if (!text) {
        Error error = std::move(text.error());
        error.op = "read DAMON's";
        error.detail = path + std::string(meaning(error, path));
        return tl::unexpected(std::move(error));
    }
    text->erase(text->find_last_not_of('\n') + 1);
    return text;
}

Result<std::uint64_t> Tree::number(const std::string& path) const {
    return read(path).and_then([&](const std::string& text) -> Result<std::uint64_t> {
        if (const auto value = to_u64(text)) {
            return *value;
        }
        return fail(Errc::malformed, "read DAMON's", path + ": '" + printable(text) + "'");
    });
}

bool Tree::has(const std::string& path) const {
    return read(path).has_value();
}

Result<void> Tree::write(const std::string& path, std::string_view text) {
    auto done = patiently(patience_, [&] { return files_->write(path, text); });
    if (!done) {
        Error error = std::move(done.error());
        error.op = "write DAMON's";
        error.detail = path + " '" + std::string(text) + "'" + std::string(meaning(error, path));
        return tl::unexpected(std::move(error));
    }
    return done;
}

Result<int> Tree::worker(std::size_t slot) const {
    const std::string path = slot_path(slot, "pid");
    return read(path).and_then([&](const std::string& text) -> Result<int> {
        constexpr std::uint64_t kMaxPid = 1U << 22U;
        if (text == "-1") {
            return 0;
        }
        const auto pid = to_u64(text);
        if (!pid || *pid == 0 || *pid > kMaxPid) {
            return fail(Errc::malformed, "read DAMON's", path + ": '" + printable(text) + "'");
        }
        return static_cast<int>(*pid);
    });
}

std::string slot_path(std::size_t slot, std::string_view file) {
    return std::to_string(slot) + "/" + std::string(file);
}

} // namespace cgtide::damon
