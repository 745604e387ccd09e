#pragma once

#include "engine/core/container.hpp"
#include "engine/model/view.hpp"

#include <map>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace cgtide::core {

/// All containers that the engine knows: the live ones by cgroup id and by key, and those that
/// ended lately. No I/O.
class Registry {
public:
    static constexpr std::size_t kMostEnded = 64;
    static constexpr Microseconds kKeepEnded{3'600'000'000};
    static constexpr std::size_t kMostRefused = 64;

    using Pointer = std::shared_ptr<Container>;

    /// Adds a live container; its id and key must be new.
    void add(Pointer container);

    /// Moves a container to the ended ones at `now`, which is told as `wall_ms`.
    void end(CgroupId id, std::int64_t wall_ms, TimePoint now);

    /// Lets go of containers that ended more than an hour ago.
    void expire(TimePoint now);

    Pointer by_id(CgroupId id) const;
    Pointer by_key(std::string_view key) const;

    /// Live containers, by name. Ended ones after them where `all`.
    std::vector<Pointer> list(bool all) const;

    const std::unordered_map<CgroupId, Pointer>& live() const { return live_; }

    /// Finds by name, id, cgroup id in digits, or a unique prefix of name or id; live ones first.
    ///
    /// \returns `not_found`, or `conflict` whose detail lists the names that match, one a line.
    Result<Pointer> find(std::string_view text) const;

    /// Records that could not become containers, one a key; the oldest leave first.
    void refuse(model::RefusedRecord record);
    void unrefuse(std::string_view key);
    const std::vector<model::RefusedRecord>& refused() const { return refused_; }

private:
    void mark_nested();

    std::unordered_map<CgroupId, Pointer> live_;
    std::map<std::string, CgroupId, std::less<>> keys_;
    std::vector<Pointer> ended_; ///< oldest first
    std::vector<model::RefusedRecord> refused_;
};

} // namespace cgtide::core
