#include "cgroup/watcher.hpp"

#include <array>
#include <cerrno>
#include <cstring>

#include <sys/inotify.h>
#include <unistd.h>

namespace cgtide::cgroup {

namespace {

/// The changes of one drain(), a cgroup once.
class Changes {
public:
    void add(const Change& change) {
        const auto [at, fresh] = places_.try_emplace(change.id, list_.size());
        if (fresh) {
            list_.push_back(change);
            return;
        }
        Change& known = list_[at->second];
        known.removed = known.removed || change.removed;
        known.overflow = known.overflow || change.overflow;
    }

    std::vector<Change> take() { return std::move(list_); }

private:
    std::vector<Change> list_;
    std::unordered_map<CgroupId, std::size_t> places_;
};

} // namespace

Result<EventWatcher> EventWatcher::open() {
    UniqueFd fd(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    if (!fd) {
        return fail_errno(errno, "watch cgroups", "inotify");
    }
    return EventWatcher(std::move(fd));
}

Result<void> EventWatcher::add(CgroupId id, const Dir& dir) {
    // inotify takes no directory descriptor, and a path of names could lead elsewhere by now.
    const std::string path = "/proc/self/fd/" + std::to_string(dir.fd()) + "/cgroup.events";
    const int watch = ::inotify_add_watch(inotify_.get(), path.c_str(),
                                          IN_MODIFY | IN_DELETE_SELF | IN_DONT_FOLLOW);
    if (watch < 0) {
        const int value = errno;
        const std::string detail = "cgroup.events of id " + to_string(id);
        return value == ENOENT ? fail(Errc::gone, "watch", detail)
                               : fail_errno(value, "watch", detail);
    }
    ids_[watch] = id;
    watches_[id] = watch;
    return {};
}

void EventWatcher::remove(CgroupId id) {
    const auto at = watches_.find(id);
    if (at == watches_.end()) {
        return;
    }
    // Fails only where the watch went with its file.
    ::inotify_rm_watch(inotify_.get(), at->second);
    ids_.erase(at->second);
    watches_.erase(at);
}

Result<std::vector<Change>> EventWatcher::drain() {
    alignas(inotify_event) std::array<char, 16384> buffer{};
    Changes changes;
    for (;;) {
        const ssize_t got = ::read(inotify_.get(), buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0 && errno == EAGAIN) {
            return changes.take();
        }
        if (got <= 0) {
            return fail_errno(got < 0 ? errno : EIO, "watch cgroups", "read of inotify");
        }
        for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
            inotify_event event{};
            std::memcpy(&event, buffer.data() + at, sizeof event);
            at += sizeof event + event.len;
            if ((event.mask & IN_Q_OVERFLOW) != 0) {
                changes.add({CgroupId{0}, false, true});
                continue;
            }
            const auto known = ids_.find(event.wd);
            if (known == ids_.end()) {
                continue;
            }
            const CgroupId id = known->second;
            const bool removed = (event.mask & (IN_DELETE_SELF | IN_IGNORED)) != 0;
            changes.add({id, removed, false});
            if ((event.mask & IN_IGNORED) != 0) {
                ids_.erase(known);
                watches_.erase(id);
            }
        }
    }
}

} // namespace cgtide::cgroup
