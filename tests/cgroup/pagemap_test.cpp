#include "cgroup/pagemap.hpp"
#include "tests/support/sizes.hpp"

#include <algorithm>
#include <cstring>

#include <gmock/gmock.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

namespace cgtide::cgroup {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using test::kMiB;

/// Code that runs is present, and of a file.
[[gnu::noinline]] int code_of_this_test() {
    return ::getpid();
}

/// Memory of this process, in small pages, so that what is touched is what is present.
class Area {
public:
    explicit Area(std::size_t bytes, int flags = MAP_PRIVATE | MAP_ANONYMOUS, int fd = -1)
        : bytes_(bytes) {
        at_ = static_cast<char*>(
            ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, flags | MAP_NORESERVE, fd, 0));
        EXPECT_NE(at_, MAP_FAILED);
        (void)::madvise(at_, bytes, MADV_NOHUGEPAGE); // EINVAL where the kernel has none
    }
    ~Area() { ::munmap(at_, bytes_); }
    Area(const Area&) = delete;
    Area& operator=(const Area&) = delete;

    char* data() const { return at_; }
    std::uint64_t start() const { return reinterpret_cast<std::uintptr_t>(at_); }
    std::uint64_t end() const { return start() + bytes_; }
    void touch(std::size_t from, std::size_t to) const { std::memset(at_ + from, 1, to - from); }
    void forget(std::size_t from, std::size_t to) const {
        ASSERT_EQ(::madvise(at_ + from, to - from, MADV_DONTNEED), 0);
    }

private:
    char* at_ = nullptr;
    std::size_t bytes_;
};

/// By PAGEMAP_SCAN where the kernel has it, and by reading entries.
class PagemapOfThisProcess : public ::testing::TestWithParam<bool> {
protected:
    PagemapOfThisProcess() : proc_(Dir::open("/proc").value()) {}

    Pagemap open(int pid = ::getpid()) const {
        Pagemap pagemap = std::move(Pagemap::open(proc_, pid).value());
        if (GetParam()) {
            pagemap.use_entries();
        }
        return pagemap;
    }

    std::vector<Present> scan(const Area& area, const PagemapOptions& options = {}) const {
        std::vector<Present> out;
        EXPECT_TRUE(open().scan(area.start(), area.end(), options, out).value());
        return out;
    }

    Dir proc_;
};

INSTANTIATE_TEST_SUITE_P(Ways, PagemapOfThisProcess, ::testing::Bool(),
                         [](const auto& way) { return way.param ? "Entries" : "Scan"; });

TEST_P(PagemapOfThisProcess, SeesWhatWasTouched) {
    const Area area(8 * kMiB);
    EXPECT_THAT(scan(area), IsEmpty());
    area.touch(0, 4 * kMiB);
    EXPECT_THAT(scan(area),
                ElementsAre(Present{area.start(), area.start() + 4 * kMiB, PageKind::anon}));
    area.touch(6 * kMiB, 8 * kMiB);
    area.forget(1 * kMiB, 2 * kMiB);
    EXPECT_THAT(
        scan(area),
        ElementsAre(Present{area.start(), area.start() + kMiB, PageKind::anon},
                    Present{area.start() + 2 * kMiB, area.start() + 4 * kMiB, PageKind::anon},
                    Present{area.start() + 6 * kMiB, area.end(), PageKind::anon}));
}

TEST_P(PagemapOfThisProcess, PagedOutIsNotPresent) {
    const int fd = ::memfd_create("cgtide-pagemap", MFD_CLOEXEC);
    ASSERT_GE(fd, 0);
    ASSERT_EQ(::ftruncate(fd, 2 * kMiB), 0);
    {
        const Area area(2 * kMiB, MAP_SHARED, fd);
        area.touch(0, 2 * kMiB);
        ASSERT_EQ(::madvise(area.data() + kMiB, kMiB, MADV_DONTNEED), 0); // stays in the file
        EXPECT_THAT(scan(area),
                    ElementsAre(Present{area.start(), area.start() + kMiB, PageKind::file}));
    }
    ::close(fd);
}

TEST_P(PagemapOfThisProcess, TellsFilesAndSharedMemoryFromAnonymous) {
    const Area shared(kMiB, MAP_SHARED | MAP_ANONYMOUS);
    shared.touch(0, kMiB);
    EXPECT_THAT(scan(shared), ElementsAre(Present{shared.start(), shared.end(), PageKind::file}));
    std::vector<Present> out;
    ASSERT_GT(code_of_this_test(), 0);
    const auto code = reinterpret_cast<std::uintptr_t>(&code_of_this_test) & ~std::uintptr_t{4095};
    ASSERT_TRUE(open().scan(code, code + 4096, {}, out).value());
    EXPECT_THAT(out, ElementsAre(Present{code, code + 4096, PageKind::file}));
}

