#pragma once

#include "engine/model/decision.hpp"
#include "engine/model/policy.hpp"

#include <optional>
#include <span>
#include <vector>

namespace cgtide::core {

/// One container's request for a share of the node's budget.
struct Claim {
    Bytes ask;
    Microseconds waited{0}; ///< since its requests are turned away because of others
};

/// Shares `room` out: all get what they ask for, or an equal part where that is less. Where equal
/// parts would be under apps' smallest request (`least`), those that have waited longest get
/// `least` each, in the order of the claims among equals, and the others nothing: nobody starves,
/// and nobody gets a share that is not worth a write. Pure.
std::vector<Bytes> share_out(std::span<const Claim> claims, Bytes room, Bytes least);

/// What reclaim of all containers together may still use: two buckets of bytes that fill with time,
/// for six seconds at most, and a debt of CPU time that time pays off. Pure.
class Budget {
public:
    explicit Budget(model::NodeLimits limits) : limits_(limits) {}

    void set(const model::NodeLimits& limits) { limits_ = limits; }

    /// Fills up to `now`; full at the first call.
    void fill(TimePoint now);

    /// Takes a request out that is about to be made.
    void spend(Bytes ask, model::Pages pages);

    /// Puts back what did not leave, by left_by(), and books the CPU that it took.
    void settle(const model::Outcome& outcome, model::Pages pages);

    Bytes room() const;

    /// ... for requests that may take anonymous memory.
    Bytes swap_room() const;

    /// CPU that was used beyond the share: all requests wait until time has paid it off.
    Microseconds cpu_debt() const;

private:
    model::NodeLimits limits_;
    std::optional<TimePoint> filled_;
    double bytes_ = 0.0;
    double swap_bytes_ = 0.0;
    double cpu_debt_ = 0.0; ///< microseconds
};

} // namespace cgtide::core
