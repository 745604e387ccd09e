#include "engine/damon/lru_gen.hpp"

#include "cgroup/base/text.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <optional>
#include <set>

#include <fcntl.h>
#include <unistd.h>

namespace cgtide::damon {

namespace {

constexpr std::string_view kOp = "read lru_gen";

/// Takes the next word off the front; words lie apart by any number of spaces.
std::string_view take_word(std::string_view& text) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
    const std::string_view word = text.substr(0, text.find_first_of(" \t"));
    text.remove_prefix(word.size());
    return word;
}

tl::unexpected<Error> malformed(std::string_view line) {
    return fail(Errc::malformed, kOp, "'" + printable(line) + "'");
}

std::optional<Generation> parse_generation(std::string_view line) {
    constexpr std::uint64_t kLongest = 1ULL << 52U; // milliseconds that fit in microseconds
    const auto number = to_u64(take_word(line));
    const auto age = to_u64(take_word(line));
    const auto anon = to_u64(take_word(line));
    const auto file = to_u64(take_word(line));
    if (!number || !age || *age > kLongest || !anon || !file || !trim(line).empty()) {
        return std::nullopt;
    }
    return Generation{*number, Microseconds(static_cast<std::int64_t>(*age) * 1000), *anon, *file};
}

bool is_complete(const GroupGenerations& group) {
    for (const NodeGenerations& node : group.nodes) {
        if (node.generations.empty()) {
            return false;
        }
    }
    return true;
}

/// The number of `/sys/kernel/mm/lru_gen/enabled`; 0 where it is none.
std::optional<unsigned> mask_of(std::string_view enabled) {
    constexpr int kHex = 16;
    enabled = trim(enabled.substr(0, enabled.find('\n')));
    if (enabled.starts_with("0x")) {
        enabled.remove_prefix(2);
    }
    unsigned mask = 0;
    const char* const end = enabled.data() + enabled.size();
    const auto [at, error] = std::from_chars(enabled.data(), end, mask, kHex);
    if (error != std::errc() || at != end) {
        return std::nullopt;
    }
    return mask;
}

} // namespace

Result<LruGenerations> parse_lru_gen(std::string_view text) {
    LruGenerations groups;
    std::set<std::string, std::less<>> twice;
    GroupGenerations ignored; // of a path that stood before
    GroupGenerations* group = nullptr;
    while (const auto line = next_line(text)) {
        std::string_view rest = *line;
        const std::string_view first = take_word(rest);
        if (first == "memcg") {
            const auto id = to_u64(take_word(rest));
            if (!id || rest.size() < 2 || (group != nullptr && !is_complete(*group))) {
                return malformed(*line);
            }
            rest.remove_prefix(1); // a path may begin or end with a space of its own
            const auto [entry, is_new] = groups.try_emplace(std::string(rest));
            if (!is_new) {
                twice.emplace(rest);
            }
            group = is_new ? &entry->second : &ignored;
            *group = {*id, {}};
        } else if (first == "node") {
            const auto node = to_u64(take_word(rest));
            constexpr std::uint64_t kMostNodes = 1U << 16U;
            if (!node || *node > kMostNodes || group == nullptr || !is_complete(*group)) {
                return malformed(*line);
            }
            group->nodes.push_back({static_cast<unsigned>(*node), {}});
        } else if (!first.empty()) {
            const auto generation = parse_generation(*line);
            const bool placed = group != nullptr && !group->nodes.empty();
            if (!generation || !placed) {
                return malformed(*line);
            }
            auto& generations = group->nodes.back().generations;
            if (!generations.empty() && generations.back().number >= generation->number) {
                return malformed(*line);
            }
            generations.push_back(*generation);
        }
    }
    if (group != nullptr && !is_complete(*group)) {
        return fail(Errc::malformed, kOp, "it ends in the middle of a cgroup");
    }
    for (const std::string& path : twice) {
        groups.erase(path);
    }
    return groups;
}

bool is_mglru_on(std::string_view enabled) {
    constexpr unsigned kOn = 1;
    return (mask_of(enabled).value_or(kOn) & kOn) != 0;
}

bool walks_page_tables(std::string_view enabled) {
    constexpr unsigned kWalks = 2;
    return is_mglru_on(enabled) && (mask_of(enabled).value_or(0) & kWalks) != 0;
}

std::string eviction_text(const Eviction& eviction) {
    return "- " + std::to_string(eviction.id) + ' ' + std::to_string(eviction.node) + ' ' +
           std::to_string(eviction.last) + (eviction.anon_only ? " max " : " 200 ") +
           std::to_string(eviction.pages);
}

