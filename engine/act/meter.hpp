#pragma once

#include "cgroup/base/dir.hpp"
#include "engine/model/decision.hpp"

namespace cgtide::act {

/// Measures what an actuator does to a cgroup: the fall of its memory.current, and the time and CPU
/// of the calling thread.
class Meter {
public:
    /// Begins with an outcome for `decision`. Where the cgroup cannot be read, the outcome has
    /// ended: see failed().
    Meter(const Dir& group, const model::Decision& decision);

    /// Where the cgroup could not be read: there is nothing to do but finish().
    bool failed() const { return failed_; }

    /// What the actuator fills in: how it ended.
    model::Outcome& outcome() { return outcome_; }

    /// Bytes that memory.current has fallen until now, never less than 0; `gone` where the cgroup
    /// is. About 9 us.
    Result<Bytes> fallen() const;

    /// Ends the outcome with `error`: `gone` where it says so, else `failed`.
    void end_with(const Error& error);

    /// The same of a cgroup that nothing was done to.
    void fail_with(const Error& error);

    /// Bytes that memory.current fell, never less than 0, and what it took.
    model::Outcome finish();

private:
    const Dir& group_;
    model::Outcome outcome_;
    TimePoint start_;
    Microseconds cpu_start_;
    Bytes before_;
    bool failed_ = false;
};

} // namespace cgtide::act
