#pragma once

#include "cgroup/base/dir.hpp"

#include <unordered_map>
#include <vector>

namespace cgtide::cgroup {

/// Something happened to a watched cgroup.
struct Change {
    CgroupId id;           ///< 0 for an overflow
    bool removed = false;  ///< cgroup.events is gone, and its watch with it
    bool overflow = false; ///< events were lost: read cgroup.events of every watched cgroup
};

/// Watches `cgroup.events` of many cgroups with one inotify descriptor; works on cgroupfs and on a
/// fake tree whose files are written in place (a file that is renamed over another is not seen).
///
/// A change is told, not its value: the caller reads cgroup.events after it, and once after add(),
/// for what changed before the watch stood. A cgroup can only be removed after `populated` fell to
/// 0, which is always told. Its removal itself is always told for plain files, but not by every
/// kernel, so that a reader that gets `gone` must count as removal too. A descriptor of
/// cgroup.events that is kept open delays `removed` until it is closed.
class EventWatcher {
public:
    /// \returns EMFILE where fs.inotify.max_user_instances is used up.
    static Result<EventWatcher> open();

    /// Becomes readable when drain() has something; non-blocking, for epoll.
    int fd() const noexcept { return inotify_.get(); }

    /// Watches a cgroup held open by `dir` (only used during the call). Adding one again is no
    /// error. \returns `gone` where it was removed; ENOSPC where fs.inotify.max_user_watches is
    /// used up.
    Result<void> add(CgroupId id, const Dir& dir);

    /// Stops watching; one that is not watched is no error. What happened before may still come.
    void remove(CgroupId id);

    /// Takes all that happened, each cgroup once, in the order of its first event. Empty where
    /// nothing did. Does not block.
    Result<std::vector<Change>> drain();

private:
    explicit EventWatcher(UniqueFd inotify) : inotify_(std::move(inotify)) {}

    UniqueFd inotify_;
    std::unordered_map<int, CgroupId> ids_; ///< by watch descriptor
    std::unordered_map<CgroupId, int> watches_;
};

} // namespace cgtide::cgroup
