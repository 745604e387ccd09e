#pragma once

#include "cgroup/base/result.hpp"
#include "cgroup/base/unique_fd.hpp"

#include <optional>
#include <string>

#include <sys/types.h>

namespace cgtide::serve {

/// A listening Unix socket with its place in the file system, which is removed with it.
class Listener {
public:
    /// Binds and listens at `path`: mode 0660 of root and `group`, 0600 without a group. A socket
    /// that nobody listens on any more is replaced. Blocks for a connect at most.
    ///
    /// \returns `conflict` where another engine answers there, or something stands there that is no
    /// socket; `out_of_range` for a path that no socket address holds; else what the kernel says.
    static Result<Listener> bind(const std::string& path, std::optional<gid_t> group);

    /// Takes a listening socket that was made by someone else (socket activation); its place in the
    /// file system stays. \returns `malformed` where it is not listening.
    static Result<Listener> adopt(UniqueFd fd);

    Listener(Listener&& other) noexcept = default;
    Listener& operator=(Listener&&) = delete;
    /// Removes the socket's file if it is still the one that was made.
    ~Listener();

    int fd() const { return fd_.get(); }

    /// Gives the descriptor away; the caller closes it.
    int release() { return fd_.release(); }

private:
    Listener(UniqueFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

    UniqueFd fd_;
    std::string path_; ///< empty where there is nothing to remove
    dev_t device_ = 0;
    ino_t inode_ = 0;
};

} // namespace cgtide::serve
