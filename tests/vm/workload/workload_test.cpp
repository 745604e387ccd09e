#include "tests/support/temp_dir.hpp"
#include "tests/vm/workload/memory.hpp"
#include "tests/vm/workload/options.hpp"
#include "tests/vm/workload/report.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

namespace cgtide::workload {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

Result<Options> parse(std::vector<const char*> arguments) {
    return parse_options(arguments);
}

std::string fault_of(std::vector<const char*> arguments) {
    const auto options = parse(std::move(arguments));
    return options ? "no fault" : options.error().detail;
}

TEST(WorkloadOptions, HasDefaults) {
    const auto options = parse({"--hot", "32MiB"});
    ASSERT_TRUE(options);
    EXPECT_EQ(options->hot, mebibytes(32));
    EXPECT_EQ(options->cold, Bytes{});
    EXPECT_EQ(options->random_percent, 50U);
    EXPECT_EQ(options->report, "-");
    EXPECT_EQ(options->sample, std::chrono::seconds(1));
    EXPECT_EQ(options->run_for.count(), 0);
    EXPECT_TRUE(options->paced);
}

TEST(WorkloadOptions, TakesEveryOption) {
    const auto options =
        parse({"--hot",       "1MiB",        "--cold",      "96MiB", "--file-hot", "/a",
               "4KiB",        "--file-cold", "/b",          "8192",  "--random",   "0",
               "--report",    "/out/r",      "--sample",    "250ms", "--seconds",  "7",
               "--pause-us",  "20",          "--work-mode", "spin",  "--pass",     "checksum",
               "--alternate", "30s",         "--pages",     "any",   "--children", "3"});
    ASSERT_TRUE(options);
    EXPECT_EQ(options->children, 3U);
    EXPECT_TRUE(growth_steps(*options).empty());
    EXPECT_EQ(options->cold, mebibytes(96));
    EXPECT_EQ(options->file_hot.path, "/a");
    EXPECT_EQ(options->file_hot.size, kibibytes(4));
    EXPECT_EQ(options->file_cold.path, "/b");
    EXPECT_EQ(options->file_cold.size, kibibytes(8));
    EXPECT_EQ(options->random_percent, 0U);
    EXPECT_EQ(options->report, "/out/r");
    EXPECT_EQ(options->sample, std::chrono::milliseconds(250));
    EXPECT_EQ(options->run_for, std::chrono::seconds(7));
    EXPECT_EQ(options->pause, Microseconds(20));
    EXPECT_EQ(options->alternate, std::chrono::seconds(30));
    EXPECT_FALSE(options->paced);
    EXPECT_TRUE(options->whole_pages);
    EXPECT_FALSE(options->small_pages);
}

TEST(WorkloadOptions, AsksForHelpWithoutMemory) {
    const auto options = parse({"--help"});
    ASSERT_TRUE(options);
    EXPECT_TRUE(options->help);
}

TEST(WorkloadOptions, RefusesNoMemory) {
    EXPECT_THAT(fault_of({}), HasSubstr("no memory"));
    EXPECT_THAT(fault_of({"--hot", "0"}), HasSubstr("no memory"));
}

TEST(WorkloadOptions, NamesTheOptionAtFault) {
    EXPECT_THAT(fault_of({"--hot", "5000"}), HasSubstr("--hot: 5000"));
    EXPECT_THAT(fault_of({"--hot", "2TiB"}), HasSubstr("--hot: 2TiB"));
    EXPECT_THAT(fault_of({"--cold", "much"}), HasSubstr("--cold: "));
    EXPECT_THAT(fault_of({"--cold"}), HasSubstr("--cold "));
    EXPECT_THAT(fault_of({"--random", "101"}), HasSubstr("--random: 101"));
    EXPECT_THAT(fault_of({"--sample", "10us"}), HasSubstr("--sample: 10us"));
    EXPECT_THAT(fault_of({"--alternate", "0s"}), HasSubstr("--alternate: 0s"));
    EXPECT_THAT(fault_of({"--seconds", "-1"}), HasSubstr("--seconds: -1"));
    EXPECT_THAT(fault_of({"--work-mode", "lazy"}), HasSubstr("--work-mode: lazy"));
    EXPECT_THAT(fault_of({"--file-hot", "/a"}), HasSubstr("--file-hot: "));
    EXPECT_THAT(fault_of({"--warm", "1MiB"}), HasSubstr("--warm"));
    for (const char* const growth : {"4MiB", "4MiB/64MiB", "0/5s/64MiB", "4MiB/soon/64MiB"}) {
        EXPECT_THAT(fault_of({"--hot", "1MiB", "--grow", growth}), HasSubstr("--grow: "));
    }
    EXPECT_THAT(fault_of({"--hot", "1MiB", "--grow", "4KiB/1s/1GiB"}), HasSubstr("--grow takes"));
    EXPECT_THAT(fault_of({"--hot", "1MiB", "--grow", "1MiB/1s/2MiB", "--alternate", "1s"}),
                HasSubstr("exclude each other"));
}

TEST(WorkloadGrowth, AddsAStepEachTimeAndNoMoreThanWasAskedFor) {
    using std::chrono::milliseconds;
    const auto options = parse({"--hot", "16MiB", "--grow", "4MiB/5s/26MiB"});
    ASSERT_TRUE(options);
    EXPECT_THAT(growth_steps(*options),
                testing::ElementsAre(mebibytes(4), mebibytes(4), mebibytes(2)));
    EXPECT_EQ(steps_due(*options, milliseconds(4999)), 0U);
    EXPECT_EQ(steps_due(*options, milliseconds(5000)), 1U);
    EXPECT_EQ(steps_due(*options, milliseconds(14'999)), 2U);
    EXPECT_EQ(steps_due(*options, milliseconds(15'000)), 3U);
    EXPECT_EQ(steps_due(*options, std::chrono::hours(1)), 3U);
}

TEST(WorkloadGrowth, StaysWhereItBeginsWithAsMuch) {
    const auto options = parse({"--hot", "64MiB", "--grow", "4MiB/5s/64MiB"});
    ASSERT_TRUE(options);
    EXPECT_THAT(growth_steps(*options), testing::IsEmpty());
    EXPECT_EQ(steps_due(*options, std::chrono::hours(1)), 0U);
}

using Page = std::array<std::byte, kPageBytes>;

Page filled(std::uint64_t number, unsigned percent) {
    Page page;
    page.fill(std::byte{0x55});
    fill_page(page, number, percent);
    return page;
}

TEST(WorkloadFill, LeavesTheRestOfAPageZero) {
    for (const unsigned percent : {0U, 1U, 50U, 99U, 100U}) {
        const Page page = filled(3, percent);
        const auto begin_of_rest =
            page.begin() + static_cast<std::ptrdiff_t>(kPageBytes * percent / 100);
        EXPECT_TRUE(std::all_of(begin_of_rest, page.end(), [](std::byte byte) {
            return byte == std::byte{0};
        })) << percent;
    }
}

TEST(WorkloadFill, UsesEveryByteValueInTheRandomShare) {
    const Page page = filled(3, 100);
    std::array<int, 256> counts{};
    for (const std::byte byte : page) {
        ++counts.at(std::to_integer<std::size_t>(byte));
    }
    // 16 of each are expected; the seed is fixed, so that this cannot change from run to run.
    EXPECT_GT(*std::min_element(counts.begin(), counts.end()), 2);
    EXPECT_LT(*std::max_element(counts.begin(), counts.end()), 40);
}

TEST(WorkloadFill, RepeatsItselfForAPageAndForNoOther) {
    EXPECT_EQ(filled(7, 50), filled(7, 50));
    EXPECT_NE(filled(7, 50), filled(8, 50));
}

TEST(WorkloadPagemap, ReadsThePresentBit) {
    EXPECT_TRUE(is_present(std::uint64_t{1} << 63U));
    EXPECT_TRUE(is_present(~std::uint64_t{0}));
    EXPECT_FALSE(is_present(0));
    EXPECT_FALSE(is_present(std::uint64_t{1} << 62U)); // in swap
    EXPECT_FALSE(is_present(~(std::uint64_t{1} << 63U)));
}

/// Memory of which no page was ever touched.
class Untouched {
public:
    explicit Untouched(std::size_t pages)
        : size_(pages * kPageBytes),
          data_(static_cast<std::byte*>(
              ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))) {
        ::madvise(data_, size_, MADV_NOHUGEPAGE);
    }
    Untouched(const Untouched&) = delete;
    Untouched& operator=(const Untouched&) = delete;
    ~Untouched() { ::munmap(data_, size_); }

    std::span<std::byte> pages(std::size_t first, std::size_t count) const {
        return {data_ + first * kPageBytes, count * kPageBytes};
    }

private:
    std::size_t size_;
    std::byte* data_;
};

Bytes in_pages(std::size_t count) {
    return {count * kPageBytes};
}

TEST(WorkloadPagemap, CountsExactlyTheTouchedPages) {
    // More than one read of the page map, and no multiple of what one read takes.
    constexpr std::size_t kPages = 10'001;
    const Untouched memory(kPages);
    const auto pagemap = Pagemap::open_own();
    ASSERT_TRUE(pagemap);
    EXPECT_EQ(pagemap->resident(memory.pages(0, kPages)).value(), Bytes{});

    std::size_t touched = 0;
    for (std::size_t page = 0; page < kPages; page += 3) {
        memory.pages(page, 1)[0] = std::byte{1};
        ++touched;
    }
    EXPECT_EQ(pagemap->resident(memory.pages(0, kPages)).value(), in_pages(touched));
    EXPECT_EQ(pagemap->resident(memory.pages(0, 1)).value(), in_pages(1));
    EXPECT_EQ(pagemap->resident(memory.pages(1, 2)).value(), Bytes{});
}

TEST(WorkloadPagemap, DoesNotTouchWhatItCounts) {
    const Untouched memory(64);
    const auto pagemap = Pagemap::open_own();
    ASSERT_TRUE(pagemap);
    EXPECT_EQ(pagemap->resident(memory.pages(0, 64)).value(), Bytes{});
    EXPECT_EQ(pagemap->resident(memory.pages(0, 64)).value(), Bytes{});
}

TEST(WorkloadPagemap, SeesADroppedRangeLeave) {
    const auto mapping = Mapping::anonymous(in_pages(1000), 50);
    const auto pagemap = Pagemap::open_own();
    ASSERT_TRUE(mapping && pagemap);
    EXPECT_EQ(pagemap->resident(mapping->bytes()).value(), in_pages(1000));

    const auto dropped = mapping->bytes().subspan(100 * kPageBytes, 300 * kPageBytes);
    ASSERT_EQ(::madvise(dropped.data(), dropped.size(), MADV_DONTNEED), 0);
    EXPECT_EQ(pagemap->resident(mapping->bytes()).value(), in_pages(700));
    EXPECT_EQ(pagemap->resident(dropped).value(), Bytes{});

    mapping->write_each_page(std::byte{1});
    EXPECT_EQ(pagemap->resident(mapping->bytes()).value(), in_pages(1000));
}

/// The flags of the mapping that holds these bytes, as smaps tells them.
std::string flags_of(const Mapping& mapping) {
    const auto at = reinterpret_cast<std::uintptr_t>(mapping.bytes().data());
    std::ifstream smaps("/proc/self/smaps");
    bool is_here = false;
    for (std::string line; std::getline(smaps, line);) {
        std::uintptr_t first = 0;
        std::uintptr_t end = 0;
        char dash = 0;
        std::istringstream range(line);
        if (range >> std::hex >> first >> dash >> end && dash == '-') {
            is_here = first <= at && at < end;
        } else if (is_here && line.find("VmFlags:") == 0) {
            return line + ' ';
        }
    }
    return "none";
}

TEST(WorkloadMapping, IsOfSmallPagesUnlessAskedForAny) {
    if (!std::filesystem::exists("/sys/kernel/mm/transparent_hugepage")) {
        GTEST_SKIP() << "this kernel has no huge pages";
    }
    const auto small = Mapping::anonymous(mebibytes(2), 0);
    const auto any = Mapping::anonymous(mebibytes(2), 0, Pages::any);
    ASSERT_TRUE(small && any);
    EXPECT_THAT(flags_of(*small), HasSubstr(" nh "));
    EXPECT_THAT(flags_of(*any), AllOf(HasSubstr("VmFlags:"), Not(HasSubstr(" nh "))));
}

TEST(WorkloadMapping, ChecksumsFirstAndLastByte) {
    const auto mapping = Mapping::anonymous(in_pages(2), 0);
    ASSERT_TRUE(mapping);
    const std::uint64_t before = mapping->checksum();
    mapping->bytes().back() = std::byte{7};
    const std::uint64_t last = mapping->checksum();
    EXPECT_NE(last, before);
    mapping->bytes().front() = std::byte{7};
    EXPECT_NE(mapping->checksum(), last);
}

TEST(WorkloadMapping, RefillsWithNewPagesOfTheSameBytes) {
    const auto mapping = Mapping::anonymous(in_pages(3), 50);
    const auto pagemap = Pagemap::open_own();
    ASSERT_TRUE(mapping && pagemap);
    const std::uint64_t before = mapping->checksum();
    mapping->write_each_page(std::byte{7});
    ASSERT_EQ(::madvise(mapping->bytes().data(), kPageBytes, MADV_DONTNEED), 0);
    ASSERT_EQ(pagemap->resident(mapping->bytes()).value(), in_pages(2));
    ASSERT_TRUE(mapping->refill(50));
    EXPECT_EQ(pagemap->resident(mapping->bytes()).value(), in_pages(3));
    EXPECT_EQ(mapping->checksum(), before);
    EXPECT_TRUE(Mapping().refill(50));
}

TEST(WorkloadMapping, FillsAFileAndMapsAllOfIt) {
    const test::TempDir folder;
    const FileRange range{folder.path() + "/data", in_pages(20)};
    const auto mapping = Mapping::file(range, 50);
    const auto pagemap = Pagemap::open_own();
    ASSERT_TRUE(mapping && pagemap);
    EXPECT_EQ(pagemap->resident(mapping->bytes()).value(), in_pages(20));
    const Page page = filled(19, 50);
    const auto* const expected = reinterpret_cast<const char*>(page.data());
    EXPECT_EQ(folder.read("data").substr(19 * kPageBytes), std::string(expected, page.size()));
}

TEST(WorkloadMapping, NamesAFileThatCannotBeMade) {
    const auto mapping = Mapping::file({"/nonexistent/data", in_pages(1)}, 50);
    ASSERT_FALSE(mapping);
    EXPECT_THAT(mapping.error().message(), HasSubstr("/nonexistent/data"));
}

TEST(WorkloadReport, WritesOneLineOfJson) {
    Sample sample;
    sample.t = 12.5;
    sample.hot = {in_pages(2), in_pages(1)};
    sample.cold = {in_pages(4), in_pages(3)};
    sample.file_hot = {in_pages(6), in_pages(5)};
    sample.file_cold = {in_pages(8), in_pages(7)};
    sample.passes = 17;
    sample.pass_t = 1.25;
    sample.pass_cpu_s = 0.125;
    sample.cpu_s = 0.25;
    sample.majflt = 3;
    sample.minflt = 4;
    sample.phase = 1;
    EXPECT_EQ(
        format_event("sample", sample),
        R"({"event":"sample","t":12.500000,"hot_bytes":8192,"hot_resident":4096,)"
        R"("cold_bytes":16384,"cold_resident":12288,"file_hot_bytes":24576,)"
        R"("file_hot_resident":20480,"file_cold_bytes":32768,"file_cold_resident":28672,)"
        R"("passes":17,"pass_t":1.250000,"pass_cpu_s":0.125000,"cpu_s":0.250000,"majflt":3,"minflt":4,"phase":1})"
        "\n");
    sample.nodes = {{in_pages(1), in_pages(2)}, {}, in_pages(3), in_pages(4)};
    EXPECT_THAT(format_event("sample", sample),
                testing::EndsWith(R"("phase":1,"hot_nodes":[4096,8192],"cold_nodes":[],)"
                                  R"("moved_bytes":12288,"thrash_bytes":16384})"
                                  "\n"));
}

} // namespace
} // namespace cgtide::workload
