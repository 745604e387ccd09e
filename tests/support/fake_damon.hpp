#pragma once

#include "engine/damon/host.hpp"
#include "engine/damon/tree.hpp"
#include "engine/damon/types.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace cgtide::test {

/// A kernel with DAMON, its three modules and processes: what mm/damon/sysfs.c and core.c do with a
/// write, as far as the engine leans on it. A write to nr_* makes its children anew, a commit goes
/// by index and looks up every pid, and everything but files of attributes is locked.
class FakeDamon {
public:
    /// A part of a target's addresses; `since` is the number of the commit that made it.
    struct Region {
        damon::Range range;
        int since = 0;

        bool operator==(const Region&) const = default;
    };
    struct Target {
        int pid = 0;
        std::vector<Region> regions;

        bool operator==(const Target&) const = default;
    };
    /// Sees every write of a file before (`done` is false) and after the kernel has taken it.
    using Hook = std::function<void(const std::string& path, std::string_view text, bool done)>;

    FakeDamon();
    ~FakeDamon();

    damon::Files& tree() { return *tree_; }
    damon::Files& modules() { return *modules_; }
    const damon::Host& host() const { return *host_; }

    void add_process(int pid, std::uint64_t start = 100);
    void end_process(int pid);
    void set_module(const std::string& name, bool enabled);
    bool module(const std::string& name) const { return module_.at(name); }
    /// A worker that stands in no tree.
    void set_stray_kdamond(int pid) { stray_ = pid; }

    /// What a process or worker has used of the processors.
    void set_cpu_time(int pid, Microseconds used) { cpu_[pid] = used; }

    void on_write(Hook hook) { hook_ = std::move(hook); }
    /// The next `times` writes of paths that end so fail.
    void fail(const std::string& path_end, int error, int times = 1);
    void clear_faults() { faults_.clear(); }
    /// As 6.12: a commit with a bad input ends the worker, and succeeds; regions of processes that
    /// have ended are tried.
    void set_old(bool old) { old_ = old; }
    void set_operations(const std::string& names) { operations_ = names; }
    /// Whether filters know pages that nobody maps.
    void set_unmapped(bool known) { knows_unmapped_ = known; }
    /// A scheme that names this cgroup cannot be committed from now on.
    void remove_cgroup(const std::string& path) { removed_.push_back(path); }
    void remove_file(const std::string& name) { absent_.push_back(name); }

    /// What a running slot watches; nullopt for one that is off.
    std::optional<std::vector<Target>> running(std::size_t slot) const;
    int worker(std::size_t slot) const;
    /// A file of a scheme as the worker took it over last, by its path below the scheme's folder;
    /// empty where it has no such scheme or file.
    std::string scheme(std::size_t slot, std::size_t index, const std::string& file) const;
    std::size_t schemes(std::size_t slot) const;
    /// Has a worker count snapshots for each of its schemes that has not ended.
    void count_snapshots(std::size_t slot, std::uint64_t count);

    /// Has a worker count a snapshot for one of its schemes.
    void count_snapshot_of(std::size_t slot, std::size_t index);

    /// Has the scheme of this index count bytes that it was applied to.
    void count_applied(std::size_t slot, std::size_t index, std::uint64_t bytes);
    int commits() const { return commits_; }
    int writes() const { return writes_; }
    std::string get(const std::string& path) const { return files_.at(path); }
    /// What another user of the tree does; hook and faults do not see it.
    void poke(const std::string& path, std::string_view text);

private:
    struct Process {
        std::uint64_t start = 0;
        UniqueFd reader; ///< of a pipe: a copy of it is what Host::hold() gives
        UniqueFd living; ///< the other end, closed when the process ends: the copies see it
    };
    struct Scheme {
        std::map<std::string, std::string> files;
        std::uint64_t snapshots = 0;
        std::uint64_t applied = 0;
    };
    struct Worker {
        int pid = 0;
        std::vector<Target> targets;
        std::vector<Scheme> schemes;
    };
    class TreeFiles;
    class ModuleFiles;
    class FakeHost;

    Result<std::string> read(const std::string& path) const;
    Result<void> write(const std::string& path, std::string_view text);
    int apply(const std::string& path, const std::string& text);
    int set_state(const std::string& slot, const std::string& command);
    int turn_on(const std::string& slot);
    int commit(const std::string& slot);
    void commit_schemes(const std::string& slot);
    int update_tried_regions(const std::string& slot);
    int update_stats(const std::string& slot);
    void try_regions(const std::string& slot, const std::string& scheme);
    void clear_tried_regions(const std::string& slot);
    bool names_unknown_cgroup(const std::string& slot) const;
    std::optional<std::vector<Target>> parse_targets(const std::string& slot) const;
    std::vector<Region> parse_regions(const std::string& folder) const;
    void make(const std::string& path, const std::string& value = "0");
    void make_children(const std::string& count_path, std::uint64_t count);
    void make_context(const std::string& folder);
    void erase_below(const std::string& folder);
    std::uint64_t count(const std::string& path) const;
    bool any_module() const;

    std::unique_ptr<damon::Files> tree_;
    std::unique_ptr<damon::Files> modules_;
    std::unique_ptr<damon::Host> host_;
    std::map<std::string, std::string> files_;
    std::map<std::string, bool> module_;
    std::map<int, Process> processes_;
    std::map<std::string, Worker> workers_; ///< by slot, those that run
    struct Fault {
        std::string path_end;
        int error = 0;
        int times = 0;
    };
    std::vector<Fault> faults_;
    std::vector<std::string> absent_;
    std::vector<std::string> removed_; ///< cgroups
    bool knows_unmapped_ = true;
    std::string operations_ = "vaddr\nfvaddr\npaddr\n";
    Hook hook_;
    bool old_ = false;
    int stray_ = 0;
    std::map<int, Microseconds> cpu_;
    int next_pid_ = 9000;
    int commits_ = 0;
    int writes_ = 0;
};

} // namespace cgtide::test
