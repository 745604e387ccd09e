#pragma once

#include "cgroup/base/dir.hpp"
#include "cgroup/base/units.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace cgtide::damon {

/// One generation of MGLRU of one cgroup on one node.
struct Generation {
    std::uint64_t number = 0;
    Microseconds age{0};          ///< since it was made
    std::uint64_t anon_pages = 0; ///< tmpfs and shared memory included; no huge pages of hugetlb
    std::uint64_t file_pages = 0;

    bool operator==(const Generation&) const = default;
};

/// A cgroup's generations on one node.
struct NodeGenerations {
    unsigned node = 0;
    std::vector<Generation> generations; ///< oldest first, at least one

    bool operator==(const NodeGenerations&) const = default;
};

/// A cgroup's generations, without those of the cgroups below it.
struct GroupGenerations {
    std::uint64_t id =
        0; ///< what this kernel calls it in lru_gen: the inode, or a number of memcg's own
    std::vector<NodeGenerations> nodes;

    bool operator==(const GroupGenerations&) const = default;
};

/// By v2 path. A path that stands twice, once for a removed cgroup that still holds memory, is left
/// out.
using LruGenerations = std::map<std::string, GroupGenerations, std::less<>>;

/// Parses `lru_gen` of debugfs. Pure. \returns `malformed` with the line. Source:
/// Documentation/admin-guide/mm/multigen_lru.rst.
Result<LruGenerations> parse_lru_gen(std::string_view text);

/// Whether MGLRU is on. Then read(2) and write(2) leave no trace of a use that DAMON sees; so
/// text that is no mask counts as on. Pure.
/// Source: mm/swap.c, folio_mark_accessed(); `/sys/kernel/mm/lru_gen/enabled`.
bool is_mglru_on(std::string_view enabled);

/// Whether generations tell use: MGLRU is on and walks page tables. Without the walks (bit 1 is
/// off, or the processor sets no accessed bits) a command to age makes a generation all the same,
/// and every page looks idle. Pure. Source: `/sys/kernel/mm/lru_gen/enabled`, a hexadecimal mask.
bool walks_page_tables(std::string_view enabled);

/// What is to leave a cgroup's memory on one node, without that of the cgroups below it.
struct Eviction {
    std::uint64_t id = 0; ///< of the cgroup, as in GroupGenerations
    unsigned node = 0;
    std::uint64_t last = 0;  ///< the youngest generation that may leave; all below it may, too
    std::uint64_t pages = 0; ///< at most, and what a batch of the kernel takes beyond
    bool anon_only = true;   ///< 7.3 takes that, 6.12 does not; else anonymous memory first
};

/// The command of one eviction: `- id node last swappiness pages`. Pure.
std::string eviction_text(const Eviction& eviction);

/// What MGLRU tells and does. The kernel of the tests stands behind the same two calls.
class Mglru {
public:
    Mglru() = default;
    virtual ~Mglru() = default;
    Mglru(const Mglru&) = delete;
    Mglru& operator=(const Mglru&) = delete;

    /// Reads all generations of all cgroups: about 1 us a line, of which there are some five for
    /// each cgroup on each node.
    ///
    /// \returns `unsupported` where somebody has turned MGLRU or its walks off.
    virtual Result<LruGenerations> read() = 0;

    /// Walks all page tables of a cgroup's processes (not of those below it): pages that were used
    /// go to the generation `youngest`, and a new one begins. Blocks, about 10 ns a page; the
    /// caller pays the CPU time.
    ///
    /// Linux up to 6.13 says that it did also where `youngest` was not the youngest any more, and
    /// does nothing: only a generation `youngest + 1` that is no older than this call proves a
    /// walk.
    ///
    /// \returns EINVAL where the cgroup is gone or `youngest` is above the youngest, EEXIST where
    ///          reclaim was faster.
    virtual Result<void> age(std::uint64_t id, unsigned node, std::uint64_t youngest) = 0;

    /// Evicts pages of the oldest generations, those that were merged into one before its own.
    /// Pages that were used since the last walk stay, and become young. Returns also where fewer
    /// left than asked. Blocks, about 20 ms a MiB on a slow machine; a signal ends it between two
    /// batches of 64 pages.
    ///
    /// \returns EINTR after a signal; EINVAL where the cgroup is gone, or `last` is one of the two
    ///          youngest. Source: mm/vmscan.c, run_eviction() and inc_min_seq().
    virtual Result<void> evict(const Eviction& eviction) = 0;

protected:
    Mglru(Mglru&&) = default;
    Mglru& operator=(Mglru&&) = default;
};

/// What MGLRU of this kernel evicts.
struct EvictionSupport {
    bool present = false;
    bool anon_only = false; ///< takes `max`: no page cache leaves with anonymous memory
    std::string detail;     ///< what came back
};

/// Finds out by asking the first cgroup that is listed for 0 pages, which evicts nothing. Does not
/// block.
EvictionSupport probe_eviction(Mglru& kernel);

/// `lru_gen` of debugfs: this class alone writes it. One thread at a time uses one; of two, each is
/// as good as alone.
class LruGen final : public Mglru {
public:
    /// \returns `unsupported` with what is missing: debugfs is not mounted, the kernel is locked
    /// down, or has no MGLRU that walks page tables.
    static Result<LruGen> open(const Dir& sys);

    Result<LruGenerations> read() override;
    Result<void> age(std::uint64_t id, unsigned node, std::uint64_t youngest) override;
    Result<void> evict(const Eviction& eviction) override;

private:
    LruGen(UniqueFd in, UniqueFd out, UniqueFd enabled)
        : in_(std::move(in)), out_(std::move(out)), enabled_(std::move(enabled)) {}

    Result<void> check_enabled() const;
    Result<void> command(std::string_view op, const std::string& text) const;

    UniqueFd in_;
    UniqueFd out_;
    UniqueFd enabled_;
    std::string buffer_; ///< kept for its room
};

} // namespace cgtide::damon
