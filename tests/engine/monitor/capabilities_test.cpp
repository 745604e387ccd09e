#include "engine/monitor/capabilities.hpp"
#include "engine/monitor/page_capabilities.hpp"
#include "tests/support/fake_tree.hpp"

#include <filesystem>
#include <set>
#include <stdexcept>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace cgtide::monitor {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class ProbeKernel : public testing::Test {
protected:
    std::vector<model::Capability> all(bool recursive) const {
        auto rows = probe_kernel(tree_.roots(), recursive);
        for (model::Capability& row : probe_types(tree_.roots())) {
            rows.push_back(std::move(row));
        }
        return rows;
    }
    model::Capability find(const std::string& name, bool recursive = true) const {
        for (const model::Capability& capability : all(recursive)) {
            if (capability.name == name) {
                return capability;
            }
        }
        throw std::runtime_error("no capability " + name);
    }
    bool present(const std::string& name) const { return find(name).present; }
    void put(const std::string& name, std::string_view text) const {
        tree_.dir().write(name, text);
    }

    test::FakeTree tree_;
};

TEST_F(ProbeKernel, EveryRowIsNamedOnceAndSaysWhatIsDoneWithoutIt) {
    std::set<std::string> names;
    for (const model::Capability& capability : all(false)) {
        EXPECT_TRUE(names.insert(capability.name).second) << capability.name;
        EXPECT_TRUE(capability.probed.starts_with('/')) << capability.name;
        EXPECT_NE(capability.detail, "") << capability.name;
        EXPECT_NE(capability.without, "") << capability.name;
    }
    EXPECT_GE(names.size(), 10U);
}

TEST_F(ProbeKernel, OnlyTheMemoryControllerIsRequired) {
    for (const model::Capability& capability : all(false)) {
        EXPECT_EQ(capability.required, capability.name == "memory controller (v2)");
    }
}

TEST_F(ProbeKernel, TheMemoryControllerIsAWordOfItsOwn) {
    EXPECT_TRUE(present("memory controller (v2)"));
    tree_.set("/", "cgroup.controllers", "cpu memoryless pids\n");
    EXPECT_FALSE(present("memory controller (v2)"));
    tree_.set("/", "cgroup.controllers", "memory\n");
    EXPECT_TRUE(present("memory controller (v2)"));
    tree_.set("/", "cgroup.controllers", "\n");
    EXPECT_FALSE(present("memory controller (v2)"));
}

