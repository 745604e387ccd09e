#pragma once

#include "cgroup/base/dir.hpp"
#include "cgroup/base/units.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace cgtide::damon {

/// Text files of the kernel below one folder. The kernel of the tests stands behind the same two
/// calls.
class Files {
public:
    Files() = default;
    Files(const Files&) = delete;
    Files& operator=(const Files&) = delete;
    virtual ~Files() = default;

    virtual Result<std::string> read(const std::string& path) const = 0;
    virtual Result<void> write(const std::string& path, std::string_view text) = 0;
};

/// The files of the running kernel below a folder of sysfs.
class KernelFiles final : public Files {
public:
    explicit KernelFiles(Dir dir) : dir_(std::move(dir)) {}

    Result<std::string> read(const std::string& path) const override { return dir_.read(path); }
    Result<void> write(const std::string& path, std::string_view text) override {
        return dir_.write(path, text);
    }

private:
    Dir dir_;
};

/// DAMON's tree, `/sys/kernel/mm/damon/admin/kdamonds`: the one class that writes below it. Paths
/// are relative to it.
///
/// The kernel answers EBUSY while somebody else holds its one lock; every call tries again until
/// its patience ends, so every call may block that long, and a commit as long as the worker thread
/// takes (up to 18 s were seen). Source: mm/damon/sysfs.c.
class Tree {
public:
    static constexpr Microseconds kPatience{5'000'000};

    /// `files` must outlive the tree.
    explicit Tree(Files& files, Microseconds patience = kPatience)
        : files_(&files), patience_(patience) {}

    /// Reads a file, without the newline at its end.
    Result<std::string> read(const std::string& path) const;

    /// Reads a file that holds one number. \returns `malformed` where it does not.
    Result<std::uint64_t> number(const std::string& path) const;

    /// True where the file is there and can be read.
    bool has(const std::string& path) const;

    /// Writes a file. The errors of `state` say what the kernel means by them.
    Result<void> write(const std::string& path, std::string_view text);

    /// The pid of a slot's worker thread; 0 where it does not run. Source: `K/pid`.
    Result<int> worker(std::size_t slot) const;

private:
    Files* files_;
    Microseconds patience_;
};

/// The path of a file of one slot: `slot_path(3, "state")` is `3/state`.
std::string slot_path(std::size_t slot, std::string_view file);

} // namespace cgtide::damon
