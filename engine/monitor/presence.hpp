#pragma once

#include "cgroup/base/units.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace cgtide::monitor {

/// How long bytes can have been there at most, by how many there were: memory that came into a
/// place which had been idle for long must not be told as idle for long. Pure.
class Presence {
public:
    /// Of the bytes that are there now, at most `bytes` have been since `since`.
    struct Step {
        std::uint64_t bytes = 0;
        TimePoint since{};

        bool operator==(const Step&) const = default;
    };

    /// More than these are joined, to the younger side.
    static constexpr std::size_t kMostSteps = 64;

    /// So many bytes are there at `at`, which rises.
    void add(std::uint64_t bytes, TimePoint at);

    /// By rising bytes and times; bytes beyond the last are not known.
    const std::vector<Step>& steps() const { return steps_; }

private:
    std::vector<Step> steps_;
};

} // namespace cgtide::monitor
