#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>

namespace cgtide {

/// A cgroup's identity: the kernfs inode of its directory. Paths are reused, ids are not while a
/// machine runs.
struct CgroupId {
    std::uint64_t value = 0;

    auto operator<=>(const CgroupId&) const = default;
};

inline std::string to_string(CgroupId id) {
    return std::to_string(id.value);
}

} // namespace cgtide

template <>
struct std::hash<cgtide::CgroupId> {
    std::size_t operator()(cgtide::CgroupId id) const noexcept {
        return std::hash<std::uint64_t>{}(id.value);
    }
};
