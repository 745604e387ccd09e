#include "cgroup/base/dir.hpp"
#include "cgroup/base/text.hpp"
#include "cgroup/hierarchy/hierarchy.hpp"
#include "cgroup/hierarchy/layout.hpp"

#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace cgtide::hierarchy {

namespace {

constexpr const char* kProcs = "cgroup.procs";

class FileOwnGroup final : public OwnGroup {
public:
    FileOwnGroup(Dir root, std::string name)
        : root_(std::move(root)), name_(std::move(name)), path_("/" + name_) {}
    ~FileOwnGroup() override {
        // Nobody is left to hear of a failure; remove() is there for those who want to.
        (void)remove();
    }

    const std::string& path() const override { return path_; }

    Result<void> remove() override {
        if (removed_) {
            return {};
        }
        if (auto emptied = root_.remove(name_ + "/" + kProcs); !emptied) {
            return emptied;
        }
        if (::unlinkat(root_.fd(), name_.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT) {
            return fail_errno(errno, "remove cgroup", path_);
        }
        removed_ = true;
        return {};
    }

private:
    Dir root_;
    std::string name_;
    std::string path_;
    bool removed_ = false;
};

class FileHierarchy final : public Hierarchy {
public:
    explicit FileHierarchy(std::string root) : root_(std::move(root)) {}

    Result<Layout> discover() override {
        const auto text = Dir::open(root_ + "/proc").and_then([](const Dir& proc) {
            return proc.read("self/mountinfo");
        });
        if (!text) {
            return tl::unexpected(text.error());
        }
        const auto mount = cgroup::parse_cgroup_mount(*text);
        if (!mount) {
            return tl::unexpected(mount.error());
        }
        if (!*mount) {
            return make_layout(*mount, {});
        }
        const std::string path = (*mount)->path;
        const auto offered = Dir::open(root_ + path).and_then([](const Dir& dir) {
            return dir.read("cgroup.controllers");
        });
        if (!offered) {
            return tl::unexpected(offered.error());
        }
        std::vector<MountedController> controllers;
        std::string_view rest = *offered;
        for (const std::string_view name : split(next_line(rest).value_or(""), ' ')) {
            if (!name.empty()) {
                controllers.push_back({std::string(name), path});
            }
        }
        return make_layout(*mount, controllers);
    }

    Result<std::unique_ptr<OwnGroup>> make_own_group(const std::string& name) override {
        if (auto named = check_group_name(name); !named) {
            return tl::unexpected(named.error());
        }
        const auto layout = discover();
        if (!layout) {
            return tl::unexpected(layout.error());
        }
        auto top = Dir::open(root_ + layout->mount);
        if (!top) {
            return tl::unexpected(top.error());
        }
        if (::mkdirat(top->fd(), name.c_str(), 0755) != 0 && errno != EEXIST) {
            return fail_errno(errno, "make cgroup", "/" + name);
        }
        auto procs = top->file(name + "/" + kProcs, O_WRONLY | O_CREAT | O_TRUNC, 0644);
        if (!procs) {
            return tl::unexpected(procs.error());
        }
        auto moved = top->write(name + "/" + kProcs, std::to_string(::getpid()) + "\n");
        if (!moved) {
            return tl::unexpected(moved.error());
        }
        return std::make_unique<FileOwnGroup>(std::move(*top), name);
    }

private:
    std::string root_;
};

} // namespace

std::unique_ptr<Hierarchy> file_hierarchy(const std::string& root) {
    return std::make_unique<FileHierarchy>(root);
}

} // namespace cgtide::hierarchy