TEST_P(PagemapOfThisProcess, IsBounded) {
    const Area area(kMiB);
    for (std::size_t page = 0; page < 64; page += 2) {
        area.touch(page * 4096, (page + 1) * 4096);
    }
    std::vector<Present> out;
    EXPECT_FALSE(open().scan(area.start(), area.end(), {.max_runs = 8}, out).value());
    EXPECT_EQ(out.size(), 8U);
    EXPECT_EQ(scan(area).size(), 32U);
}

TEST_P(PagemapOfThisProcess, ManyRunsNeedManyCalls) {
    const Area area(32 * kMiB);
    const std::size_t pages = 32 * kMiB / 4096;
    for (std::size_t page = 0; page < pages; page += 2) {
        area.touch(page * 4096, page * 4096 + 1);
    }
    EXPECT_EQ(scan(area).size(), pages / 2);
}

TEST_P(PagemapOfThisProcess, TellsWhatAForkLeftShared) {
    const Area area(4 * kMiB);
    area.touch(0, 2 * kMiB);
    int ready[2];
    int leave[2];
    ASSERT_EQ(::pipe(ready), 0);
    ASSERT_EQ(::pipe(leave), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        ::close(leave[1]);
        area.touch(kMiB, 2 * kMiB); // its own copy from now on
        (void)!::write(ready[1], "x", 1);
        char byte = 0;
        (void)!::read(leave[0], &byte, 1);
        ::_exit(0);
    }
    char byte = 0;
    ASSERT_EQ(::read(ready[0], &byte, 1), 1);
    EXPECT_THAT(scan(area, {.tell_shared_anon = true}),
                ElementsAre(Present{area.start(), area.start() + kMiB, PageKind::anon_shared},
                            Present{area.start() + kMiB, area.start() + 2 * kMiB, PageKind::anon}));
    EXPECT_THAT(scan(area),
                ElementsAre(Present{area.start(), area.start() + 2 * kMiB, PageKind::anon}));
    std::vector<Present> childs;
    ASSERT_TRUE(open(child).scan(area.start(), area.end(), {}, childs).value());
    EXPECT_EQ(childs, scan(area));
    ::close(leave[1]);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    for (const int fd : {ready[0], ready[1], leave[0]}) {
        ::close(fd);
    }
}

TEST(Pagemap, ZeroPagesAreNobodys) {
    const Dir proc = Dir::open("/proc").value();
    const Area area(kMiB);
    volatile char sum = 0;
    for (std::size_t at = 0; at < kMiB; at += 4096) {
        sum = static_cast<char>(sum + area.data()[at]); // read alone maps the zero page
    }
    area.touch(0, 4096);
    std::vector<Present> out;
    ASSERT_TRUE(Pagemap::open(proc, ::getpid())->scan(area.start(), area.end(), {}, out).value());
    if (out.size() == 1 && out[0].end == area.end()) {
        GTEST_SKIP() << "this kernel has no PAGEMAP_SCAN (6.7), which alone tells zero pages";
    }
    EXPECT_THAT(out, ElementsAre(Present{area.start(), area.start() + 4096, PageKind::anon}));
}

TEST(Pagemap, ASparseGigabyteIsOneSmallRun) {
    const Dir proc = Dir::open("/proc").value();
    const Area area(1024 * kMiB);
    area.touch(512 * kMiB, 512 * kMiB + 4096);
    std::vector<Present> out;
    ASSERT_TRUE(Pagemap::open(proc, ::getpid())->scan(area.start(), area.end(), {}, out).value());
    EXPECT_THAT(out, ElementsAre(Present{area.start() + 512 * kMiB,
                                         area.start() + 512 * kMiB + 4096, PageKind::anon}));
}

TEST(Pagemap, AProcessThatEndedIsGone) {
    const Dir proc = Dir::open("/proc").value();
    const pid_t child = ::fork();
    if (child == 0) {
        ::_exit(0);
    }
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    const auto pagemap = Pagemap::open(proc, child);
    ASSERT_FALSE(pagemap);
    EXPECT_TRUE(is_gone(pagemap.error()));
}

} // namespace
} // namespace cgtide::cgroup
