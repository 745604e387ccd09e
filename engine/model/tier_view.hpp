#pragma once

#include "cgroup/base/units.hpp"
#include "engine/model/topology.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace cgtide::model {

/// What app `tier` knows of one container.
struct TierShare {
    Bytes low;                     ///< of the fastest tier
    Bytes high;                    ///< ... and what it may have at most
    std::optional<Bytes> target;   ///< what is its own now; none where no sensor has told of it
    std::optional<Bytes> hot;      ///< its hot bytes
    std::optional<Bytes> hot_fast; ///< ... and those that are in the fastest tier
    Bytes promoted;                ///< moved since the app was attached
    Bytes demoted;
    Bytes returned; ///< of both: moved back within 30 s
};

/// What one container has in each tier.
struct TierUse {
    std::string name;         ///< printable
    std::string id;           ///< the runtime's id
    std::vector<Bytes> bytes; ///< anonymous and file bytes by tier; empty where that is not known
    std::optional<TierShare> share{}; ///< where app `tier` is attached
};

/// `cgtide tier`.
struct TierView {
    Topology topology;
    std::map<unsigned, Bytes> free; ///< by node
    std::vector<TierUse> uses;      ///< by name
};

} // namespace cgtide::model
