#include "tests/vm/layout/segment.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <random>
#include <string>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace cgtide::layout {
namespace {

using workload::kPageBytes;
using workload::Mapping;

constexpr unsigned kRandomPercent = 50;
constexpr std::size_t kHugeBytes = 2U << 20U;
constexpr Bytes kSparseBytes{1U << 30U};

/// Bytes of huge pages in the mapping that begins at `address`.
/// Source: /proc/PID/smaps, AnonHugePages.
std::uint64_t huge_bytes_at(const void* address) {
    std::ifstream maps("/proc/self/smaps");
    const auto wanted = reinterpret_cast<std::uintptr_t>(address);
    constexpr std::string_view kKey = "AnonHugePages:";
    bool inside = false;
    for (std::string line; std::getline(maps, line);) {
        const auto dash = line.find('-');
        if (line.find(':') > dash) { // the line of a mapping's addresses
            const auto start = std::stoull(line.substr(0, dash), nullptr, 16);
            inside = start <= wanted && wanted < std::stoull(line.substr(dash + 1), nullptr, 16);
        } else if (inside && line.starts_with(kKey)) {
            return std::stoull(line.substr(kKey.size())) * 1024;
        }
    }
    return 0;
}

/// Pages of `memory` in the page cache.
Result<std::uint64_t> cached_pages(std::span<std::byte> memory) {
    std::vector<unsigned char> pages(memory.size() / kPageBytes);
    if (::mincore(memory.data(), memory.size(), pages.data()) != 0) {
        return fail_errno(errno, "mincore", "a segment");
    }
    return static_cast<std::uint64_t>(std::count_if(
        pages.begin(), pages.end(), [](unsigned char page) { return (page & 1U) != 0; }));
}

Result<void> read_whole(const UniqueFd& file) {
    std::array<char, 16384> buffer{};
    off_t done = 0;
    for (;;) {
        const auto got = ::pread(file.get(), buffer.data(), buffer.size(), done);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return fail_errno(errno, "read", "a segment's file");
        }
        if (got == 0) {
            return {};
        }
        done += got;
    }
}

} // namespace

Result<Segment> Segment::make(const Spec& spec) {
    Segment segment;
    segment.kind_ = spec.kind;
    if (auto filled = segment.fill(spec); !filled) {
        return tl::unexpected(filled.error());
    }
    if (segment.bytes_.empty()) {
        segment.bytes_ = segment.memory_.bytes();
    }
    return segment;
}

Segment Segment::inherited(const Segment& memory) {
    Segment segment;
    segment.kind_ = Kind::shared;
    segment.bytes_ = memory.bytes_;
    return segment;
}

Result<void> Segment::fill(const Spec& spec) {
    const auto take = [this](Mapping made) {
        memory_ = std::move(made);
    };
    switch (spec.kind) {
    case Kind::thp:
        return fill_huge(spec);
    case Kind::sparse:
        return fill_sparse(spec);
    case Kind::file:
    case Kind::read:
        return fill_file(spec);
    case Kind::borrowed:
        return Mapping::existing({spec.path, spec.size}, true).map(take).map([this] {
            memory_.read_each_page();
        });
    case Kind::shm:
        return Mapping::shared(spec.size).map(take).map(
            [this] { workload::fill_pages(memory_.bytes(), kRandomPercent); });
    default:
        return Mapping::anonymous(spec.size, kRandomPercent).map(take);
    }
}

Result<void> Segment::fill_huge(const Spec& spec) {
    auto made = Mapping::untouched({spec.size.count + kHugeBytes});
    if (!made) {
        return tl::unexpected(made.error());
    }
    memory_ = std::move(*made);
    const auto start = reinterpret_cast<std::uintptr_t>(memory_.bytes().data());
    bytes_ = memory_.bytes().subspan((kHugeBytes - start % kHugeBytes) % kHugeBytes,
                                     spec.size.count / kHugeBytes * kHugeBytes);
    if (::madvise(bytes_.data(), bytes_.size(), MADV_HUGEPAGE) != 0) {
        return fail_errno(errno, "madvise", "huge pages");
    }
    workload::fill_pages(bytes_, kRandomPercent);
    if (const auto huge = huge_bytes_at(bytes_.data()); huge < bytes_.size()) {
        return fail(Errc::unsupported, "huge pages",
                    "only " + std::to_string(huge) + " bytes came as such");
    }
    for (std::size_t offset = 0; offset < bytes_.size(); offset += kHugeBytes) {
        pages_.push_back(offset);
    }
    return {};
}

