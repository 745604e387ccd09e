#pragma once

#include "cgroup/base/unique_fd.hpp"
#include "tests/vm/workload/options.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace cgtide::workload {

/// Writes one page: the first `random_percent` of its bytes do not compress, the others are zero.
///
/// The same page number and percentage always give the same bytes.
void fill_page(std::span<std::byte, kPageBytes> page, std::uint64_t page_number,
               unsigned random_percent);

/// fill_page() for whole pages, numbered from 0.
void fill_pages(std::span<std::byte> memory, unsigned random_percent);

/// Whether an entry of /proc/PID/pagemap says that its page is in memory (bit 63).
///
/// Source: Documentation/admin-guide/mm/pagemap.rst. Readable without privileges.
constexpr bool is_present(std::uint64_t pagemap_entry) {
    return (pagemap_entry >> 63U) != 0;
}

/// What the kernel may back anonymous memory with.
enum class Pages : std::uint8_t { small, any };

/// Owns a range of mapped memory, whole pages; anonymous ones are small unless asked for.
class Mapping {
public:
    /// Maps nothing; its size is 0.
    Mapping() = default;
    Mapping(Mapping&& other) noexcept;
    Mapping& operator=(Mapping&& other) noexcept;
    ~Mapping();

    /// Maps private anonymous memory and fills every page. Blocks while it fills.
    static Result<Mapping> anonymous(Bytes size, unsigned random_percent,
                                     Pages pages = Pages::small);

    /// Makes a file anew, fills it, writes it back and maps it shared. Blocks until it is written,
    /// so that its pages are clean and can be reclaimed.
    static Result<Mapping> file(const FileRange& range, unsigned random_percent);

    /// Maps private anonymous memory of which no page is there yet.
    static Result<Mapping> untouched(Bytes size, Pages pages = Pages::small);

    /// Maps zeroed memory that a fork shares. No page of it is there yet.
    static Result<Mapping> shared(Bytes size);

    /// Maps a file that is there, shared and to be read, or out of reach of both.
    static Result<Mapping> existing(const FileRange& range, bool readable);

    /// The mapped bytes; to read them touches them.
    std::span<std::byte> bytes() const { return {data_, size_}; }

    /// Gives the pages of private anonymous memory back, in memory or in swap, and fills new ones.
    Result<void> refill(unsigned random_percent) const;

    /// Writes `value` to the last byte of every page.
    void write_each_page(std::byte value) const;

    /// A checksum of all 8-byte words, each mixed into the one before: work that the latency of a
    /// processor bounds, not its memory and not who shares it.
    std::uint64_t checksum() const;

    /// Reads the last byte of every page.
    void read_each_page() const;

private:
    static Result<Mapping> anonymous_pages(Bytes size, int sharing, Pages pages = Pages::small);

    Mapping(std::byte* data, std::size_t size) : data_(data), size_(size) {}

    std::byte* data_ = nullptr;
    std::size_t size_ = 0;
};

/// This process's page map, kept open.
class Pagemap {
public:
    /// Opens /proc/self/pagemap.
    static Result<Pagemap> open_own();

    /// Counts the bytes of a page-aligned range that are in memory, without touching them.
    ///
    /// \returns a multiple of `kPageBytes`; pages in swap and pages never touched do not count.
    Result<Bytes> resident(std::span<const std::byte> range) const;

private:
    explicit Pagemap(UniqueFd file) : file_(std::move(file)) {}

    UniqueFd file_;
};

} // namespace cgtide::workload
