#include "engine/model/topology.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace cgtide::model {

namespace {

std::vector<unsigned> ids_of(const std::vector<MemoryNode>& nodes, bool with_cpus) {
    std::vector<unsigned> ids;
    for (const MemoryNode& node : nodes) {
        if (node.has_cpus == with_cpus) {
            ids.push_back(node.id);
        }
    }
    return ids;
}

/// Why one tier is all there is, and what an administrator can do about it.
std::string one_tier(const MemoryTier& tier) {
    const auto with = ids_of(tier.nodes, true);
    const auto without = ids_of(tier.nodes, false);
    if (tier.nodes.size() == 1) {
        return "one NUMA node has all memory: there is nothing to choose between";
    }
    if (without.empty()) {
        return format_nodes(with) + " are one tier: all have CPUs, and none is slower";
    }
    return format_nodes(without) + (without.size() == 1 ? " has" : " have") + " no CPUs and yet " +
           (without.size() == 1 ? "is" : "are") + " in the tier of " + format_nodes(with) +
           ": the firmware tells no speeds (HMAT, CDAT), or the memory was not brought online by "
           "its driver (dax_kmem)";
}

} // namespace

Topology arrange(const std::vector<MemoryNode>& nodes, const std::vector<KernelTier>& tiers,
                 bool told) {
    Topology topology;
    std::vector<const MemoryNode*> left;
    for (const MemoryNode& node : nodes) {
        if (node.total.count > 0) {
            left.push_back(&node);
        }
    }
    std::sort(left.begin(), left.end(), [](const auto* a, const auto* b) { return a->id < b->id; });
    if (left.size() == 1) { // whatever the kernel says of it
        topology.tiers.push_back({0, {*left.front()}});
        topology.flat = one_tier(topology.tiers.front());
        return topology;
    }
    for (const KernelTier& tier : tiers) {
        MemoryTier found{tier.rank, {}};
        std::erase_if(left, [&](const MemoryNode* node) {
            const bool is_in =
                std::find(tier.nodes.begin(), tier.nodes.end(), node->id) != tier.nodes.end();
            if (is_in) {
                found.nodes.push_back(*node);
            }
            return is_in;
        });
        if (!found.nodes.empty()) {
            topology.tiers.push_back(std::move(found));
        }
    }
    std::sort(topology.tiers.begin(), topology.tiers.end(),
              [](const MemoryTier& a, const MemoryTier& b) { return a.rank < b.rank; });
    for (const MemoryNode* node : left) {
        topology.strays.push_back(node->id);
    }
    if (!told) {
        topology.flat = "this kernel tells no memory tiers";
    } else if (topology.tiers.empty()) {
        topology.flat = "the kernel has no node in any memory tier";
    } else if (topology.tiers.size() == 1) {
        topology.flat = topology.strays.empty()
                            ? one_tier(topology.tiers.front())
                            : format_nodes(topology.strays) + " with memory in no tier: " +
                                  "the kernel does not know how fast it is";
    }
    return topology;
}

Bytes total(const MemoryTier& tier) {
    Bytes sum;
    for (const MemoryNode& node : tier.nodes) {
        sum = sum + node.total;
    }
    return sum;
}

std::vector<unsigned> counterparts(const Topology& topology, unsigned node) {
    const auto has = [node](const MemoryTier& tier) {
        return std::any_of(tier.nodes.begin(), tier.nodes.end(),
                           [&](const MemoryNode& one) { return one.id == node; });
    };
    const auto own = std::find_if(topology.tiers.begin(), topology.tiers.end(), has);
    if (own == topology.tiers.end()) {
        return {};
    }
    const bool is_fastest = own == topology.tiers.begin();
    const auto first = is_fastest ? own + 1 : topology.tiers.begin();
    const auto last = is_fastest ? topology.tiers.end() : topology.tiers.begin() + 1;
    std::vector<std::pair<unsigned, unsigned>> found; // distance, node
    for (auto tier = first; tier != last; ++tier) {
        for (const MemoryNode& one : tier->nodes) {
            const auto distance = one.distances.find(node);
            found.emplace_back(distance == one.distances.end() ? UINT32_MAX : distance->second,
                               one.id);
        }
    }
    std::sort(found.begin(), found.end());
    std::vector<unsigned> ids(found.size());
    std::transform(found.begin(), found.end(), ids.begin(),
                   [](const auto& one) { return one.second; });
    return ids;
}

std::map<unsigned, std::vector<unsigned>> nearer_nodes(const Topology& topology,
                                                       const std::set<unsigned>& cpus) {
    std::vector<unsigned> own;
    std::size_t known = 0; // of these CPUs, those of nodes with memory
    bool is_bound = false;
    for (const MemoryTier& tier : topology.tiers) {
        for (const MemoryNode& node : tier.nodes) {
            const auto here = std::count_if(node.cpus.begin(), node.cpus.end(),
                                            [&](unsigned cpu) { return cpus.contains(cpu); });
            if (here > 0) {
                own.push_back(node.id);
            }
            known += static_cast<std::size_t>(here);
            is_bound = is_bound || (here == 0 && !node.cpus.empty());
        }
    }
    std::map<unsigned, std::vector<unsigned>> found;
    if (!is_bound || own.empty() || known != cpus.size()) {
        return found;
    }
    const auto distance = [&](const MemoryNode& node) {
        constexpr unsigned kOwn = 10;
        unsigned least = UINT32_MAX;
        for (const unsigned to : own) {
            const auto told = node.distances.find(to);
            const unsigned one = told != node.distances.end() ? told->second
                                 : to == node.id              ? kOwn
                                                              : UINT32_MAX;
            least = std::min(least, one);
        }
        return least;
    };
    for (const MemoryTier& tier : topology.tiers) {
        for (const MemoryNode& node : tier.nodes) {
            // Distance to the CPUs, way of the pages, node.
            std::vector<std::array<unsigned, 3>> nearer;
            for (const MemoryNode& other : tier.nodes) {
                if (distance(other) < distance(node)) {
                    const auto way = node.distances.find(other.id);
                    nearer.push_back({distance(other),
                                      way == node.distances.end() ? UINT32_MAX : way->second,
                                      other.id});
                }
            }
            std::sort(nearer.begin(), nearer.end());
            for (const auto& one : nearer) {
                found[node.id].push_back(one.back());
            }
        }
    }
    return found;
}

std::string format_nodes(const std::vector<unsigned>& rising) {
    std::string text = rising.size() == 1 ? "node " : "nodes ";
    for (std::size_t i = 0; i < rising.size();) {
        std::size_t last = i;
        while (last + 1 < rising.size() && rising[last + 1] == rising[last] + 1) {
            ++last;
        }
        text += (i > 0 ? "," : "") + std::to_string(rising[i]);
        if (last > i) {
            text += "-" + std::to_string(rising[last]);
        }
        i = last + 1;
    }
    return text;
}

} // namespace cgtide::model
