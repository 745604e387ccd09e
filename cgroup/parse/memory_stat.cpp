#include "cgroup/parse/memory_stat.hpp"

#include "cgroup/parse/fields.hpp"

#include <algorithm>
#include <charconv>
#include <climits>

namespace cgtide::cgroup {

namespace {

/// A key that is used, and where its number goes: to one of the two.
struct StatKey {
    std::string_view name;
    Bytes MemoryStat::*bytes = nullptr;
    std::uint64_t MemoryStat::*count = nullptr;
};

// In the order of the kernel's file (mm/memcontrol.c, memory_stats[] and memcg_stat_format()), so
// that nearly every line is compared with one name. Kernels differ in what they have, and may in
// order.
constexpr std::array<StatKey, 22> kKeys{
    {{"anon", &MemoryStat::anon},
     {"file", &MemoryStat::file},
     {"kernel", &MemoryStat::kernel},
     {"shmem", &MemoryStat::shmem},
     {"file_mapped", &MemoryStat::file_mapped},
     {"file_dirty", &MemoryStat::file_dirty},
     {"file_writeback", &MemoryStat::file_writeback},
     {"swapcached", &MemoryStat::swapcached},
     {"inactive_anon", &MemoryStat::inactive_anon},
     {"active_anon", &MemoryStat::active_anon},
     {"inactive_file", &MemoryStat::inactive_file},
     {"active_file", &MemoryStat::active_file},
     {"unevictable", &MemoryStat::unevictable},
     {"slab_reclaimable", &MemoryStat::slab_reclaimable},
     {"workingset_refault_anon", nullptr, &MemoryStat::workingset_refault_anon},
     {"workingset_refault_file", nullptr, &MemoryStat::workingset_refault_file},
     {"workingset_activate_anon", nullptr, &MemoryStat::workingset_activate_anon},
     {"workingset_activate_file", nullptr, &MemoryStat::workingset_activate_file},
     {"pgscan", nullptr, &MemoryStat::pgscan},
     {"pgsteal", nullptr, &MemoryStat::pgsteal},
     {"pgfault", nullptr, &MemoryStat::pgfault},
     {"pgmajfault", nullptr, &MemoryStat::pgmajfault}}};

bool is_of(std::string_view line, const StatKey& key) {
    return line.size() > key.name.size() && line[key.name.size()] == ' ' &&
           line.starts_with(key.name);
}

/// Takes the line of a key, whose name it begins with, off the front of `text`. \returns
/// `malformed` where no number follows.
Result<void> take(std::string_view& text, const StatKey& key, MemoryStat& stat) {
    const char* const end = text.data() + text.size();
    std::uint64_t number = 0;
    const auto [at, error] = std::from_chars(text.data() + key.name.size() + 1, end, number);
    if (error != std::errc{} || (at != end && *at != '\n')) {
        return malformed("memory.stat", next_line(text).value_or(text));
    }
    (key.bytes != nullptr ? (stat.*key.bytes).count : stat.*key.count) = number;
    text.remove_prefix(static_cast<std::size_t>((at == end ? at : at + 1) - text.data()));
    return {};
}

/// Reads a file that has all keys in our order, up to the last of them. \returns how many it has
/// so.
Result<std::size_t> read_in_order(std::string_view text, MemoryStat& stat) {
    std::size_t next = 0;
    while (next < kKeys.size() && !text.empty()) {
        if (!is_of(text, kKeys[next])) {
            next_line(text);
        } else if (auto done = take(text, kKeys[next], stat); done) {
            ++next;
        } else {
            return tl::unexpected(done.error());
        }
    }
    return next;
}

/// Reads any other.
Result<void> read_in_any_order(std::string_view text, MemoryStat& stat) {
    bool has_anon = false;
    bool has_file = false;
    while (!text.empty()) {
        const auto* const key = std::find_if(
            kKeys.begin(), kKeys.end(), [&](const StatKey& each) { return is_of(text, each); });
        if (key == kKeys.end()) {
            next_line(text);
            continue;
        }
        if (auto done = take(text, *key, stat); !done) {
            return done;
        }
        has_anon = has_anon || key->bytes == &MemoryStat::anon;
        has_file = has_file || key->bytes == &MemoryStat::file;
    }
    if (!has_anon || !has_file) {
        return fail(Errc::malformed, "memory.stat", has_anon ? "has no 'file'" : "has no 'anon'");
    }
    return {};
}

struct NodeEntry {
    unsigned node = 0;
    std::uint64_t bytes = 0;
};

/// `N0=4096`; nullopt for anything else.
std::optional<NodeEntry> node_entry(std::string_view word) {
    const std::size_t equals = word.find('=');
    if (!word.starts_with('N') || equals == std::string_view::npos) {
        return std::nullopt;
    }
    const auto node = to_u64(word.substr(1, equals - 1));
    const auto bytes = to_u64(word.substr(equals + 1));
    if (!node || *node > UINT_MAX || !bytes) {
        return std::nullopt;
    }
    return NodeEntry{static_cast<unsigned>(*node), *bytes};
}

} // namespace

Result<MemoryStat> parse_memory_stat(std::string_view text) {
    MemoryStat stat;
    const auto found = read_in_order(text, stat);
    if (!found) {
        return tl::unexpected(found.error());
    }
    if (*found < kKeys.size()) {
        if (auto done = read_in_any_order(text, stat); !done) {
            return tl::unexpected(done.error());
        }
    }
    return stat;
}

Result<ProactiveReclaim> parse_proactive_reclaim(std::string_view text) {
    constexpr std::array<Key<ProactiveReclaim>, 2> kCounts{
        {{"pgdemote_proactive", &ProactiveReclaim::demoted},
         {"pgsteal_proactive", &ProactiveReclaim::stolen}}};
    return parse_flat(text, "memory.stat", kCounts);
}

Result<std::map<unsigned, NodeBytes>> parse_numa_stat(std::string_view text) {
    std::map<unsigned, NodeBytes> nodes;
    bool has_anon = false;
    bool has_file = false;
    while (const auto line = next_line(text)) {
        std::string_view rest = *line;
        const auto name = next_word(rest);
        if (name != "anon" && name != "file") {
            continue;
        }
        const bool anon = name == "anon";
        (anon ? has_anon : has_file) = true;
        while (const auto word = next_word(rest)) {
            const auto entry = node_entry(*word);
            if (!entry) {
                return malformed("memory.numa_stat", *line);
            }
            NodeBytes& node = nodes[entry->node];
            (anon ? node.anon : node.file) = Bytes{entry->bytes};
        }
    }
    if (!has_anon || !has_file) {
        return fail(Errc::malformed, "memory.numa_stat",
                    has_anon ? "has no 'file'" : "has no 'anon'");
    }
    return nodes;
}

} // namespace cgtide::cgroup
