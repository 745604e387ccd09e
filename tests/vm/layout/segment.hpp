#pragma once

#include "tests/vm/layout/plan.hpp"
#include "tests/vm/layout/truth.hpp"
#include "tests/vm/workload/memory.hpp"

#include <cstddef>
#include <vector>

namespace cgtide::layout {

/// Memory of one segment.
class Segment {
public:
    /// Makes and fills it. Blocks meanwhile.
    ///
    /// \returns `unsupported` where it should be huge pages and not all of it came as such.
    static Result<Segment> make(const Spec& spec);

    /// What this process has inherited of `memory`.
    static Segment inherited(const Segment& memory);

    /// Uses it once: reads every page, or those that are to be used. A write would make a copy of
    /// what a fork has left shared.
    Result<void> use();

    /// Pushes it out of memory.
    Result<void> push_out() const;

    /// Counts what is in memory, and of it in huge pages, without a use: of files and shared memory
    /// what is in the page cache.
    Result<void> count(const workload::Pagemap& pagemap, Truth& into) const;

private:
    Segment() = default;

    Result<void> fill(const Spec& spec);
    Result<void> fill_huge(const Spec& spec);
    Result<void> fill_sparse(const Spec& spec);
    Result<void> fill_file(const Spec& spec);

    Kind kind_ = Kind::anon;
    workload::Mapping memory_;
    std::span<std::byte> bytes_;     ///< of `memory_`, or inherited
    std::vector<std::size_t> pages_; ///< offsets of those that are used, where not all are
    UniqueFd file_;                  ///< to read
};

/// Between two uses of what is hot, but for files that are read.
inline constexpr Nanoseconds kPause = std::chrono::milliseconds(20);

/// Whether it is in use at `now`, where all began at `began`.
bool in_use(const Use& use, Nanoseconds began, Nanoseconds now);

/// The moment after `now` at which it is to be used next; the end of time where never.
Nanoseconds next_use(const Spec& spec, Nanoseconds began, Nanoseconds now);

} // namespace cgtide::layout
