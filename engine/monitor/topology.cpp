#include "engine/monitor/topology.hpp"

#include "cgroup/base/text.hpp"
#include "cgroup/parse/nodes.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include <unistd.h>

namespace cgtide::monitor {

namespace {

constexpr const char* kNodes = "devices/system/node";
constexpr const char* kTiers = "devices/virtual/memory_tiering";
constexpr const char* kDemotion = "kernel/mm/numa/demotion_enabled";
constexpr const char* kWeights = "kernel/mm/mempolicy/weighted_interleave";

/// What the kernel derives from the nodes' bandwidth, or an administrator wrote; 1 where it does
/// not tell. Source: Documentation/ABI/testing/sysfs-kernel-mm-mempolicy-weighted-interleave.
std::uint32_t weight_of(const Dir& sys, unsigned node) {
    constexpr std::uint64_t kMost = 255;
    const auto text = sys.read(std::string(kWeights) + "/node" + std::to_string(node));
    const auto weight = text ? to_u64(trim(text->substr(0, text->find('\n')))) : std::nullopt;
    return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(weight.value_or(1), 1, kMost));
}

/// A list of a file; none where it cannot be read.
std::vector<unsigned> ids_in(const Dir& dir, const std::string& file) {
    return dir.read(file)
        .and_then([](const std::string& text) { return cgroup::parse_id_list(text); })
        .value_or(std::vector<unsigned>());
}

std::string folder_of(unsigned node) {
    return "node" + std::to_string(node);
}

Result<cgroup::NodeMemory> memory_of(const Dir& nodes, unsigned node) {
    return nodes.read(folder_of(node) + "/meminfo").and_then([](const std::string& text) {
        return cgroup::parse_node_meminfo(text);
    });
}

model::MemoryNode read_node(const Dir& nodes, unsigned id, const std::vector<unsigned>& online) {
    model::MemoryNode node{.id = id};
    node.cpus = ids_in(nodes, folder_of(id) + "/cpulist");
    node.has_cpus = !node.cpus.empty();
    if (const auto memory = memory_of(nodes, id)) {
        node.total = memory->total;
    }
    const auto distances =
        nodes.read(folder_of(id) + "/distance").and_then([](const std::string& text) {
            return cgroup::parse_distances(text);
        });
    for (std::size_t i = 0; distances && i < std::min(distances->size(), online.size()); ++i) {
        node.distances.emplace(online[i], (*distances)[i]);
    }
    return node;
}

std::vector<model::KernelTier> read_tiers(const Dir& folder) {
    constexpr std::string_view kPrefix = "memory_tier";
    std::vector<model::KernelTier> tiers;
    const auto names = folder.list();
    for (const std::string& name : names.value_or(std::vector<std::string>())) {
        const auto rank = name.starts_with(kPrefix)
                              ? to_u64(std::string_view(name).substr(kPrefix.size()))
                              : std::nullopt;
        if (rank && *rank <= UINT32_MAX) {
            tiers.push_back({static_cast<unsigned>(*rank), ids_in(folder, name + "/nodelist")});
        }
    }
    return tiers;
}

} // namespace

model::Topology read_topology(const Dir& sys, const Dir& proc) {
    std::vector<model::MemoryNode> nodes;
    const auto watermarks = proc.read("zoneinfo").and_then([](const std::string& text) {
        return cgroup::parse_watermarks(text);
    });
    const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    if (const auto folder = sys.sub(kNodes)) {
        const auto online = ids_in(*folder, "online");
        for (const unsigned id : online) {
            nodes.push_back(read_node(*folder, id, online));
            nodes.back().weight = weight_of(sys, id);
            if (watermarks && watermarks->contains(id)) {
                nodes.back().watermark = Bytes{watermarks->at(id) * page};
            }
        }
    }
    if (nodes.empty()) {
        model::Topology topology;
        topology.flat = "this kernel tells no NUMA nodes";
        return topology;
    }
    const auto folder = sys.sub(kTiers);
    auto topology = model::arrange(
        nodes, folder ? read_tiers(*folder) : std::vector<model::KernelTier>(), folder.has_value());
    topology.kernel_demotes = kernel_demotes(sys);
    return topology;
}

bool kernel_demotes(const Dir& sys) {
    const auto text = sys.read(kDemotion);
    return text && (*text == "true\n" || *text == "1\n");
}

std::vector<Bytes> by_tier(const model::Topology& topology,
                           const std::map<unsigned, cgroup::NodeBytes>& nodes) {
    std::vector<Bytes> bytes;
    for (const model::MemoryTier& tier : topology.tiers) {
        Bytes sum;
        for (const model::MemoryNode& node : tier.nodes) {
            if (const auto found = nodes.find(node.id); found != nodes.end()) {
                sum = sum + found->second.anon + found->second.file;
            }
        }
        bytes.push_back(sum);
    }
    return bytes;
}

std::vector<model::Capability> tier_capabilities(const model::Topology& topology) {
    model::Capability nodes{.name = "NUMA nodes",
                            .probed = "/sys/devices/system/node",
                            .detail = {},
                            .without = "one node: there is nothing to place memory on"};
    model::Capability tiers{.name = "memory tiers",
                            .present = topology.is_tiered(),
                            .probed = "/sys/devices/virtual/memory_tiering",
                            .detail = topology.flat,
                            .without = "all memory counts as one tier"};
    model::Capability demotion{.name = kDemotionRow,
                               .present = topology.kernel_demotes,
                               .probed = "/sys/kernel/mm/numa/demotion_enabled",
                               .detail = topology.kernel_demotes ? "on" : "off",
                               .without = "tier.mover \"memory.reclaim\" moves by move_pages(2), "
                                          "as it does while there is swap"};
    std::size_t count = topology.strays.size();
    std::string order;
    for (const model::MemoryTier& tier : topology.tiers) {
        count += tier.nodes.size();
        std::vector<unsigned> ids;
        for (const model::MemoryNode& node : tier.nodes) {
            ids.push_back(node.id);
        }
        order += (order.empty() ? "" : ", then ") + model::format_nodes(ids) + " (" +
                 format_bytes(model::total(tier)) + ")";
    }
    nodes.present = count > 1;
    nodes.detail = std::to_string(count) + (count == 1 ? " node" : " nodes") + " with memory";
    if (topology.is_tiered()) {
        tiers.detail = order + (topology.strays.empty()
                                    ? ""
                                    : "; left alone: " + model::format_nodes(topology.strays) +
                                          ", which the kernel has in no tier");
    }
    return {std::move(nodes), std::move(tiers), std::move(demotion)};
}

std::map<unsigned, Bytes> read_free(const Dir& sys, const model::Topology& topology) {
    std::map<unsigned, Bytes> free;
    const auto folder = sys.sub(kNodes);
    if (!folder) {
        return free;
    }
    for (const model::MemoryTier& tier : topology.tiers) {
        for (const model::MemoryNode& node : tier.nodes) {
            if (const auto memory = memory_of(*folder, node.id)) {
                free.emplace(node.id, memory->free);
            }
        }
    }
    return free;
}

} // namespace cgtide::monitor
