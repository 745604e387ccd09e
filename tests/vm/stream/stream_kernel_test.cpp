#include "engine/damon/decoder.hpp"
#include "engine/damon/stream.hpp"
#include "tests/support/sizes.hpp"
#include "tests/vm/stream/kdamond.hpp"
#include "tests/vm/stream/process.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace cgtide::damon {
namespace {

using test::Kdamond;
using test::Process;

constexpr std::chrono::seconds kPatience{120};
using test::kMiB;

TimePoint now() {
    return std::chrono::steady_clock::now();
}

Stream open_stream(const StreamOptions& options = {}) {
    auto stream = Stream::open(options);
    if (!stream) {
        throw std::runtime_error(stream.error().message());
    }
    return std::move(*stream);
}

/// Drains whenever the stream wakes, and each 100 ms, until `enough`. False where time is out.
bool drain_until(Stream& stream, std::vector<Event>& regions, std::vector<Change>& changes,
                 const std::function<bool()>& enough) {
    const TimePoint deadline = now() + kPatience;
    while (now() < deadline) {
        pollfd ready{.fd = stream.fd(), .events = POLLIN, .revents = 0};
        ::poll(&ready, 1, 100);
        stream.drain(regions, changes);
        if (enough()) {
            return true;
        }
    }
    return false;
}

/// A process with 64 MiB that it touched once and, above them, 32 MiB that it touches all the time.
class HotAndCold {
public:
    static constexpr std::size_t kCold = 64 * kMiB;
    static constexpr std::size_t kHot = 32 * kMiB;

    HotAndCold()
        : memory_(static_cast<char*>(::mmap(nullptr, kCold + kHot, PROT_READ | PROT_WRITE,
                                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0))),
          process_([this] { touch(0, kCold); },
                   [this] {
                       for (;;) {
                           touch(kCold, kHot);
                       }
                       return 0;
                   }) {
        process_.go();
    }
    HotAndCold(const HotAndCold&) = delete;
    HotAndCold& operator=(const HotAndCold&) = delete;
    ~HotAndCold() { ::munmap(memory_, kCold + kHot); }

    int pid() const { return process_.pid(); }
    Range range() const {
        const auto start = reinterpret_cast<std::uint64_t>(memory_);
        return {start, start + kCold + kHot};
    }
    std::uint64_t boundary() const { return range().start + kCold; }

private:
    void touch(std::size_t from, std::size_t bytes) {
        for (std::size_t at = from; at < from + bytes; at += 4096) {
            *static_cast<volatile char*>(memory_ + at) = 1;
        }
    }

    char* memory_;
    Process process_;
};

/// Bytes of a round that were in use, below and above an address.
struct Used {
    std::uint64_t below = 0;
    std::uint64_t above = 0;
};

Used used(const Round& round, std::uint64_t boundary) {
    Used sum;
    for (const Region& region : round.regions) {
        if (region.accesses > 0) {
            const auto middle = std::clamp(boundary, region.range.start, region.range.end);
            sum.below += middle - region.range.start;
            sum.above += region.range.end - middle;
        }
    }
    return sum;
}

class RegionsTest : public ::testing::Test {
protected:
    HotAndCold workload;
    Kdamond kdamond{workload.pid(), workload.range()};
    std::vector<Event> events;
    std::vector<Change> changes;

