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

protected:
    Mglru(Mglru&&) = default;
    Mglru& operator=(Mglru&&) = default;
};

/// `lru_gen` of debugfs: this class alone writes it.
class LruGen final : public Mglru {
public:
    /// \returns `unsupported` with what is missing: debugfs is not mounted, the kernel is locked
    /// down, or has no MGLRU that walks page tables.
    static Result<LruGen> open(const Dir& sys);

    Result<LruGenerations> read() override;
    Result<void> age(std::uint64_t id, unsigned node, std::uint64_t youngest) override;

private:
    LruGen(UniqueFd in, UniqueFd out, UniqueFd enabled)
        : in_(std::move(in)), out_(std::move(out)), enabled_(std::move(enabled)) {}

    Result<void> check_enabled() const;

    UniqueFd in_;
    UniqueFd out_;
    UniqueFd enabled_;
    std::string buffer_; ///< kept for its room
};

} // namespace cgtide::damon