Result<void> Segment::fill_sparse(const Spec& spec) {
    auto made = Mapping::untouched(kSparseBytes);
    if (!made) {
        return tl::unexpected(made.error());
    }
    memory_ = std::move(*made);
    bytes_ = memory_.bytes();
    constexpr std::size_t kLongest = 16;
    const std::size_t wanted = spec.size.count / kPageBytes;
    // A run a slot, each in its own part of the mapping: half as long as the longest at the mean.
    const std::size_t slots = std::max<std::size_t>(1, wanted * 2 / kLongest);
    const std::size_t slot_pages = std::max(kLongest, kSparseBytes.count / kPageBytes / slots);
    std::mt19937_64 random(spec.size.count);
    for (std::size_t slot = 0; pages_.size() < wanted; slot = (slot + 1) % slots) {
        const std::size_t length = std::min(1 + random() % kLongest, wanted - pages_.size());
        const std::size_t first = slot * slot_pages + random() % (slot_pages - length + 1);
        for (std::size_t page = first; page < first + length; ++page) {
            pages_.push_back(page * kPageBytes);
        }
    }
    for (const std::size_t offset : pages_) {
        workload::fill_page(bytes_.subspan(offset).first<kPageBytes>(), offset / kPageBytes,
                            kRandomPercent);
    }
    return {};
}

Result<void> Segment::fill_file(const Spec& spec) {
    auto made = Mapping::file({spec.path, spec.size}, kRandomPercent);
    if (!made) {
        return tl::unexpected(made.error());
    }
    if (spec.kind == Kind::file) {
        memory_ = std::move(*made);
        return {};
    }
    // To count its pages a mapping is needed, to use them none.
    made = Mapping();
    auto hidden = Mapping::existing({spec.path, spec.size}, false);
    if (!hidden) {
        return tl::unexpected(hidden.error());
    }
    memory_ = std::move(*hidden);
    file_.reset(::open(spec.path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file_) {
        return fail_errno(errno, "open", spec.path);
    }
    return read_whole(file_);
}

Result<void> Segment::use() {
    if (kind_ == Kind::read) {
        return read_whole(file_);
    }
    const auto touch = [this](std::size_t offset) {
        static_cast<void>(*static_cast<volatile std::byte*>(&bytes_[offset]));
    };
    if (!pages_.empty()) {
        std::for_each(pages_.begin(), pages_.end(), touch);
        return {};
    }
    for (std::size_t offset = 0; offset < bytes_.size(); offset += kPageBytes) {
        touch(offset);
    }
    return {};
}

Result<void> Segment::push_out() const {
    constexpr int kPageOut = 21; // MADV_PAGEOUT
    if (::madvise(bytes_.data(), bytes_.size(), kPageOut) != 0) {
        return fail_errno(errno, "madvise", "pageout");
    }
    return {};
}

Result<void> Segment::count(const workload::Pagemap& pagemap, Truth& into) const {
    const bool cached =
        kind_ == Kind::file || kind_ == Kind::read || kind_ == Kind::borrowed || kind_ == Kind::shm;
    const auto present = cached ? cached_pages(bytes_).map(
                                      [](std::uint64_t pages) { return Bytes{pages * kPageBytes}; })
                                : pagemap.resident(bytes_);
    if (!present) {
        return tl::unexpected(present.error());
    }
    into.present = present->count;
    into.huge = kind_ == Kind::thp ? huge_bytes_at(bytes_.data()) : 0; // the kernel may split them
    return {};
}

bool in_use(const Use& use, Nanoseconds began, Nanoseconds now) {
    return use.ever &&
           (use.every.count() == 0 || (now - began) % use.every < std::chrono::seconds(1));
}

Nanoseconds next_use(const Spec& spec, Nanoseconds began, Nanoseconds now) {
    if (!spec.use.ever) {
        return Nanoseconds::max();
    }
    if (!in_use(spec.use, began, now)) {
        return now + spec.use.every - (now - began) % spec.use.every;
    }
    return now + (spec.kind == Kind::read ? std::chrono::seconds(1) : kPause);
}

} // namespace cgtide::layout
