#include "engine/monitor/memcgs.hpp"

#include "cgroup/base/text.hpp"
#include "cgroup/parse/nodes.hpp"
#include "cgroup/subtree.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace cgtide::monitor {

namespace {

constexpr std::size_t kMostCgroups = 16;
constexpr Bytes kLeastOfACgroup{1U << 20U};
constexpr const char* kMems = "cpuset.mems.effective";

/// The path of a cgroup from its container's: empty, or with a slash behind it.
std::string below(const Wish& wish, const cgroup::SubtreeNode& node) {
    const std::string path = node.path.substr(wish.path.size());
    return path.empty() ? std::string() : path.substr(1) + "/";
}

/// Whether a list of nodes has this one; true where there is none.
bool allows(const Dir& dir, const std::string& file, unsigned node) {
    const auto allowed = dir.read(file).and_then(
        [](const std::string& text) { return cgroup::parse_id_list(text); });
    return !allowed || std::find(allowed->begin(), allowed->end(), node) != allowed->end();
}

} // namespace

Result<std::vector<damon::Memcg>> largest_memcgs(const Wish& wish,
                                                 std::span<const damon::Memcg> known) {
    cgroup::SubtreeOptions how;
    how.excluded = wish.excluded;
    const auto subtree = cgroup::walk_subtree(wish.group->dir(), wish.path, how);
    if (!subtree) {
        return tl::unexpected(subtree.error());
    }
    const auto is_known = [&](CgroupId id) {
        return std::any_of(known.begin(), known.end(),
                           [&](const damon::Memcg& one) { return one.id == id; });
    };
    std::vector<std::pair<std::uint64_t, damon::Memcg>> found;
    for (const cgroup::SubtreeNode& node : subtree->nodes) {
        const auto text = wish.group->dir().read(below(wish, node) + "memory.current");
        const auto bytes = text ? to_u64(trim(text->substr(0, text->find('\n')))) : std::nullopt;
        // Those that are watched stay so a while: each change of them is a commit.
        const std::uint64_t weight = bytes.value_or(0) * (is_known(node.id) ? 2 : 1);
        if (weight >= kLeastOfACgroup.count) {
            found.push_back({weight, {node.id, node.path}});
        }
    }
    std::stable_sort(found.begin(), found.end(),
                     [](const auto& a, const auto& b) { return a.first > b.first; });
    found.resize(std::min(found.size(), kMostCgroups));
    std::vector<damon::Memcg> largest;
    largest.reserve(found.size());
    for (auto& [weight, memcg] : found) {
        largest.push_back(std::move(memcg));
    }
    // Which is the largest changes often, and is no reason for a commit.
    std::sort(largest.begin(), largest.end(),
              [](const auto& a, const auto& b) { return a.id < b.id; });
    return largest;
}

bool may_use_node(const cgroup::Group& group, unsigned node) {
    return allows(group.dir(), kMems, node);
}

bool may_use_nodes(const Wish& wish, std::span<const unsigned> nodes) {
    cgroup::SubtreeOptions how;
    how.excluded = wish.excluded;
    const auto subtree = cgroup::walk_subtree(wish.group->dir(), wish.path, how);
    return subtree && subtree->complete &&
           std::all_of(subtree->nodes.begin(), subtree->nodes.end(), [&](const auto& cgroup) {
               const std::string file = below(wish, cgroup) + kMems;
               return std::all_of(nodes.begin(), nodes.end(), [&](unsigned node) {
                   return allows(wish.group->dir(), file, node);
               });
           });
}

} // namespace cgtide::monitor
