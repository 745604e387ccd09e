#pragma once

#include "tests/vm/layout/plan.hpp"
#include "tests/vm/workload/memory.hpp"

#include <atomic>
#include <cstdint>
#include <span>
#include <string>

namespace cgtide::layout {

/// What is known of one segment, in memory that all processes share.
struct Truth {
    std::atomic<std::int64_t> filled_ns = 0; ///< CLOCK_MONOTONIC, when it was made
    std::atomic<std::int64_t> used_ns = 0;   ///< when it was last used
    std::atomic<std::uint64_t> present = 0;  ///< bytes in memory; of a file, in the page cache
    std::atomic<std::uint64_t> huge = 0;     ///< of them in huge pages
};
static_assert(std::atomic<std::int64_t>::is_always_lock_free);

/// The truths of all segments.
class TruthTable {
public:
    /// Maps room for `count` of them, to be shared by fork(2).
    static Result<TruthTable> make(std::size_t count);

    Truth& operator[](std::size_t index) const { return truths_[index]; }
    std::size_t size() const { return truths_.size(); }

private:
    workload::Mapping memory_;
    std::span<Truth> truths_;
};

/// One line of JSON, with its newline: times in milliseconds of CLOCK_MONOTONIC, and for each
/// segment one part, or two where a part of it alone is used. What processes share is told once,
/// with the younger use. `specs` and `truths` go by the segments' numbers; paths must need no
/// escapes.
std::string format_line(std::string_view event, Nanoseconds at, std::span<const Spec> specs,
                        const TruthTable& truths);

} // namespace cgtide::layout
