#include "cgroup/base/kernel_roots.hpp"

namespace cgtide {

Result<KernelRoots> KernelRoots::open(const std::string& root, const std::string& cgroup_mount) {
    const std::string base = root.empty() || root.back() != '/' ? root + "/" : root;
    auto cgroup = Dir::open(base + cgroup_mount);
    if (!cgroup) {
        return tl::unexpected(cgroup.error());
    }
    auto proc = Dir::open(base + "proc");
    if (!proc) {
        return tl::unexpected(proc.error());
    }
    auto sys = Dir::open(base + "sys");
    if (!sys) {
        return tl::unexpected(sys.error());
    }
    KernelRoots roots{std::move(*cgroup), std::move(*proc), std::move(*sys), std::nullopt};
    if (auto debug = Dir::open(base + "sys/kernel/debug")) {
        roots.debug = std::move(*debug);
    }
    return roots;
}

} // namespace cgtide
