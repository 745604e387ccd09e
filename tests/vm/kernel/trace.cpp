#include "tests/vm/kernel/trace.hpp"

#include <array>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace cgtide::test {

namespace {

const std::string kInstance = "/sys/kernel/tracing/instances/cgtide";

void write_file(const std::string& path, std::string_view text) {
    std::ofstream file(path);
    file << text;
    if (!file.flush()) {
        throw std::runtime_error("cannot write " + path);
    }
}

} // namespace

std::optional<TracedRegion> parse_trace(const std::string& line) {
    // kdamond.0-123 [001] ..... 45.678901: damon_aggregated: target_id=0 nr_regions=3 4096-8192: 0
    // 7
    const auto event = line.find(": damon_aggregated: ");
    const auto name = line.find("kdamond.");
    if (event == std::string::npos || name == std::string::npos) {
        return std::nullopt;
    }
    TracedRegion traced;
    const auto dash = line.find('-', name);
    const auto time = line.rfind(' ', event);
    const int fields = std::sscanf(
        line.c_str() + event, ": damon_aggregated: target_id=%zu nr_regions=%zu %lu-%lu: %u %u",
        &traced.target, &traced.regions, &traced.region.range.start, &traced.region.range.end,
        &traced.region.accesses, &traced.region.age);
    if (fields != 6 || dash == std::string::npos || time == std::string::npos) {
        throw std::runtime_error("not understood: " + line);
    }
    traced.kdamond = std::stoi(line.substr(dash + 1));
    traced.seconds = std::stod(line.substr(time + 1));
    return traced;
}

Trace::Trace() {
    std::filesystem::create_directory(kInstance);
    write_file(kInstance + "/trace_clock", "mono");
    write_file(kInstance + "/events/damon/damon_aggregated/enable", "1");
    pipe_ =
        UniqueFd(::open((kInstance + "/trace_pipe").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    if (!pipe_) {
        throw std::runtime_error("no trace_pipe");
    }
}

Trace::~Trace() {
    pipe_.reset();
    ::rmdir(kInstance.c_str());
}

bool Trace::fill() {
    constexpr int kSecond = 1000;
    pollfd entry{.fd = pipe_.get(), .events = POLLIN, .revents = 0};
    if (::poll(&entry, 1, kSecond) <= 0) {
        return false;
    }
    std::array<char, 65536> buffer{};
    const ssize_t got = ::read(pipe_.get(), buffer.data(), buffer.size());
    if (got > 0) {
        text_.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return got > 0;
}

bool Trace::until(const std::function<bool(const TracedRegion&)>& done) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (std::chrono::steady_clock::now() < end) {
        const auto newline = text_.find('\n');
        if (newline == std::string::npos) {
            fill();
            continue;
        }
        const auto traced = parse_trace(text_.substr(0, newline));
        text_.erase(0, newline + 1);
        if (traced && done(*traced)) {
            return true;
        }
    }
    return false;
}

} // namespace cgtide::test
