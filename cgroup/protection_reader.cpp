#include "cgroup/protection_reader.hpp"

#include "cgroup/membership.hpp"

#include <algorithm>

namespace cgtide::cgroup {

namespace {

bool unsupported(const Error& error) {
    return error.code == make_error_code(Errc::unsupported);
}

/// What `group` itself may still swap out; nullopt without swap accounting.
Result<std::optional<Bytes>> own_headroom(Group& group) {
    const auto limit = read_amount(group, File::memory_swap_max);
    if (!limit) {
        if (unsupported(limit.error())) {
            return std::nullopt;
        }
        return tl::unexpected(limit.error());
    }
    if (limit->count == Bytes::kUnlimited) {
        return *limit;
    }
    return read_amount(group, File::memory_swap_current).map([&](Bytes used) {
        return std::optional(*limit - used);
    });
}

std::optional<Bytes> least(std::optional<Bytes> a, std::optional<Bytes> b) {
    return a && b ? std::min(*a, *b) : (a ? a : b);
}

bool is_protected(const Protection& protection) {
    return protection.min.count != 0 || protection.low.count != 0;
}

/// `/a/b` of `/a/b/c`; empty for a child of the root, which has no ancestor with limits.
std::string_view parent_of(std::string_view path) {
    return path.substr(0, path.rfind('/'));
}

} // namespace

void ProtectionReader::begin_period() {
    std::erase_if(ancestors_, [](const auto& entry) { return !entry.second.used; });
    for (auto& [path, entry] : ancestors_) {
        entry.used = false;
    }
}

Result<Limits> ProtectionReader::of(std::string_view path, Group& group, Bytes usage) {
    if (!path.starts_with('/') || path.size() == 1) {
        return fail(Errc::malformed, "limits", "the root and relative paths have none");
    }
    Ancestor* parent = nullptr;
    if (const std::string_view above = parent_of(path); !above.empty()) {
        const auto found = ancestor(above);
        if (!found) {
            return tl::unexpected(found.error());
        }
        parent = *found;
    }
    const auto own = level(group, usage, parent);
    if (!own) {
        return tl::unexpected(own.error());
    }
    const auto headroom = own_headroom(group);
    if (!headroom) {
        return tl::unexpected(headroom.error());
    }
    std::vector<ProtectionLevel> levels =
        parent == nullptr ? std::vector<ProtectionLevel>{} : parent->levels;
    levels.push_back(*own);
    return Limits{effective_protection(levels, recursive_),
                  least(*headroom, parent == nullptr ? std::nullopt : parent->headroom)};
}

Result<ProtectionReader::Ancestor*> ProtectionReader::ancestor(std::string_view path) {
    auto at = ancestors_.find(path);
    if (at != ancestors_.end() && at->second.used) {
        return &at->second;
    }
    if (at != ancestors_.end()) {
        const auto done = read_ancestor(path, at->second);
        if (done) {
            return &at->second;
        }
        if (!is_gone(done.error())) {
            return tl::unexpected(done.error());
        }
        // Removed since the last period; another cgroup may stand under its path.
        ancestors_.erase(at);
    }
    auto group = open_group(root_, path).and_then(Group::open);
    if (!group) {
        return tl::unexpected(group.error());
    }
    Ancestor fresh(std::move(*group));
    if (const auto done = read_ancestor(path, fresh); !done) {
        return tl::unexpected(done.error());
    }
    return &ancestors_.insert_or_assign(std::string(path), std::move(fresh)).first->second;
}

Result<void> ProtectionReader::read_ancestor(std::string_view path, Ancestor& entry) {
    Ancestor* parent = nullptr;
    if (const std::string_view above = parent_of(path); !above.empty()) {
        const auto found = ancestor(above);
        if (!found) {
            return tl::unexpected(found.error());
        }
        parent = *found;
    }
    const std::uint64_t before = entry.group.reads();
    const auto usage = read_amount(entry.group, File::memory_current);
    if (!usage) {
        return tl::unexpected(usage.error());
    }
    const auto own = level(entry.group, *usage, parent);
    if (!own) {
        return tl::unexpected(own.error());
    }
    const auto headroom = own_headroom(entry.group);
    if (!headroom) {
        return tl::unexpected(headroom.error());
    }
    reads_ += entry.group.reads() - before;
    entry.usage = *usage;
    entry.levels = parent == nullptr ? std::vector<ProtectionLevel>{} : parent->levels;
    entry.levels.push_back(*own);
    entry.effective = effective_protection(entry.levels, recursive_);
    entry.headroom = least(*headroom, parent == nullptr ? std::nullopt : parent->headroom);
    entry.children.reset();
    entry.used = true;
    return {};
}

Result<ProtectionLevel> ProtectionReader::level(Group& group, Bytes usage, Ancestor* parent) {
    ProtectionLevel own{usage, {}, {}, {}, {}, {}};
    if (parent != nullptr && !is_protected(parent->effective)) {
        return own; // nothing to hand down, whatever it claims
    }
    for (const auto& [file, target] :
         {std::pair{File::memory_min, &own.min}, std::pair{File::memory_low, &own.low}}) {
        const auto amount = read_amount(group, file);
        if (!amount) {
            return tl::unexpected(amount.error());
        }
        *target = *amount;
    }
    if (parent != nullptr) {
        if (!parent->children) {
            parent->children = children_of(parent->group.dir());
        }
        own.siblings_min = parent->children->min;
        own.siblings_low = parent->children->low;
        own.parent_usage = parent->usage;
    }
    return own;
}

ProtectionReader::Siblings ProtectionReader::children_of(const Dir& parent) {
    Siblings sum;
    const auto names = parent.list(true);
    for (const std::string& name : names.value_or(std::vector<std::string>{})) {
        auto child = parent.sub(name).and_then(Group::open);
        if (!child) {
            continue; // removed since it was listed
        }
        const auto usage = read_amount(*child, File::memory_current);
        const auto min = read_amount(*child, File::memory_min);
        const auto low = read_amount(*child, File::memory_low);
        if (usage && min && low) {
            sum.min = sum.min + std::min(*usage, *min);
            sum.low = sum.low + std::min(*usage, *low);
        }
        reads_ += child->reads();
    }
    return sum;
}

} // namespace cgtide::cgroup
