#include "engine/monitor/page_capabilities.hpp"

#include "cgroup/base/text.hpp"
#include "engine/damon/kernel_types.hpp"

#include <algorithm>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <unistd.h>

namespace cgtide::monitor {

namespace {

using model::Capability;

constexpr std::size_t kMostBytes = 64U << 20U;
constexpr const char* kNotNeeded = "nothing is lost in this version";

Capability parts_row(const Result<damon::KernelTypes>& types) {
    Capability row{.name = "DAMON features",
                   .probed = "/sys/kernel/btf/vmlinux",
                   .detail = types ? listed(types->has) : types.error().code.message(),
                   .without = "without max_nr_snapshots DAMON's workers page nothing out"};
    row.present = types && !types->has.empty();
    if (types && !types->lacks.empty()) {
        row.detail += (row.detail.empty() ? "lacks " : "; lacks ") + listed(types->lacks);
    }
    return row;
}

Capability tracepoints_row(const Result<damon::KernelTypes>& types) {
    Capability row{.name = "DAMON tracepoints",
                   .probed = "/sys/kernel/btf/vmlinux",
                   .detail = types ? types->no_aggregated : types.error().code.message(),
                   .without = "regions are read from DAMON's files, more slowly"};
    if (!types) {
        return row;
    }
    row.present = types->no_aggregated.empty();
    std::string names;
    for (const damon::Tracepoint& tracepoint : types->tracepoints) {
        names += (names.empty() ? "" : ", ") + tracepoint.name + " (" +
                 std::to_string(tracepoint.arguments) +
                 (tracepoint.arguments == 1 ? " argument)" : " arguments)");
    }
    row.detail += (row.detail.empty() || names.empty() ? "" : "; ") + names;
    return row;
}

Capability page_types_row(const Dir& proc) {
    Capability row{
        .name = "page types", .probed = "/proc/kpageflags", .detail = {}, .without = kNotNeeded};
    std::vector<std::string> has;
    std::vector<std::string> lacks;
    for (const char* file : {"kpageflags", "kpagecgroup"}) {
        (proc.file(file, O_RDONLY) ? has : lacks).emplace_back(file);
    }
    row.present = lacks.empty();
    row.detail = listed(has) + (has.empty() || lacks.empty() ? "" : "; ") +
                 (lacks.empty() ? "" : "lacks " + listed(lacks));
    return row;
}

/// Mappings begin as soft-dirty, and /proc/PID/smaps has a flag for it where the kernel knows it.
Capability soft_dirty_row(const Dir& proc) {
    Capability row{
        .name = "soft-dirty", .probed = "/proc/self/smaps", .detail = {}, .without = kNotNeeded};
    const auto text = proc.read(std::to_string(::getpid()) + "/smaps", kMostBytes);
    if (!text) {
        row.detail = text.error().code.message();
        return row;
    }
    std::string_view rest = *text;
    while (const auto line = next_line(rest)) {
        const auto words = split(*line, ' ');
        row.present = row.present || (line->starts_with("VmFlags:") &&
                                      std::find(words.begin(), words.end(), "sd") != words.end());
    }
    row.detail = row.present ? "a mapping has the flag sd" : "no mapping has the flag sd";
    return row;
}

} // namespace

std::vector<Capability> probe_pages(const KernelRoots& roots) {
    return {page_types_row(roots.proc), soft_dirty_row(roots.proc)};
}

std::vector<Capability> probe_types(const KernelRoots& roots) {
    const auto types =
        roots.sys.read("kernel/btf/vmlinux", kMostBytes).and_then([](const std::string& bytes) {
            return damon::read_kernel_types(bytes);
        });
    return {parts_row(types), tracepoints_row(types)};
}

} // namespace cgtide::monitor
