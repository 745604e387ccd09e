#include "cgroup/shared.hpp"

#include "cgroup/base/text.hpp"
#include "cgroup/membership.hpp"

namespace cgtide::cgroup {

namespace {

std::optional<std::string> holds(std::string_view path, std::string_view whose,
                                 std::string_view name) {
    if (whose.empty() || !is_at_or_below(whose, path)) {
        return std::nullopt;
    }
    const std::string relation = whose == path ? " is the cgroup of " : " is an ancestor of ";
    return printable(path) + relation + std::string(name) +
           (whose == path ? "" : " in " + printable(whose));
}

} // namespace

std::optional<std::string> shared_reason(const SharedQuery& query) {
    if (query.path == "/") {
        return "/ is the root cgroup";
    }
    if (auto reason = holds(query.path, query.hook_path, "the hook")) {
        return reason;
    }
    if (auto reason = holds(query.path, query.engine_path, "the engine")) {
        return reason;
    }
    for (const Registered& other : query.registered) {
        if (other.id == query.id) {
            return printable(query.path) + " is registered by container " + printable(other.name);
        }
    }
    return std::nullopt;
}

} // namespace cgtide::cgroup
