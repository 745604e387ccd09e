#pragma once

#include "cgroup/group.hpp"
#include "cgroup/parse/protection.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cgtide::cgroup {

/// What a cgroup's place in the hierarchy gives it.
struct Limits {
    Protection protection; ///< effective memory.min and memory.low
    /// What it may still swap out: the least of memory.swap.max - memory.swap.current over itself
    /// and its ancestors; kUnlimited where none is limited, nullopt without swap accounting.
    std::optional<Bytes> swap_headroom;
};

/// Reads the limits of many containers in one pass. Ancestors are read once a period for all of
/// them, siblings only where the parent's effective protection is not 0. A container costs one read
/// (memory.swap.max) below an unprotected parent, and up to four otherwise.
class ProtectionReader {
public:
    /// `root` is the v2 mount; `recursive` its mount option memory_recursiveprot.
    ProtectionReader(Dir root, bool recursive) : root_(std::move(root)), recursive_(recursive) {}

    /// Forgets what was read, and closes ancestors that nobody asked for in the last period.
    void begin_period();

    /// The limits of the container at `path` (v2, begins with `/`), whose `usage` (memory.current)
    /// the caller has read. Does not block.
    ///
    /// \returns `gone` where it or an ancestor was removed, `malformed` as open_group().
    Result<Limits> of(std::string_view path, Group& group, Bytes usage);

    /// How many files of ancestors and siblings were read so far; those of containers are counted
    /// by their groups.
    std::uint64_t reads() const noexcept { return reads_; }

private:
    struct Siblings {
        Bytes min; ///< sum of min(usage, memory.min)
        Bytes low;
    };

    /// An ancestor, held open. What stands below `group` is of this period.
    struct Ancestor {
        explicit Ancestor(Group&& held) : group(std::move(held)) {}

        Group group;
        bool used = false; ///< asked for since the last begin_period()
        Bytes usage;
        Protection effective;
        std::optional<Bytes> headroom;
        std::vector<ProtectionLevel> levels; ///< from the root's child down to this one
        std::optional<Siblings> children;
    };

    Result<Ancestor*> ancestor(std::string_view path);
    Result<void> read_ancestor(std::string_view path, Ancestor& entry);
    Result<ProtectionLevel> level(Group& group, Bytes usage, Ancestor* parent);
    Siblings children_of(const Dir& parent);

    Dir root_;
    bool recursive_;
    std::map<std::string, Ancestor, std::less<>> ancestors_;
    std::uint64_t reads_ = 0;
};

} // namespace cgtide::cgroup
