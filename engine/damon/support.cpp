#include "engine/damon/support.hpp"

#include "cgroup/base/text.hpp"

#include <algorithm>

namespace cgtide::damon {

namespace {

std::string enabled_path(std::string_view module) {
    return std::string(module) + "/parameters/enabled";
}

Result<Support> probe_context(Tree& tree, std::size_t slot) {
    const auto path = [slot](std::string_view file) {
        return slot_path(slot, "contexts/0/" + std::string(file));
    };
    for (const char* count : {"targets/nr_targets", "schemes/nr_schemes"}) {
        if (auto done = tree.write(path(count), "1"); !done) {
            return tl::unexpected(done.error());
        }
    }
    const auto operations = tree.read(path("avail_operations"));
    if (!operations) {
        return tl::unexpected(operations.error());
    }
    const auto offers = [&](std::string_view name) {
        std::string_view text = *operations;
        while (const auto line = next_line(text)) {
            const auto words = split(*line, ' ');
            if (std::find(words.begin(), words.end(), name) != words.end()) {
                return true;
            }
        }
        return false;
    };
    const bool filters = tree.has(path("schemes/0/ops_filters/nr_filters")) &&
                         tree.write(path("schemes/0/ops_filters/nr_filters"), "1").has_value();
    return Support{
        .vaddr = offers("vaddr"),
        .fvaddr = offers("fvaddr"),
        .paddr = offers("paddr"),
        .obsolete_target = tree.has(path("targets/0/obsolete_target")),
        .probes = tree.has(path("monitoring_attrs/probes/nr_probes")),
        .goal_tuner = tree.has(path("schemes/0/quotas/goal_tuner")),
        .fail_charge = tree.has(path("schemes/0/quotas/fail_charge_num")),
        .max_nr_snapshots = tree.has(path("schemes/0/stats/max_nr_snapshots")),
        .dests = tree.has(path("schemes/0/dests/nr_dests")),
        .tried_regions = tree.has(path("schemes/0/tried_regions/total_bytes")),
        .passed_bytes = filters && tree.has(path("schemes/0/stats/sz_ops_filter_passed")),
        .unmapped =
            filters && tree.write(path("schemes/0/ops_filters/0/type"), "unmapped").has_value()};
}

} // namespace

Result<Support> probe_support(Tree& tree, std::size_t slot) {
    const std::string contexts = slot_path(slot, "contexts/nr_contexts");
    if (auto done = tree.write(contexts, "1"); !done) {
        return tl::unexpected(done.error());
    }
    auto support = probe_context(tree, slot);
    if (auto done = tree.write(contexts, "0"); !done && support) {
        return tl::unexpected(done.error());
    }
    return support;
}

std::vector<Module> read_modules(const Files& files) {
    std::vector<Module> modules;
    for (const std::string_view name : kModules) {
        if (const auto text = files.read(enabled_path(name))) {
            modules.push_back({name, text->starts_with('Y')});
        }
    }
    return modules;
}

Result<void> set_module(Files& files, std::string_view name, bool enabled) {
    return files.write(enabled_path(name), enabled ? "Y" : "N");
}

} // namespace cgtide::damon
