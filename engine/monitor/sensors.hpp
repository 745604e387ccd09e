#pragma once

#include "cgroup/group.hpp"
#include "cgroup/node.hpp"
#include "cgroup/protection_reader.hpp"
#include "engine/model/app.hpp"
#include "engine/model/snapshot.hpp"

#include <string_view>

namespace cgtide::monitor {

/// One container to look at.
struct Subject {
    cgroup::Group* group = nullptr;
    std::string_view path; ///< v2
    model::Needs needs;
    const model::Snapshot* before = nullptr; ///< the last one of this container; none at first
    Microseconds lived{0};                   ///< since the engine first saw it
    bool frozen = false;                     ///< as cgroup.events last said
    bool has_nested = false;                 ///< another registered container lives inside it
};

/// The sensor of this kernel's counters: cgroup files, PSI and the node's meminfo. One thread at a
/// time uses it.
class Counters {
public:
    /// `cgroup` is the v2 mount, `recursive` its option memory_recursiveprot. \returns what could
    /// not be opened.
    static Result<Counters> open(const Dir& cgroup, const Dir& proc, bool recursive);

    /// Begins a period: what containers share is read anew, once for all of them. \returns the
    /// node's free memory and swap. About 15 us.
    Result<model::NodeView> begin_period(TimePoint at);

    /// Reads what `subject.needs` asks for. At most 10 reads a container, about 50 us. A file that
    /// this kernel lacks leaves its field empty, and so does memory.stat where it is wanted seldom
    /// and usage is what it was. Nothing is swapped out of a container of a node
    /// whose swap is free: that takes no read.
    ///
    /// \returns `gone` where the cgroup was removed.
    Result<model::Snapshot> sample(const Subject& subject, TimePoint at);

    /// Files of ancestors and siblings read so far; those of containers are counted by their
    /// groups.
    std::uint64_t reads() const { return limits_.reads(); }

private:
    Counters(cgroup::NodeReader node, cgroup::ProtectionReader limits)
        : node_(std::move(node)), limits_(std::move(limits)) {}

    cgroup::NodeReader node_;
    cgroup::ProtectionReader limits_;
    bool swap_in_use_ = true;
};

} // namespace cgtide::monitor
