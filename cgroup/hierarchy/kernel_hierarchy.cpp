#include "cgroup/base/dir.hpp"
#include "cgroup/base/text.hpp"
#include "cgroup/hierarchy/hierarchy.hpp"
#include "cgroup/hierarchy/layout.hpp"
#include "cgroup/membership.hpp"

#include <libcgroup.h>
#include <unistd.h>

namespace cgtide::hierarchy {

namespace {

/// v2 groups are only made where a controller is named: without one libcgroup returns 0 and makes
/// nothing.
constexpr const char* kController = "memory";

struct FreeCgroup {
    void operator()(::cgroup* group) const { ::cgroup_free(&group); }
};
using CgroupPtr = std::unique_ptr<::cgroup, FreeCgroup>;

tl::unexpected<Error> failed(int code, std::string_view op, const std::string& what) {
    if (code == ECGOTHER) {
        return fail_errno(::cgroup_get_last_errno(), op, what);
    }
    const Errc kind = code == ECGROUPNOTMOUNTED || code == ECGROUPSUBSYSNOTMOUNTED
                          ? Errc::unsupported
                          : Errc::conflict;
    return fail(kind, op, what + ": " + ::cgroup_strerror(code));
}

/// All controllers that libcgroup finds mounted, v1 and v2; empty where none is.
Result<std::vector<MountedController>> mounted_controllers() {
    constexpr std::string_view kOp = "list cgroup controllers";
    const int ready = ::cgroup_init();
    if (ready == ECGROUPNOTMOUNTED) {
        return std::vector<MountedController>{};
    }
    if (ready != 0) {
        return failed(ready, kOp, "libcgroup");
    }
    std::vector<MountedController> found;
    void* walk = nullptr;
    const auto info = std::make_unique<cgroup_mount_point>();
    int code = ::cgroup_get_controller_begin(&walk, info.get());
    while (code == 0) {
        found.push_back({info->name, info->path});
        code = ::cgroup_get_controller_next(&walk, info.get());
    }
    ::cgroup_get_controller_end(&walk);
    if (code != ECGEOF) {
        return failed(code, kOp, "libcgroup");
    }
    return found;
}

/// A handle of libcgroup on the group `name`, with the memory controller.
Result<CgroupPtr> handle(const std::string& name) {
    CgroupPtr group(::cgroup_new_cgroup(name.c_str()));
    if (!group || ::cgroup_add_controller(group.get(), kController) == nullptr) {
        return fail_errno(ENOMEM, "own cgroup", name);
    }
    return group;
}

class KernelOwnGroup final : public OwnGroup {
public:
    KernelOwnGroup(std::string name, std::string home, Dir root)
        : name_(std::move(name)), path_("/" + name_), home_(std::move(home)),
          root_(std::move(root)) {}
    ~KernelOwnGroup() override {
        // Nobody is left to hear of a failure; remove() is there for those who want to.
        (void)remove();
    }

    const std::string& path() const override { return path_; }

    Result<void> remove() override {
        if (removed_) {
            return {};
        }
        if (auto moved = go_home(); !moved) {
            return moved;
        }
        auto group = handle(name_);
        if (!group) {
            return tl::unexpected(group.error());
        }
        if (const int code = ::cgroup_delete_cgroup_ext(group->get(), CGFLAG_DELETE_EMPTY_ONLY);
            code != 0) {
            return failed(code, "remove cgroup", path_);
        }
        removed_ = true;
        return {};
    }

private:
    // libcgroup attaches only to groups that have the controller, which the old one may lack.
    Result<void> go_home() const {
        const std::string pid = std::to_string(::getpid());
        auto home = cgroup::open_group(root_, home_);
        auto moved =
            home ? home->write("cgroup.procs", pid) : Result<void>(tl::unexpected(home.error()));
        return moved ? moved : root_.write("cgroup.procs", pid);
    }

    std::string name_;
    std::string path_;
    std::string home_;
    Dir root_;
    bool removed_ = false;
};

class KernelHierarchy final : public Hierarchy {
public:
    Result<Layout> discover() override {
        auto controllers = mounted_controllers();
        if (!controllers) {
            return tl::unexpected(controllers.error());
        }
        const auto text = Dir::open("/proc/self").and_then([](const Dir& self) {
            return self.read("mountinfo");
        });
        if (!text) {
            return tl::unexpected(text.error());
        }
        const auto mount = cgroup::parse_cgroup_mount(*text);
        if (!mount) {
            return tl::unexpected(mount.error());
        }
        return make_layout(*mount, *controllers);
    }

    Result<std::unique_ptr<OwnGroup>> make_own_group(const std::string& name) override {
        if (auto named = check_group_name(name); !named) {
            return tl::unexpected(named.error());
        }
        const auto layout = discover();
        if (!layout) {
            return tl::unexpected(layout.error());
        }
        auto root = Dir::open(layout->mount);
        if (!root) {
            return tl::unexpected(root.error());
        }
        const auto home = Dir::open("/proc").and_then(
            [](const Dir& proc) { return cgroup::pid_cgroup(proc, ::getpid()); });
        if (!home) {
            return tl::unexpected(home.error());
        }
        auto group = handle(name);
        if (!group) {
            return tl::unexpected(group.error());
        }
        if (const int code = ::cgroup_create_cgroup(group->get(), 1); code != 0) {
            return failed(code, "make cgroup", "/" + name);
        }
        // An engine that was killed left the group behind with this process's home in it.
        const std::string back = cgroup::is_at_or_below(*home, "/" + name) ? "/" : *home;
        auto own = std::make_unique<KernelOwnGroup>(name, back, std::move(*root));
        if (const int code = ::cgroup_attach_task_pid(group->get(), ::getpid()); code != 0) {
            return failed(code, "move into cgroup", "/" + name);
        }
        return own;
    }
};

} // namespace

std::unique_ptr<Hierarchy> kernel_hierarchy() {
    return std::make_unique<KernelHierarchy>();
}

} // namespace cgtide::hierarchy
