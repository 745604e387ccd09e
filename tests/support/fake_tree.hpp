#pragma once

#include "cgroup/base/kernel_roots.hpp"
#include "cgroup/base/units.hpp"
#include "tests/support/temp_dir.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace cgtide::test {

/// What the files of a fake cgroup say. Bytes::kUnlimited is written as `max`.
struct GroupValues {
    Bytes usage = mebibytes(64);
    Bytes anon = mebibytes(48);
    Bytes file = mebibytes(16);
    Bytes min{};
    Bytes low{};
    Bytes high{Bytes::kUnlimited};
    Bytes max{Bytes::kUnlimited};
    Bytes swap_usage{};
    Bytes swap_max{Bytes::kUnlimited};
    std::uint64_t memory_stall_us = 0; ///< `some` total of memory.pressure
    std::uint64_t io_stall_us = 0;     ///< `some` total of io.pressure
    std::uint64_t refault_anon = 0;    ///< pages
    std::uint64_t refault_file = 0;    ///< pages
    std::uint64_t oom_kill = 0;
    std::uint64_t max_events = 0;
    bool populated = true;
    bool frozen = false;
};

/// What `proc/meminfo` says.
struct NodeValues {
    Bytes total = mebibytes(4096);
    Bytes free = mebibytes(2048);
    Bytes swap_total = mebibytes(1024);
    Bytes swap_free = mebibytes(1000);
};

/// A kernel tree of plain files for `--root`: a unified v2 hierarchy, proc and sys. Files are
/// written in place, so that kept descriptors see the new text and inotify sees IN_MODIFY, as with
/// cgroupfs.
class FakeTree {
public:
    /// The root cgroup, proc (meminfo, self/{cgroup,mountinfo}, sys/kernel/random/boot_id) and an
    /// empty sys. Who reads self/cgroup is told that it lives in /init.
    FakeTree();

    /// The folder to give as `--root`.
    const std::string& path() const { return dir_.path(); }
    const TempDir& dir() const { return dir_; }

    /// Opens the roots as a program does.
    KernelRoots roots() const;

    /// Makes a cgroup, and parents that are missing with values of their own, or writes new values
    /// to one that stands. `group` begins with `/`. memory.reclaim is an empty file that keeps what
    /// is written. Returns its id.
    CgroupId add_group(const std::string& group, const GroupValues& values = {});

    /// Removes a cgroup with all below it.
    void remove_group(const std::string& group);

    /// Makes a process (proc/PID/{cgroup,stat}) in a cgroup that stands and adds it to
    /// cgroup.procs. One that stands is moved: its number leaves the old cgroup.procs.
    void add_process(int pid, const std::string& group, std::uint64_t start = 1000);

    /// Removes a process.
    void remove_process(int pid);

    /// Replaces the text of a file of a cgroup in place: `set("/web", "memory.current", "4096\n")`.
    void set(const std::string& group, const std::string& file, std::string_view text);

    /// The text of a file of a cgroup, such as what was written to memory.reclaim.
    std::string get(const std::string& group, const std::string& file) const;

    /// Writes `proc/meminfo`.
    void set_node(const NodeValues& values);

private:
    std::string group_path(const std::string& group, const std::string& file = "") const;
    void leave_group(int pid);

    TempDir dir_;
};

} // namespace cgtide::test
