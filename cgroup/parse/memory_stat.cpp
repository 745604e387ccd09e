#include "cgroup/parse/memory_stat.hpp"

#include "cgroup/parse/fields.hpp"

#include <climits>

namespace cgtide::cgroup {

namespace {

struct ByteKey {
    std::string_view name;
    Bytes MemoryStat::*member;
};

// Every line of the file is looked up here: string_view compares lengths first, which keeps a
// linear search cheap beside the read.
constexpr std::array<ByteKey, 14> kBytes{{{"anon", &MemoryStat::anon},
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
                                          {"slab_reclaimable", &MemoryStat::slab_reclaimable}}};

constexpr std::array<Key<MemoryStat>, 8> kCounts{
    {{"workingset_refault_anon", &MemoryStat::workingset_refault_anon},
     {"workingset_refault_file", &MemoryStat::workingset_refault_file},
     {"workingset_activate_anon", &MemoryStat::workingset_activate_anon},
     {"workingset_activate_file", &MemoryStat::workingset_activate_file},
     {"pgscan", &MemoryStat::pgscan},
     {"pgsteal", &MemoryStat::pgsteal},
     {"pgfault", &MemoryStat::pgfault},
     {"pgmajfault", &MemoryStat::pgmajfault}}};

std::uint64_t* find(MemoryStat& stat, std::string_view name) {
    for (const ByteKey& key : kBytes) {
        if (key.name == name) {
            return &(stat.*key.member).count;
        }
    }
    for (const auto& key : kCounts) {
        if (key.name == name) {
            return &(stat.*key.member);
        }
    }
    return nullptr;
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
    bool has_anon = false;
    bool has_file = false;
    while (const auto line = next_line(text)) {
        std::string_view rest = *line;
        const auto name = next_word(rest);
        std::uint64_t* const target = name ? find(stat, *name) : nullptr;
        if (target == nullptr) {
            continue;
        }
        const auto number = to_u64(rest);
        if (!number) {
            return malformed("memory.stat", *line);
        }
        *target = *number;
        has_anon = has_anon || target == &stat.anon.count;
        has_file = has_file || target == &stat.file.count;
    }
    if (!has_anon || !has_file) {
        return fail(Errc::malformed, "memory.stat", has_anon ? "has no 'file'" : "has no 'anon'");
    }
    return stat;
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
