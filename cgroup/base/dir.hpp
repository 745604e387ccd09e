#pragma once

#include "cgroup/base/cgroup_id.hpp"
#include "cgroup/base/result.hpp"
#include "cgroup/base/unique_fd.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cgtide {

/// A directory held by its descriptor. Everything below it is reached with openat2(RESOLVE_BENEATH,
/// RESOLVE_NO_SYMLINKS), so that no name that a tenant chose can lead out of it. The calls block as
/// long as the file system behind them does.
class Dir {
public:
    Dir() = default;

    /// Opens `path` as the process sees it; this is the one call that follows symlinks, for roots
    /// given by an administrator.
    static Result<Dir> open(const std::string& path);

    /// Opens a directory below this one. `name` may have several components; "" or "." reopens this
    /// directory.
    Result<Dir> sub(const std::string& name) const;

    /// Opens a file below this directory with open(2) flags (O_CLOEXEC is added) and, for O_CREAT,
    /// a mode.
    Result<UniqueFd> file(const std::string& name, int flags, unsigned mode = 0) const;

    /// Reads a whole file. \returns `out_of_range` where it is larger than `limit` bytes.
    Result<std::string> read(const std::string& name, std::size_t limit = 1U << 20U) const;

    /// Writes `text` to an existing file in one write(2), as kernel files need it.
    Result<void> write(const std::string& name, std::string_view text) const;

    /// Replaces a file atomically: a temporary file (mode 0600), then rename(2).
    Result<void> replace(const std::string& name, std::string_view text) const;

    /// Removes a file; one that is not there is no error.
    Result<void> remove(const std::string& name) const;

    /// The names in this directory without "." and "..", sorted; `only_dirs` keeps directories
    /// alone.
    Result<std::vector<std::string>> list(bool only_dirs = false) const;

    /// The inode of this directory, which for a cgroup is its id. `gone` where the cgroup was
    /// removed is not seen here: a held descriptor keeps its inode.
    Result<CgroupId> id() const;

    int fd() const noexcept { return fd_.get(); }
    explicit operator bool() const noexcept { return static_cast<bool>(fd_); }

private:
    explicit Dir(UniqueFd fd) : fd_(std::move(fd)) {}

    UniqueFd fd_;
};

/// Reads a kept descriptor of a file that the kernel prints in one piece (all of cgroupfs but the
/// lists of processes) from its start, with one pread(2) where there is room, into `buffer`
/// (cleared first; its capacity is reused).
///
/// \returns `gone` where the cgroup behind it was removed. About 1 us for a file with one number,
/// 20 to 40 us for memory.stat.
Result<void> read_again(int fd, std::string& buffer, std::string_view name);

} // namespace cgtide
