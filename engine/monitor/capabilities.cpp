#include "engine/monitor/capabilities.hpp"

#include "cgroup/base/text.hpp"
#include "cgroup/parse/proc.hpp"
#include "engine/damon/lru_gen.hpp"
#include "engine/monitor/page_capabilities.hpp"
#include "engine/monitor/topology.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace cgtide::monitor {

namespace {

using model::Capability;

/// A file whose text decides.
struct Probe {
    const Dir& dir;
    std::string file;  ///< below `dir`
    std::string shown; ///< as an administrator knows it
};

std::string first_line(std::string_view text) {
    return printable(trim(next_line(text).value_or("")), 120);
}

Capability by_text(std::string name, const Probe& probe, bool (*present)(std::string_view),
                   std::string without) {
    Capability capability{.name = std::move(name),
                          .probed = probe.shown,
                          .detail = {},
                          .without = std::move(without)};
    const auto text = probe.dir.read(probe.file);
    if (!text) {
        capability.detail = text.error().code.message();
        return capability;
    }
    capability.present = present(*text);
    capability.detail = first_line(*text);
    return capability;
}

bool is_zero(std::string_view text) {
    return trim(text.substr(0, text.find('\n'))) == "0";
}

bool any(std::string_view) {
    return true;
}

bool has_memory_controller(std::string_view text) {
    const auto words = split(trim(text.substr(0, text.find('\n'))), ' ');
    return std::find(words.begin(), words.end(), "memory") != words.end();
}

bool not_locked(std::string_view text) {
    return text.find("[none]") != std::string_view::npos;
}

bool has_swap(std::string_view text) {
    const auto info = cgroup::parse_meminfo(text);
    return info && info->swap_total.count > 0;
}

Capability recursive_protection(bool present) {
    return {.name = "memory_recursiveprot",
            .present = present,
            .probed = "/proc/self/mountinfo",
            .detail = present ? "mounted with it" : "mounted without it",
            .without = "unclaimed protection of a parent is not shared by its children"};
}

/// What a kernel calls a cgroup in lru_gen: the first that can be compared tells.
std::string number_form(const damon::LruGenerations& listed, const Dir& cgroup) {
    for (const auto& [path, group] : listed) {
        const auto dir = cgroup.sub(path.substr(1));
        const auto id = dir ? dir->id() : tl::unexpected(dir.error());
        if (path.size() > 1 && id) {
            return group.id == id->value ? "calls cgroups by their inodes"
                                         : "calls cgroups by numbers of memcg's own";
        }
    }
    return "names no cgroup but the root";
}

/// Idle times by generations, and eviction by generation.
std::vector<Capability> generations(const KernelRoots& roots) {
    Capability capability{.name = "debugfs lru_gen",
                          .present = false,
                          .probed = "/sys/kernel/debug/lru_gen",
                          .detail = {},
                          .without = "no idle times by generations where regions do not work"};
    auto file = damon::LruGen::open(roots.sys);
    const auto listed = file ? file->read() : tl::unexpected(file.error());
    capability.present = listed.has_value();
    capability.detail =
        listed ? "writable, " + number_form(*listed, roots.cgroup) : listed.error().message();
    const auto support =
        listed ? damon::probe_eviction(*file) : damon::EvictionSupport{.detail = capability.detail};
    const Capability eviction{.name = "eviction by generation",
                              .present = support.present,
                              .probed = capability.probed,
                              .detail = support.detail,
                              .without = "reclaim.actuator = \"lru_gen\" is memory.reclaim"};
    return {capability, eviction};
}

/// Whether this process lives in the host's namespace of a kind: the first ones have fixed inodes.
/// Source: PROC_PID_INIT_INO and PROC_CGROUP_INIT_INO in include/linux/proc_ns.h.
Capability host_namespace(const Dir& proc, const std::string& kind, const std::string& inode) {
    Capability capability{.name = "host " + kind + " namespace",
                          .probed = "/proc/self/ns/" + kind,
                          .detail = {},
                          .without = "pids or cgroup paths of the hook mean something else here: "
                                     "registrations are refused"};
    std::array<char, 64> link{};
    const ssize_t length =
        ::readlinkat(proc.fd(), ("self/ns/" + kind).c_str(), link.data(), link.size());
    capability.detail = length > 0 ? std::string(link.data(), static_cast<std::size_t>(length))
                                   : std::string("cannot be read");
    capability.present = capability.detail == kind + ":[" + inode + "]";
    return capability;
}

} // namespace

std::vector<Capability> probe_kernel(const KernelRoots& roots, bool recursive) {
    std::vector<Capability> all;
    all.push_back(by_text("memory controller (v2)",
                          {roots.cgroup, "cgroup.controllers", "/sys/fs/cgroup/cgroup.controllers"},
                          has_memory_controller, "nothing works: cgtided does not start"));
    all.back().required = true;
    all.push_back(by_text("PSI", {roots.proc, "pressure/memory", "/proc/pressure/memory"}, any,
                          "reclaim stays off: nothing tells whether it hurts"));
    all.push_back(by_text("swap", {roots.proc, "meminfo", "/proc/meminfo"}, has_swap,
                          "only file pages are reclaimed"));
    if (all.back().present || all.back().detail.starts_with("MemTotal")) {
        all.back().detail = all.back().present ? "SwapTotal over 0" : "SwapTotal is 0";
    }
    all.push_back(recursive_protection(recursive));
    constexpr const char* kUnproven = "idle age is not proven: reclaim goes at its profile's pace";
    all.push_back(
        by_text("MGLRU", {roots.sys, "kernel/mm/lru_gen/enabled", "/sys/kernel/mm/lru_gen/enabled"},
                damon::walks_page_tables, kUnproven));
    all.push_back(by_text("DAMON sysfs",
                          {roots.sys, "kernel/mm/damon/admin/kdamonds/nr_kdamonds",
                           "/sys/kernel/mm/damon/admin/kdamonds/nr_kdamonds"},
                          any, kUnproven));
    for (auto rows : {generations(roots), probe_pages(roots)}) {
        std::move(rows.begin(), rows.end(), std::back_inserter(all));
    }
    Capability btf{.name = "BTF",
                   .probed = "/sys/kernel/btf/vmlinux",
                   .detail = {},
                   .without = "no BPF programs: events are polled"};
    btf.present = roots.sys.file("kernel/btf/vmlinux", O_RDONLY).has_value();
    btf.detail = btf.present ? "readable" : "absent";
    all.push_back(std::move(btf));
    all.push_back(by_text("lockdown off",
                          {roots.sys, "kernel/security/lockdown", "/sys/kernel/security/lockdown"},
                          not_locked, "debugfs is closed while the kernel is locked down"));
    all.push_back(host_namespace(roots.proc, "pid", "4026531836"));
    all.push_back(host_namespace(roots.proc, "cgroup", "4026531835"));
    for (auto& row : node_capabilities(roots)) {
        all.push_back(std::move(row));
    }
    return all;
}

std::vector<Capability> node_capabilities(const KernelRoots& roots) {
    std::vector<Capability> rows{by_text(
        "numa_balancing off",
        {roots.proc, "sys/kernel/numa_balancing", "/proc/sys/kernel/numa_balancing"}, is_zero,
        "the kernel moves pages between nodes too: of a page that both move the "
        "last one wins, and tier holds where its own come back")};
    for (auto& row : tier_capabilities(read_topology(roots.sys, roots.proc))) {
        rows.push_back(std::move(row));
    }
    return rows;
}

} // namespace cgtide::monitor
