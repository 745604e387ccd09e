#pragma once

#include "cgroup/base/dir.hpp"
#include "engine/model/app_name.hpp"
#include "oci/record.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace cgtide::core {

/// Apps that root attached or detached, beyond or against the annotation.
struct Attachment {
    std::vector<model::AppName> added;
    std::vector<model::AppName> removed;

    bool operator==(const Attachment&) const = default;
};

/// What lies in the folder of registrations.
struct Found {
    struct Entry {
        std::string key;
        Result<oci::Record> record;
        bool stopped = false; ///< poststop has run
    };
    std::vector<Entry> entries;
    std::vector<std::string> orphans; ///< keys with a `.stopped` and no record
    bool unfinished = false; ///< files lie there that their writer has not yet given their name
};

/// `<run>`: records, marks, attachments and the pause. Every call does blocking I/O on a file
/// system that is usually tmpfs.
class RunDir {
public:
    /// Opens `path` (0755), making it, `containers/` (0700) and `attached/` (0700) where they are
    /// missing.
    static Result<RunDir> open(const std::string& path);

    /// Reads all registrations. A file that is no record of ours is among the entries with its
    /// error.
    Result<Found> scan() const;

    /// Removes the files that a writer began at least `age` ago and never gave their name, as a
    /// hook does that is killed. Returns how many. A writer takes 1.5 s at most (the hook's
    /// longest `--budget`); one that is slower, having been stopped meanwhile, gets ENOENT.
    Result<int> sweep(std::chrono::seconds age) const;

    /// When the folder of registrations last changed: a scan that began later has seen all before
    /// it.
    Result<std::int64_t> changed() const;

    Result<void> save(const std::string& key, const oci::Record& record) const;
    Result<void> mark_stopped(const std::string& key) const;

    /// Removes record, mark and attachment of the container of the cgroup `ended`. A record of
    /// another cgroup, which a hook has left since, or one that does not decode stays.
    Result<void> forget(const std::string& key, CgroupId ended) const;

    /// The attachment of a container; an empty one where there is none.
    Result<Attachment> attachment(const std::string& key) const;

    /// Keeps an attachment; an empty one removes the file.
    Result<void> attach(const std::string& key, const Attachment& attachment) const;

    /// Whether the node is paused: `<run>/paused` is there. An error where that cannot be told.
    Result<bool> paused() const;

    /// Keeps or ends the pause. Idempotent; a mark that cannot be kept leaves things as they were.
    Result<void> pause(bool on) const;

    const Dir& dir() const { return run_; }

private:
    RunDir(Dir run, Dir containers, Dir attached)
        : run_(std::move(run)), containers_(std::move(containers)), attached_(std::move(attached)) {
    }

    Dir run_;
    Dir containers_;
    Dir attached_;
};

} // namespace cgtide::core
