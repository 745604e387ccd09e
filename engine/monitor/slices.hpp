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

/// Whether an idle time of `least` to `most` is sure: one `resolution`, or a hundredth of it, makes
/// no difference to anyone.
bool is_sure(Microseconds least, Microseconds most, Microseconds resolution);

/// Bytes by idle time, in steps of a resolution. Idle times are rounded to the younger step: none
/// is told older than it is.
class Slices {
public:
    /// `resolution` is over 0; less counts as 1 us.
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
    Microseconds resolution_;
    std::map<std::int64_t, KindBytes> steps_; ///< by idle / resolution
};

} // namespace cgtide::monitor
