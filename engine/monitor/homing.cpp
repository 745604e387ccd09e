#include "engine/monitor/homing.hpp"

#include "cgroup/base/text.hpp"
#include "cgroup/parse/nodes.hpp"
#include "cgroup/subtree.hpp"

#include <string>
#include <vector>

namespace cgtide::monitor {

namespace {

constexpr std::size_t kMostThreads = 256;

void add_cpus(const Dir& proc, const std::string& thread, std::set<unsigned>& cpus) {
    constexpr std::string_view kKey = "Cpus_allowed_list:";
    const auto status = proc.read(thread + "/status");
    std::string_view rest = status ? std::string_view(*status) : std::string_view();
    while (const auto line = next_line(rest)) {
        if (!line->starts_with(kKey)) {
            continue;
        }
        if (const auto ids = cgroup::parse_id_list(trim(line->substr(kKey.size())))) {
            cpus.insert(ids->begin(), ids->end());
        }
        return;
    }
}

} // namespace

std::set<unsigned> allowed_cpus(const Dir& proc, const Wish& container) {
    cgroup::SubtreeOptions how;
    how.excluded = container.excluded;
    how.with_pids = true;
    std::set<unsigned> cpus;
    const auto subtree = cgroup::walk_subtree(container.group->dir(), container.path, how);
    if (!subtree) {
        return cpus;
    }
    std::size_t looked = 0;
    for (const cgroup::SubtreeNode& node : subtree->nodes) {
        for (const int pid : node.pids) {
            const auto tasks = proc.sub(std::to_string(pid) + "/task");
            const auto threads = tasks ? tasks->list() : Result<std::vector<std::string>>();
            for (const std::string& thread : threads.value_or(std::vector<std::string>())) {
                if (++looked > kMostThreads) {
                    return {}; // of the others nobody knows
                }
                add_cpus(*tasks, thread, cpus);
            }
        }
    }
    return cpus;
}

model::Homing homing(const model::Topology& topology, const std::set<unsigned>& cpus,
                     const std::map<unsigned, cgroup::NodeBytes>& charged,
                     const std::map<unsigned, Bytes>& free) {
    model::Homing found;
    found.nearer = model::nearer_nodes(topology, cpus);
    // Those that some other is away from, and none is nearer than.
    std::set<unsigned> nearest;
    for (const auto& [node, others] : found.nearer) {
        for (const unsigned other : others) {
            if (!found.nearer.contains(other)) {
                nearest.insert(other);
            }
        }
    }
    for (const unsigned node : nearest) {
        const auto left = free.find(node);
        found.room = found.room + (left == free.end() ? Bytes{} : left->second);
    }
    for (const auto& [node, bytes] : charged) {
        Bytes& sum = found.nearer.contains(node) ? found.away : found.home;
        sum = sum + bytes.anon + bytes.file;
    }
    return found;
}

} // namespace cgtide::monitor
