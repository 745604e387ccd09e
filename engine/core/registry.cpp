#include "engine/core/registry.hpp"

#include "cgroup/base/text.hpp"
#include "cgroup/membership.hpp"

#include <algorithm>
#include <iterator>
#include <tuple>

namespace cgtide::core {

namespace {

using Pointer = Registry::Pointer;

bool is_exact(const Container& container, std::string_view text) {
    return container.policy.name == text || container.record.id == text ||
           to_u64(text) == container.id.value;
}

bool is_prefix(const Container& container, std::string_view text) {
    return container.policy.name.starts_with(text) || container.record.id.starts_with(text);
}

std::vector<Pointer> matching(const std::vector<Pointer>& all, std::string_view text,
                              bool (*matches)(const Container&, std::string_view)) {
    std::vector<Pointer> found;
    std::copy_if(all.begin(), all.end(), std::back_inserter(found),
                 [&](const Pointer& container) { return matches(*container, text); });
    return found;
}

} // namespace

void Registry::add(Pointer container) {
    keys_[container->key] = container->id;
    live_[container->id] = std::move(container);
    mark_nested();
}

void Registry::end(CgroupId id, std::int64_t wall_ms, TimePoint now) {
    const auto place = live_.find(id);
    if (place == live_.end()) {
        return;
    }
    Pointer container = place->second;
    live_.erase(place);
    keys_.erase(container->key);
    container->ended_ms = wall_ms;
    container->ended_at = now;
    container->group.reset();
    for (auto& tenant : container->tenants) {
        tenant.reset();
    }
    ended_.push_back(std::move(container));
    if (ended_.size() > kMostEnded) {
        ended_.erase(ended_.begin());
    }
    mark_nested();
}

void Registry::expire(TimePoint now) {
    std::erase_if(ended_,
                  [&](const Pointer& container) { return now - container->ended_at > kKeepEnded; });
}

Pointer Registry::by_id(CgroupId id) const {
    const auto place = live_.find(id);
    return place == live_.end() ? nullptr : place->second;
}

Pointer Registry::by_key(std::string_view key) const {
    const auto place = keys_.find(key);
    return place == keys_.end() ? nullptr : by_id(place->second);
}

std::vector<Pointer> Registry::list(bool all) const {
    std::vector<Pointer> containers;
    containers.reserve(live_.size() + ended_.size());
    for (const auto& [id, container] : live_) {
        containers.push_back(container);
    }
    std::sort(containers.begin(), containers.end(), [](const Pointer& a, const Pointer& b) {
        return std::tie(a->policy.name, a->id) < std::tie(b->policy.name, b->id);
    });
    if (all) {
        containers.insert(containers.end(), ended_.rbegin(), ended_.rend());
    }
    return containers;
}

Result<Pointer> Registry::find(std::string_view text) const {
    const std::vector<Pointer> live = list(false);
    const std::vector<Pointer> ended(ended_.rbegin(), ended_.rend());
    for (const auto* set : {&live, &ended}) {
        for (const auto matches : {is_exact, is_prefix}) {
            const auto found = matching(*set, text, matches);
            // Of ended namesakes the last one is meant: a container that restarts leaves many.
            if (found.size() == 1 || (!found.empty() && set == &ended && matches == is_exact)) {
                return found.front();
            }
            if (!found.empty()) {
                std::string names;
                for (const Pointer& container : found) {
                    names += (names.empty() ? "" : "\n") + container->policy.name + " (cgroup " +
                             to_string(container->id) + ")";
                }
                return fail(Errc::conflict, "name", std::move(names));
            }
        }
    }
    return fail(Errc::not_found, "container", printable(text));
}

void Registry::refuse(model::RefusedRecord record) {
    unrefuse(record.key);
    refused_.push_back(std::move(record));
    if (refused_.size() > kMostRefused) {
        refused_.erase(refused_.begin());
    }
}

void Registry::unrefuse(std::string_view key) {
    std::erase_if(refused_, [&](const auto& record) { return record.key == key; });
}

/// Marks every container that has another registered one inside it. Sorted by path, what lies
/// inside a cgroup follows it directly.
void Registry::mark_nested() {
    std::vector<Container*> by_path;
    by_path.reserve(live_.size());
    for (const auto& [id, container] : live_) {
        container->has_nested = false;
        by_path.push_back(container.get());
    }
    // A slash sorts first, so that /a/b follows /a before /a-c does, and before bytes over 127.
    const auto rank = [](char c) {
        return c == '/' ? 0 : int{static_cast<unsigned char>(c)};
    };
    const auto less = [&](char a, char b) {
        return rank(a) < rank(b);
    };
    std::sort(by_path.begin(), by_path.end(), [&](const Container* a, const Container* b) {
        const std::string& x = a->record.cgroup_path;
        const std::string& y = b->record.cgroup_path;
        return std::lexicographical_compare(x.begin(), x.end(), y.begin(), y.end(), less);
    });
    for (std::size_t i = 0; i + 1 < by_path.size(); ++i) {
        by_path[i]->has_nested = cgroup::is_at_or_below(by_path[i + 1]->record.cgroup_path,
                                                        by_path[i]->record.cgroup_path);
    }
}

} // namespace cgtide::core
