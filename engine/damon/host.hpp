#pragma once

#include "cgroup/base/dir.hpp"
#include "cgroup/base/units.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace cgtide::damon {

/// What this room asks of the machine beside DAMON's tree.
class Host {
public:
    Host() = default;
    Host(const Host&) = delete;
    Host& operator=(const Host&) = delete;
    virtual ~Host() = default;

    /// A descriptor that stands for the process `pid` that started at `start` (clock ticks after
    /// boot), as has_ended() takes it. \returns `gone` where that process has ended, be its number
    /// in use again or not.
    virtual Result<UniqueFd> hold(int pid, std::uint64_t start) const = 0;

    /// When a process or kernel thread started, in clock ticks after boot. \returns `gone`.
    virtual Result<std::uint64_t> start_of(int pid) const = 0;

    /// The CPU time that a process or kernel thread has used, to 10 ms. \returns `gone`.
    virtual Result<Microseconds> cpu_time(int pid) const = 0;

    /// Tells this boot from every other.
    virtual Result<std::string> boot_id() const = 0;

    /// The pids of all worker threads of DAMON, whoever started them. Reads all of /proc.
    virtual Result<std::vector<int>> kdamonds() const = 0;
};

/// The running machine. Source: pidfd_open(2) and `/proc`. Does not block.
class KernelHost final : public Host {
public:
    explicit KernelHost(Dir proc) : proc_(std::move(proc)) {}

    Result<UniqueFd> hold(int pid, std::uint64_t start) const override;
    Result<std::uint64_t> start_of(int pid) const override;
    Result<Microseconds> cpu_time(int pid) const override;
    Result<std::string> boot_id() const override;
    Result<std::vector<int>> kdamonds() const override;

private:
    Dir proc_;
};

/// True where the process that a descriptor of Host::hold() stands for has ended.
bool has_ended(const UniqueFd& process);

} // namespace cgtide::damon
