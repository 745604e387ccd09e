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

/// `lru_gen` of debugfs: this class alone writes it.
class LruGen {
public:
    /// \returns `unsupported` with what is missing: debugfs is not mounted, the kernel is locked
    /// down, or has no MGLRU.
    static Result<LruGen> open(const Dir& sys);

    /// Reads all generations of all cgroups: about 1 us a line, of which there are some five for
    /// each cgroup on each node.
    Result<LruGenerations> read();

    /// Walks all page tables of a cgroup's processes (not of those below it): pages that were used
    /// go to the generation `youngest`, and a new one begins. Blocks, about 10 ns a page; the
    /// caller pays the CPU time.
    ///
    /// \returns EINVAL where `youngest` is not the youngest any more or the cgroup is gone.
    Result<void> age(std::uint64_t id, unsigned node, std::uint64_t youngest);

private:
    LruGen(UniqueFd in, UniqueFd out) : in_(std::move(in)), out_(std::move(out)) {}

    UniqueFd in_;
    UniqueFd out_;
    std::string buffer_; ///< kept for its room
};

} // namespace cgtide::damon