TEST_F(ProbeKernel, PressureNeedsItsFile) {
    EXPECT_FALSE(present("PSI"));
    EXPECT_THAT(find("PSI").detail, HasSubstr("No such file"));
    put("proc/pressure/memory", "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
    EXPECT_TRUE(present("PSI"));
    EXPECT_THAT(find("PSI").detail, HasSubstr("some avg10"));
}

TEST_F(ProbeKernel, SwapIsWhatMeminfoCounts) {
    EXPECT_TRUE(present("swap"));
    EXPECT_EQ(find("swap").detail, "SwapTotal over 0");
    tree_.set_node({.swap_total = {}, .swap_free = {}});
    EXPECT_FALSE(present("swap"));
    EXPECT_EQ(find("swap").detail, "SwapTotal is 0");
    fs::remove(tree_.path() + "/proc/meminfo");
    EXPECT_FALSE(present("swap"));
    EXPECT_THAT(find("swap").detail, HasSubstr("No such file"));
}

TEST_F(ProbeKernel, RecursiveProtectionIsToldByTheMount) {
    EXPECT_TRUE(find("memory_recursiveprot", true).present);
    EXPECT_FALSE(find("memory_recursiveprot", false).present);
}

TEST_F(ProbeKernel, MglruTellsUseWhereItWalksPageTables) {
    EXPECT_FALSE(present("MGLRU"));
    for (const char* mask : {"0x0000\n", "0x0005\n"}) {
        put("sys/kernel/mm/lru_gen/enabled", mask);
        EXPECT_FALSE(present("MGLRU")) << mask;
    }
    put("sys/kernel/mm/lru_gen/enabled", "0x0007\n");
    EXPECT_TRUE(present("MGLRU"));
    EXPECT_EQ(find("MGLRU").detail, "0x0007");
}

TEST_F(ProbeKernel, GenerationsAreWritableAndNameCgroupsInOneOfTwoWays) {
    // A plain file keeps what the probe of evictions writes: it is listed anew each time.
    const auto detail_of = [&](const std::string& text) {
        put("sys/kernel/debug/lru_gen", text);
        return find("debugfs lru_gen").detail;
    };
    const std::string root = "memcg 1 /\n node 0\n 0 1 2 3\n";
    EXPECT_THAT(detail_of(root), HasSubstr("no MGLRU"));
    EXPECT_FALSE(present("debugfs lru_gen"));
    put("sys/kernel/mm/lru_gen/enabled", "0x0007\n");
    EXPECT_THAT(detail_of(root), HasSubstr("no cgroup but the root"));
    put("sys/fs/cgroup/web/cgroup.procs", "");
    const CgroupId id = *tree_.roots().cgroup.sub("web")->id();
    const auto listed = [&](std::uint64_t number) {
        return root + "memcg " + std::to_string(number) + " /web\n node 0\n 0 1 2 3\n";
    };
    EXPECT_EQ(detail_of(listed(id.value)), "writable, calls cgroups by their inodes");
    EXPECT_EQ(detail_of(listed(id.value + 1)), "writable, calls cgroups by numbers of memcg's own");
    put("sys/kernel/debug/lru_gen", root);
    EXPECT_TRUE(present("debugfs lru_gen"));
    put("sys/kernel/debug/lru_gen", "memcg\n");
    EXPECT_FALSE(present("debugfs lru_gen"));
}

TEST_F(ProbeKernel, EvictionIsAskedForNothing) {
    put("sys/kernel/debug/lru_gen", "memcg 1 /\n node 0\n 0 1 2 3\n");
    EXPECT_FALSE(present("eviction by generation"));
    EXPECT_THAT(find("eviction by generation").detail, HasSubstr("no MGLRU"));
    put("sys/kernel/mm/lru_gen/enabled", "0x0007\n");
    const model::Capability row = find("eviction by generation");
    EXPECT_TRUE(row.present);
    EXPECT_THAT(row.detail, HasSubstr("anonymous memory alone"));
    EXPECT_THAT(tree_.dir().read("sys/kernel/debug/lru_gen"), testing::StartsWith("- 1 0 0 max 0"));
}

TEST_F(ProbeKernel, LockdownIsOffWhereNoneIsChosen) {
    put("sys/kernel/security/lockdown", "[none] integrity confidentiality\n");
    EXPECT_TRUE(present("lockdown off"));
    put("sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
    EXPECT_FALSE(present("lockdown off"));
}

TEST_F(ProbeKernel, TheKernelsOwnBalancingIsSaid) {
    EXPECT_FALSE(present("numa_balancing off"));
    put("proc/sys/kernel/numa_balancing", "0\n");
    EXPECT_TRUE(present("numa_balancing off"));
    put("proc/sys/kernel/numa_balancing", "2\n");
    EXPECT_FALSE(present("numa_balancing off"));
    EXPECT_EQ(find("numa_balancing off").detail, "2");
}

TEST_F(ProbeKernel, NodesAndTiersAreToldByTheTopology) {
    EXPECT_FALSE(present("NUMA nodes"));
    EXPECT_EQ(find("memory tiers").detail, "this kernel tells no NUMA nodes");
    put("sys/devices/system/node/online", "0\n");
    put("sys/devices/system/node/node0/meminfo",
        "Node 0 MemTotal: 2048 kB\nNode 0 MemFree: 1024 kB\n");
    EXPECT_FALSE(present("NUMA nodes"));
    EXPECT_EQ(find("NUMA nodes").detail, "1 node with memory");
}

TEST_F(ProbeKernel, WhatWouldTellAgeIsFoundByItsFiles) {
    for (const auto& [name, file] :
         {std::pair{"DAMON sysfs", "sys/kernel/mm/damon/admin/kdamonds/nr_kdamonds"},
          {"BTF", "sys/kernel/btf/vmlinux"}}) {
        EXPECT_FALSE(present(name)) << name;
        put(file, "0\n");
        EXPECT_TRUE(present(name)) << name;
    }
}

TEST_F(ProbeKernel, DamonsFeaturesAndTracepointsTakeTheKernelsTypes) {
    for (const char* name : {"DAMON features", "DAMON tracepoints"}) {
        EXPECT_FALSE(present(name));
        EXPECT_THAT(find(name).detail, HasSubstr("No such file"));
    }
    put("sys/kernel/btf/vmlinux", "0\n");
    for (const char* name : {"DAMON features", "DAMON tracepoints"}) {
        EXPECT_FALSE(present(name));
        EXPECT_EQ(find(name).detail, "malformed");
    }
}

TEST_F(ProbeKernel, PageTypesTakeBothFiles) {
    EXPECT_EQ(find("page types").detail, "lacks kpageflags, kpagecgroup");
    put("proc/kpageflags", "");
    EXPECT_FALSE(present("page types"));
    EXPECT_EQ(find("page types").detail, "kpageflags; lacks kpagecgroup");
    put("proc/kpagecgroup", "");
    EXPECT_TRUE(present("page types"));
    EXPECT_EQ(find("page types").detail, "kpageflags, kpagecgroup");
}

TEST_F(ProbeKernel, SoftDirtyIsAFlagOfAMapping) {
    const std::string smaps = "proc/" + std::to_string(::getpid()) + "/smaps";
    EXPECT_FALSE(present("soft-dirty"));
    put(smaps, "7f-80 rw-p 0 00:00 0 [heap] sd\nRss: 4 kB\nVmFlags: rd wr mr mw me ac \n");
    EXPECT_FALSE(present("soft-dirty"));
    put(smaps, "7f-80 rw-p 0 00:00 0 \nVmFlags: rd wr mr mw me ac sd \n");
    EXPECT_TRUE(present("soft-dirty"));
}

TEST_F(ProbeKernel, ControlCharactersAreNotPassedOn) {
    put("sys/kernel/mm/lru_gen/enabled", "0x7\x1b[31m\n");
    EXPECT_EQ(find("MGLRU").detail.find('\x1b'), std::string::npos);
}

} // namespace
} // namespace cgtide::monitor