EvictionSupport probe_eviction(Mglru& kernel) {
    EvictionSupport support;
    const auto reading = kernel.read();
    if (!reading || reading->empty()) {
        support.detail = reading ? "lru_gen names no cgroup" : reading.error().message();
        return support;
    }
    const GroupGenerations& first = reading->begin()->second;
    if (first.nodes.empty()) {
        support.detail = "lru_gen names no node";
        return support;
    }
    // The generation 0 is never one of the two youngest.
    Eviction nothing{first.id, first.nodes.front().node, 0, 0, true};
    support.anon_only = kernel.evict(nothing).has_value();
    nothing.anon_only = false;
    const auto done = support.anon_only ? Result<void>() : kernel.evict(nothing);
    support.present = done.has_value();
    support.detail = !done               ? done.error().message()
                     : support.anon_only ? "asked for 0 pages; takes anonymous memory alone"
                                         : "asked for 0 pages; takes anonymous memory first";
    return support;
}

Result<void> LruGen::check_enabled() const {
    std::array<char, 32> text{};
    const ssize_t got = ::pread(enabled_.get(), text.data(), text.size(), 0);
    std::string_view enabled(text.data(), got < 0 ? 0 : static_cast<std::size_t>(got));
    if (!walks_page_tables(enabled)) {
        const std::string line = printable(trim(next_line(enabled).value_or("")));
        return fail(Errc::unsupported, kOp,
                    "/sys/kernel/mm/lru_gen/enabled is " + line +
                        ": without its bits 0 and 1 all memory looks idle");
    }
    return {};
}

Result<LruGen> LruGen::open(const Dir& sys) {
    auto enabled = sys.file("kernel/mm/lru_gen/enabled", O_RDONLY);
    if (!enabled) {
        return fail(Errc::unsupported, "open lru_gen",
                    "/sys/kernel/mm/lru_gen/enabled: " + enabled.error().code.message() +
                        "; this kernel has no MGLRU");
    }
    const auto debug = sys.sub("kernel/debug");
    auto in = debug ? debug->file("lru_gen", O_RDONLY) : tl::unexpected(debug.error());
    auto out = debug ? debug->file("lru_gen", O_WRONLY) : tl::unexpected(debug.error());
    if (!in || !out) {
        const Error& problem = in ? out.error() : in.error();
        return fail(
            Errc::unsupported, "open lru_gen",
            "/sys/kernel/debug/lru_gen: " + problem.code.message() +
                "; it takes debugfs that is mounted, a kernel that is not locked down, and MGLRU");
    }
    LruGen file(std::move(*in), std::move(*out), std::move(*enabled));
    if (auto on = file.check_enabled(); !on) {
        return tl::unexpected(on.error());
    }
    return file;
}

Result<LruGenerations> LruGen::read() {
    constexpr std::size_t kChunk = 1U << 16U;
    constexpr std::size_t kMost = 1U << 26U;
    if (auto on = check_enabled(); !on) {
        return tl::unexpected(on.error());
    }
    std::size_t size = 0;
    for (;;) {
        buffer_.resize(size + kChunk);
        const ssize_t got =
            ::pread(in_.get(), buffer_.data() + size, kChunk, static_cast<off_t>(size));
        if (got < 0) {
            return fail_errno(errno, kOp, "/sys/kernel/debug/lru_gen");
        }
        if (got == 0) {
            break;
        }
        size += static_cast<std::size_t>(got);
        if (size > kMost) {
            return fail(Errc::out_of_range, kOp, "it is larger than 64 MiB");
        }
    }
    return parse_lru_gen(std::string_view(buffer_).substr(0, size));
}

Result<void> LruGen::age(std::uint64_t id, unsigned node, std::uint64_t youngest) {
    // Swappiness above 0, or anonymous pages do not age; a number, for with `max` file mappings are
    // not walked and the oldest file pages become the youngest. A full walk, or page tables are
    // left out that seldom had used pages.
    return command("age a cgroup", "+ " + std::to_string(id) + ' ' + std::to_string(node) + ' ' +
                                       std::to_string(youngest) + " 200 1");
}

Result<void> LruGen::evict(const Eviction& eviction) {
    return command("evict generations", eviction_text(eviction));
}

Result<void> LruGen::command(std::string_view op, const std::string& text) const {
    const ssize_t written = ::write(out_.get(), text.data(), text.size());
    if (written != static_cast<ssize_t>(text.size())) {
        return fail_errno(written < 0 ? errno : EIO, op, "lru_gen '" + text + "'");
    }
    return {};
}

} // namespace cgtide::damon
