#pragma once

#include "cgroup/base/units.hpp"
#include "engine/model/idle.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

namespace cgtide::monitor {

/// Anonymous and file bytes.
struct KindBytes {
    Bytes anon;
    Bytes file;
    Bytes unsure_anon{}; ///< of `anon`: those that may have been idle for longer
    Bytes unsure_file{}; ///< ... and of `file`
};

/// What is told of memory that has been idle for `least` to `most`.
struct ToldIdle {
    Microseconds idle{0};
    bool is_sure = false; ///< bounds two of `resolution` and a quarter apart, or a 32nd of `least`
};

/// Where it is sure, the middle of the bounds; else, and where it is in use, `least`.
ToldIdle told_idle(Microseconds least, Microseconds most, Microseconds resolution);

/// Bytes by idle time, in steps of half a resolution. Idle times are rounded to the younger step.
class Slices {
public:
    /// `resolution` is 2 us or more; less counts as that.
    explicit Slices(Microseconds resolution);

    void add(Microseconds idle, const KindBytes& bytes);

    /// Adds all of `other`, which has the same resolution, as unsure.
    void add_unsure(const Slices& other);

    KindBytes sum() const;

    /// Makes all file bytes unsure.
    void doubt_files();

    /// Scales each kind that sums up to more than `most` down to it, at the same shares.
    void scale_down(const KindBytes& most);

    /// By rising idle, without empty ones. Where there are more than `count` (at least 256), the
    /// longer times are joined first: a joined slice covers times of at most twice the ratio, and
    /// bears the youngest of them.
    std::vector<model::IdleSlice> at_most(std::size_t count) const;

private:
    Microseconds step_;
    std::map<std::int64_t, KindBytes> steps_; ///< by idle / step_
};

} // namespace cgtide::monitor