    void watch(Stream& stream) {
        const std::vector<int> pids{kdamond.pid()};
        ASSERT_EQ(stream.watch(pids), 0U);
    }
};

TEST_F(RegionsTest, TellsWhatIsHotAndWhatIsCold) {
    Stream stream = open_stream();
    Decoder decoder;
    decoder.end(
        {.kdamond = kdamond.pid(), .begin = TimePoint{}, .end = {}, .keys = {kSentinel, 5}});
    watch(stream);
    std::vector<Round> rounds;
    bool seen = false;
    const auto enough = [&] {
        decoder.feed(events, rounds);
        events.clear();
        for (const Round& round : rounds) {
            EXPECT_EQ(round.key, 5U);
            EXPECT_EQ(round.regions.front().range.start, workload.range().start);
            EXPECT_EQ(round.regions.back().range.end, workload.range().end);
            const Used bytes = used(round, workload.boundary());
            seen = seen ||
                   (bytes.above > HotAndCold::kHot * 3 / 4 && bytes.below < HotAndCold::kCold / 4);
        }
        return seen && rounds.size() >= 5;
    };
    EXPECT_TRUE(drain_until(stream, events, changes, enough));
    EXPECT_EQ(stream.lost(), 0U);
    const DecoderCounters& counters = decoder.counters();
    EXPECT_EQ(counters.lost, 0U);
    EXPECT_EQ(counters.unknown, 0U);
    EXPECT_GT(counters.sentinel, 0U);
    // Of the first aggregation only the end may have been seen.
    EXPECT_LT(counters.incomplete, 200U);
    std::printf("%zu rounds of %llu events, the last of %zu regions\n", rounds.size(),
                static_cast<unsigned long long>(counters.events),
                rounds.empty() ? 0 : rounds.back().regions.size());
}

TEST_F(RegionsTest, TellsTheTimeOfEachRoundInOrder) {
    Stream stream = open_stream();
    watch(stream);
    const TimePoint before = now();
    ASSERT_TRUE(drain_until(stream, events, changes, [&] { return events.size() > 50; }));
    EXPECT_GE(events.front().at, before);
    EXPECT_LE(events.back().at, now());
    for (std::size_t i = 1; i < events.size(); ++i) {
        EXPECT_LE(events[i - 1].at, events[i].at);
        EXPECT_EQ(events[i - 1].sequence + 1, events[i].sequence);
    }
}

TEST_F(RegionsTest, TellsOfNoKdamondThatIsNotWatched) {
    Stream watching = open_stream();
    Stream other = open_stream();
    watch(watching);
    const std::vector<int> stranger{kdamond.pid() + 1};
    ASSERT_EQ(other.watch(stranger), 0U);
    ASSERT_TRUE(drain_until(watching, events, changes, [&] { return events.size() > 50; }));
    std::vector<Event> none;
    other.drain(none, changes);
    EXPECT_TRUE(none.empty());
    EXPECT_EQ(other.lost(), 0U);
    // Once it is watched no longer, nothing more comes.
    ASSERT_EQ(watching.watch(std::vector<int>{}), 0U);
    ASSERT_EQ(other.watch(std::vector<int>{kdamond.pid()}), 0U);
    watching.drain(events, changes);
    events.clear();
    ASSERT_TRUE(drain_until(other, none, changes, [&] { return none.size() > 50; }));
    watching.drain(events, changes);
    EXPECT_TRUE(events.empty());
}

TEST_F(RegionsTest, CountsWhatFindsNoRoom) {
    Stream stream = open_stream({.region_bytes = 4096});
    Decoder decoder;
    decoder.end(
        {.kdamond = kdamond.pid(), .begin = TimePoint{}, .end = {}, .keys = {kSentinel, 5}});
    watch(stream);
    // Woken once a quarter is full; from then on nobody drains until something was lost.
    pollfd ready{.fd = stream.fd(), .events = POLLIN, .revents = 0};
    ASSERT_EQ(::poll(&ready, 1, 120'000), 1);
    const TimePoint deadline = now() + kPatience;
    while (stream.lost() == 0 && now() < deadline) {
        ::poll(nullptr, 0, 50);
    }
    ASSERT_GT(stream.lost(), 0U);
    std::vector<Round> rounds;
    const auto enough = [&] {
        decoder.feed(events, rounds);
        events.clear();
        return decoder.counters().lost > 0;
    };
    EXPECT_TRUE(drain_until(stream, events, changes, enough));
    // More may have been lost since the last event that there was room for.
    EXPECT_LE(decoder.counters().lost, stream.lost());
}

TEST_F(RegionsTest, NeedsNoSystemCallToDrain) {
    Stream stream = open_stream();
    watch(stream);
    events.reserve(100'000);
    changes.reserve(1000);
    Process reader([] {},
                   [&] {
                       // From here on read, write and exit alone are allowed.
                       if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0) {
                           return 98;
                       }
                       while (events.size() < 50) {
                           stream.drain(events, changes);
                       }
                       ::syscall(SYS_exit, stream.lost() == 0 ? 0 : 97);
                       return 96;
                   });
    reader.go();
    EXPECT_EQ(reader.wait(), 0);
}

/// A cgroup of this test's own.
class Group {
public:
    explicit Group(const std::string& name) : path_("/sys/fs/cgroup/" + name) {
        ::mkdir(path_.c_str(), 0755);
        dir_ = Dir::open(path_).value();
    }
    Group(const Group&) = delete;
    Group& operator=(const Group&) = delete;
    ~Group() { ::rmdir(path_.c_str()); }

    CgroupId id() const { return dir_.id().value(); }
    /// Moves the calling process into it.
    void enter() const {
        if (!dir_.write("cgroup.procs", "0")) {
            ::_exit(95);
        }
    }

private:
    std::string path_;
    Dir dir_;
};

/// Forks a child that ends at once. \returns its pid.
int fork_once() {
    const int child = ::fork();
    if (child == 0) {
        ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return child;
}

class ChangesTest : public ::testing::Test {
protected:
    Stream stream = open_stream();
    Group group{"stream-test"};
    std::vector<Event> regions;
    std::vector<Change> changes;

    /// Watches `group` from before a process in `place` does its work until it has ended.
    void run(const Group& place, const std::function<int()>& work) {
        Process process([&place] { place.enter(); }, work);
        pid = process.pid();
        ASSERT_EQ(stream.watch(std::vector<CgroupId>{group.id()}), 0U);
        process.go();
        EXPECT_EQ(process.wait(), 0);
        stream.drain(regions, changes);
    }

    int pid = 0;
};

TEST_F(ChangesTest, TellsOfAFork) {
    run(group, [] { return fork_once() > 0 ? 0 : 1; });
    ASSERT_FALSE(changes.empty());
    EXPECT_EQ(changes[0].kind, ChangeKind::forked);
    EXPECT_EQ(changes[0].cgroup, group.id());
    EXPECT_NE(changes[0].pid, pid);
}

TEST_F(ChangesTest, TellsOfAnExec) {
    run(group, [] { return ::execl("/bin/true", "true", nullptr); });
    ASSERT_FALSE(changes.empty());
    EXPECT_EQ(changes[0].kind, ChangeKind::executed);
    EXPECT_EQ(changes[0].pid, pid);
}

TEST_F(ChangesTest, TellsOfAnExit) {
    run(group, [] { return 0; });
    ASSERT_EQ(changes.size(), 1U);
    EXPECT_EQ(changes[0].kind, ChangeKind::exited);
    EXPECT_EQ(changes[0].pid, pid);
}

TEST_F(ChangesTest, TellsOfACgroupBelow) {
    const Group below("stream-test/below");
    run(below, [] { return 0; });
    ASSERT_EQ(changes.size(), 1U);
    EXPECT_EQ(changes[0].cgroup, group.id());
}

TEST_F(ChangesTest, TellsOfNoOtherCgroup) {
    const Group other("stream-other");
    run(other, [] { return fork_once() > 0 ? 0 : 1; });
    EXPECT_TRUE(changes.empty());
}

TEST_F(ChangesTest, WakesWhoWaits) {
    Process process([this] { group.enter(); }, [] { return 0; });
    ASSERT_EQ(stream.watch(std::vector<CgroupId>{group.id()}), 0U);
    process.go();
    pollfd ready{.fd = stream.fd(), .events = POLLIN, .revents = 0};
    EXPECT_EQ(::poll(&ready, 1, 60'000), 1);
}

TEST_F(ChangesTest, BoundsAStormOfForks) {
    const TimePoint before = now();
    run(group, [] {
        for (int i = 0; i < 500; ++i) {
            fork_once();
        }
        return 0;
    });
    const TimePoint after = now();
    ASSERT_FALSE(changes.empty());
    EXPECT_LE(changes.size(),
              static_cast<std::size_t>((after - before) / Stream::kChangeWindow) + 1);
    for (std::size_t i = 1; i < changes.size(); ++i) {
        EXPECT_GE(changes[i].at - changes[i - 1].at, Stream::kChangeWindow);
    }
    EXPECT_EQ(stream.lost_changes(), 0U);
    std::printf("500 forks and exits gave %zu changes\n", changes.size());
}

} // namespace
} // namespace cgtide::damon
