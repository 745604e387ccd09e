#include "tests/vm/workload/memory.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace cgtide::workload {
namespace {

/// One step of the splitmix64 generator.
std::uint64_t next_random(std::uint64_t& state) {
    state += 0x9e3779b97f4a7c15U;
    std::uint64_t mixed = state;
    mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebU;
    return mixed ^ (mixed >> 31U);
}

std::string sized(Bytes size) {
    return std::to_string(size.count) + " bytes";
}

} // namespace

void fill_page(std::span<std::byte, kPageBytes> page, std::uint64_t page_number,
               unsigned random_percent) {
    const std::size_t random_bytes = kPageBytes * random_percent / 100;
    // Seeds far apart, so that no two pages hold the same numbers.
    std::uint64_t state = page_number << 32U;
    for (std::size_t offset = 0; offset < random_bytes; offset += sizeof(state)) {
        const std::uint64_t number = next_random(state);
        std::memcpy(&page[offset], &number, std::min(sizeof(number), random_bytes - offset));
    }
    std::fill(page.begin() + static_cast<std::ptrdiff_t>(random_bytes), page.end(), std::byte{0});
}

void fill_pages(std::span<std::byte> memory, unsigned random_percent) {
    for (std::size_t offset = 0; offset < memory.size(); offset += kPageBytes) {
        fill_page(memory.subspan(offset).first<kPageBytes>(), offset / kPageBytes, random_percent);
    }
}

Mapping::Mapping(Mapping&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

Mapping& Mapping::operator=(Mapping&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
}

Mapping::~Mapping() {
    if (data_ != nullptr) {
        ::munmap(data_, size_);
    }
}

Result<Mapping> Mapping::anonymous_pages(Bytes size, int sharing, Pages pages) {
    void* const address =
        ::mmap(nullptr, size.count, PROT_READ | PROT_WRITE, sharing | MAP_ANONYMOUS, -1, 0);
    if (address == MAP_FAILED) {
        return fail_errno(errno, "mmap", sized(size));
    }
    Mapping mapping(static_cast<std::byte*>(address), size.count);
    // EINVAL says that this kernel has no huge pages, which is as good.
    if (pages == Pages::small && ::madvise(address, size.count, MADV_NOHUGEPAGE) != 0 &&
        errno != EINVAL) {
        return fail_errno(errno, "madvise", sized(size));
    }
    return mapping;
}

Result<Mapping> Mapping::untouched(Bytes size, Pages pages) {
    return anonymous_pages(size, MAP_PRIVATE | MAP_NORESERVE, pages);
}

Result<Mapping> Mapping::shared(Bytes size) {
    return anonymous_pages(size, MAP_SHARED);
}

Result<Mapping> Mapping::existing(const FileRange& range, bool readable) {
    const UniqueFd file(::open(range.path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) {
        return fail_errno(errno, "open", range.path);
    }
    void* const address = ::mmap(nullptr, range.size.count, readable ? PROT_READ : PROT_NONE,
                                 MAP_SHARED, file.get(), 0);
    if (address == MAP_FAILED) {
        return fail_errno(errno, "mmap", range.path);
    }
    return Mapping(static_cast<std::byte*>(address), range.size.count);
}

Result<Mapping> Mapping::anonymous(Bytes size, unsigned random_percent, Pages pages) {
    if (size.count == 0) {
        return Mapping();
    }
    auto mapping = anonymous_pages(size, MAP_PRIVATE, pages);
    if (mapping) {
        fill_pages(mapping->bytes(), random_percent);
    }
    return mapping;
}

Result<Mapping> Mapping::file(const FileRange& range, unsigned random_percent) {
    if (range.size.count == 0) {
        return Mapping();
    }
    const UniqueFd file(::open(range.path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!file) {
        return fail_errno(errno, "open", range.path);
    }
    if (::ftruncate(file.get(), static_cast<off_t>(range.size.count)) != 0) {
        return fail_errno(errno, "ftruncate", range.path);
    }
    void* const address =
        ::mmap(nullptr, range.size.count, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
    if (address == MAP_FAILED) {
        return fail_errno(errno, "mmap", range.path);
    }
    Mapping mapping(static_cast<std::byte*>(address), range.size.count);
    fill_pages(mapping.bytes(), random_percent);
    if (::msync(address, range.size.count, MS_SYNC) != 0) {
        return fail_errno(errno, "msync", range.path);
    }
    // What was written back may have been reclaimed meanwhile.
    mapping.read_each_page();
    return mapping;
}

Result<void> Mapping::refill(unsigned random_percent) const {
    if (size_ > 0 && ::madvise(data_, size_, MADV_DONTNEED) != 0) {
        return fail_errno(errno, "madvise", sized(Bytes{size_}));
    }
    fill_pages(bytes(), random_percent);
    return {};
}

void Mapping::write_each_page(std::byte value) const {
    for (std::size_t last = kPageBytes - 1; last < size_; last += kPageBytes) {
        *static_cast<volatile std::byte*>(data_ + last) = value;
    }
}

std::uint64_t Mapping::checksum() const {
    std::uint64_t sum = 0;
    for (std::size_t offset = 0; offset < size_; offset += sizeof(sum)) {
        std::uint64_t word = 0;
        std::memcpy(&word, data_ + offset, sizeof(word));
        word ^= sum;
        sum = next_random(word);
    }
    return sum;
}

void Mapping::read_each_page() const {
    for (std::size_t last = kPageBytes - 1; last < size_; last += kPageBytes) {
        static_cast<void>(*static_cast<volatile std::byte*>(data_ + last));
    }
}

Result<Pagemap> Pagemap::open_own() {
    UniqueFd file(::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC));
    if (!file) {
        return fail_errno(errno, "open", "/proc/self/pagemap");
    }
    return Pagemap(std::move(file));
}

Result<Bytes> Pagemap::resident(std::span<const std::byte> range) const {
    std::array<std::uint64_t, 4096> entries{};
    constexpr std::size_t kEntryBytes = sizeof(entries[0]);
    const auto first = reinterpret_cast<std::uintptr_t>(range.data()) / kPageBytes;
    const std::size_t pages = range.size() / kPageBytes;
    std::uint64_t present = 0;
    for (std::size_t done = 0; done < pages;) {
        const std::size_t want = std::min(entries.size(), pages - done);
        const auto got = ::pread(file_.get(), entries.data(), want * kEntryBytes,
                                 static_cast<off_t>((first + done) * kEntryBytes));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < static_cast<ssize_t>(kEntryBytes)) {
            return fail_errno(got < 0 ? errno : EIO, "read", "/proc/self/pagemap");
        }
        const std::size_t read = static_cast<std::size_t>(got) / kEntryBytes;
        const std::span seen = std::span(entries).first(read);
        present += static_cast<std::uint64_t>(std::count_if(seen.begin(), seen.end(), is_present));
        done += read;
    }
    return Bytes{present * kPageBytes};
}

} // namespace cgtide::workload
