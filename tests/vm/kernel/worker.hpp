#pragma once

#include "engine/damon/types.hpp"

#include <cstddef>

namespace cgtide::test {

/// A child process with memory at a known place.
class Worker {
public:
    /// What it does with its memory after it has touched all of it once.
    enum class Does { nothing, touches };

    /// Maps `size` bytes at `address` and waits until they are touched. Throws where it cannot.
    Worker(std::uintptr_t address, std::size_t size, Does does);
    ~Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    int pid() const { return pid_; }

    /// Ends it and waits until its number is free.
    void end();

    /// As a target of the pool.
    damon::Target target(damon::TargetKey key) const;

private:
    int pid_ = 0;
    damon::Range range_;
    std::uint64_t start_ = 0;
};

} // namespace cgtide::test
