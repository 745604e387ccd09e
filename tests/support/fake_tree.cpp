#include "tests/support/fake_tree.hpp"

#include <filesystem>
#include <sstream>
#include <stdexcept>

#include <fcntl.h>
#include <unistd.h>

namespace cgtide::test {

namespace fs = std::filesystem;

namespace {

constexpr const char* kMount = "sys/fs/cgroup";
constexpr const char* kMountInfo =
    "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
    "30 22 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 "
    "rw,nsdelegate,memory_recursiveprot\n";
constexpr const char* kBootId = "11111111-2222-3333-4444-555555555555\n";

std::string amount(Bytes bytes) {
    return bytes.count == Bytes::kUnlimited ? "max\n" : std::to_string(bytes.count) + "\n";
}

std::string pressure(std::uint64_t some_us) {
    std::ostringstream out;
    out << "some avg10=0.00 avg60=0.00 avg300=0.00 total=" << some_us << '\n'
        << "full avg10=0.00 avg60=0.00 avg300=0.00 total=" << some_us / 2 << '\n';
    return out.str();
}

std::string memory_stat(const GroupValues& values) {
    const std::uint64_t anon = values.anon.count;
    const std::uint64_t file = values.file.count;
    std::ostringstream out;
    out << "anon " << anon << "\nfile " << file
        << "\nkernel 0\nkernel_stack 0\npagetables 0\nsec_pagetables 0\npercpu 0\nsock 0\nvmalloc 0"
           "\nshmem 0\nzswap 0\nzswapped 0\nfile_mapped 0\nfile_dirty 0\nfile_writeback 0"
           "\nswapcached 0\nanon_thp 0\nfile_thp 0\nshmem_thp 0\ninactive_anon "
        << anon << "\nactive_anon 0\ninactive_file " << file
        << "\nactive_file 0\nunevictable 0\nslab_reclaimable 0\nslab_unreclaimable 0\nslab 0"
           "\nworkingset_refault_anon "
        << values.refault_anon << "\nworkingset_refault_file " << values.refault_file
        << "\nworkingset_activate_anon 0\nworkingset_activate_file 0\nworkingset_restore_anon 0"
           "\nworkingset_restore_file 0\nworkingset_nodereclaim 0\npgscan 0\npgsteal 0\npgfault 0"
           "\npgmajfault 0\npgrefill 0\npgactivate 0\npgdeactivate 0\n";
    return out.str();
}

std::string numa_stat(const GroupValues& values) {
    return "anon N0=" + std::to_string(values.anon.count) +
           "\nfile N0=" + std::to_string(values.file.count) + "\nkernel_stack N0=0\n";
}

std::string memory_events(const GroupValues& values) {
    return "low 0\nhigh 0\nmax " + std::to_string(values.max_events) + "\noom 0\noom_kill " +
           std::to_string(values.oom_kill) + "\noom_group_kill 0\n";
}

std::string cgroup_events(const GroupValues& values) {
    return std::string("populated ") + (values.populated ? "1" : "0") + "\nfrozen " +
           (values.frozen ? "1" : "0") + "\n";
}

std::string stat_line(int pid, std::uint64_t start) {
    std::ostringstream out;
    out << pid << " (fake (worker) 1) S 1 " << pid << ' ' << pid
        << " 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 " << start << " 4096 1 18446744073709551615\n";
    return out.str();
}

std::string proc_path(int pid, const char* file) {
    return "proc/" + std::to_string(pid) + "/" + file;
}

} // namespace

FakeTree::FakeTree() {
    dir_.make("sys/kernel");
    dir_.write("proc/self/mountinfo", kMountInfo);
    dir_.write("proc/self/cgroup", "0::/init\n");
    dir_.write("proc/sys/kernel/random/boot_id", kBootId);
    set_node({});
    const std::string root = std::string(kMount) + "/";
    dir_.write(root + "cgroup.controllers", "cpuset cpu io memory pids\n");
    dir_.write(root + "cgroup.subtree_control", "memory\n");
    dir_.write(root + "cgroup.procs", "");
    dir_.write(root + "cgroup.stat", "nr_descendants 0\nnr_dying_descendants 0\n");
}

KernelRoots FakeTree::roots() const {
    auto opened = KernelRoots::open(path());
    if (!opened) {
        throw std::runtime_error(opened.error().message());
    }
    return std::move(*opened);
}

CgroupId FakeTree::add_group(const std::string& group, const GroupValues& values) {
    const std::string parent = group.substr(0, group.rfind('/'));
    if (!parent.empty() && !fs::exists(dir_.path() + "/" + group_path(parent))) {
        add_group(parent);
    }
    set(group, "memory.current", amount(values.usage));
    set(group, "memory.stat", memory_stat(values));
    set(group, "memory.numa_stat", numa_stat(values));
    set(group, "memory.events", memory_events(values));
    set(group, "memory.min", amount(values.min));
    set(group, "memory.low", amount(values.low));
    set(group, "memory.high", amount(values.high));
    set(group, "memory.max", amount(values.max));
    set(group, "memory.swap.current", amount(values.swap_usage));
    set(group, "memory.swap.max", amount(values.swap_max));
    set(group, "memory.pressure", pressure(values.memory_stall_us));
    set(group, "io.pressure", pressure(values.io_stall_us));
    set(group, "cgroup.events", cgroup_events(values));
    set(group, "cgroup.stat", "nr_descendants 0\nnr_dying_descendants 0\n");
    for (const char* name : {"cgroup.procs", "memory.reclaim"}) {
        if (!fs::exists(dir_.path() + "/" + group_path(group, name))) {
            set(group, name, "");
        }
    }
    const auto id = dir_.dir(group_path(group)).id();
    if (!id) {
        throw std::runtime_error(id.error().message());
    }
    return *id;
}

void FakeTree::remove_group(const std::string& group) {
    fs::remove_all(dir_.path() + "/" + group_path(group));
}

void FakeTree::add_process(int pid, const std::string& group, std::uint64_t start) {
    leave_group(pid);
    dir_.write(proc_path(pid, "cgroup"), "0::" + group + "\n");
    dir_.write(proc_path(pid, "stat"), stat_line(pid, start));
    set(group, "cgroup.procs", get(group, "cgroup.procs") + std::to_string(pid) + "\n");
}

void FakeTree::remove_process(int pid) {
    leave_group(pid);
    fs::remove_all(dir_.path() + "/proc/" + std::to_string(pid));
}

void FakeTree::leave_group(int pid) {
    if (!fs::exists(dir_.path() + "/" + proc_path(pid, "cgroup"))) {
        return;
    }
    std::string group = dir_.read(proc_path(pid, "cgroup")).substr(3);
    group.pop_back();
    if (!fs::exists(dir_.path() + "/" + group_path(group, "cgroup.procs"))) {
        return;
    }
    std::istringstream procs(get(group, "cgroup.procs"));
    std::string kept;
    for (std::string line; std::getline(procs, line);) {
        if (line != std::to_string(pid)) {
            kept += line + "\n";
        }
    }
    set(group, "cgroup.procs", kept);
}

void FakeTree::set(const std::string& group, const std::string& file, std::string_view text) {
    const std::string name = group_path(group, file);
    const UniqueFd fd(::open((dir_.path() + "/" + name).c_str(), O_WRONLY | O_CLOEXEC));
    if (!fd) {
        dir_.write(name, text);
        return;
    }
    // Not truncated first: a reader at the same time must not see an empty file.
    const auto size = static_cast<off_t>(text.size());
    if (::pwrite(fd.get(), text.data(), text.size(), 0) != size ||
        ::ftruncate(fd.get(), size) != 0) {
        throw std::runtime_error("write " + name);
    }
}

std::string FakeTree::get(const std::string& group, const std::string& file) const {
    return dir_.read(group_path(group, file));
}

void FakeTree::set_node(const NodeValues& values) {
    const auto line = [](const char* name, Bytes bytes) {
        return std::string(name) + ":  " + std::to_string(bytes.count >> 10U) + " kB\n";
    };
    dir_.write("proc/meminfo", line("MemTotal", values.total) + line("MemFree", values.free) +
                                   line("MemAvailable", values.free) +
                                   line("SwapTotal", values.swap_total) +
                                   line("SwapFree", values.swap_free));
}

std::string FakeTree::group_path(const std::string& group, const std::string& file) const {
    return kMount + (group == "/" ? "" : group) + (file.empty() ? "" : "/" + file);
}

} // namespace cgtide::test
