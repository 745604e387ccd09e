#include "engine/damon/host.hpp"

#include "cgroup/base/text.hpp"
#include "cgroup/membership.hpp"
#include "cgroup/parse/proc.hpp"

#include <cerrno>

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace cgtide::damon {

namespace {

constexpr const char* kBootId = "sys/kernel/random/boot_id";

/// True for the text of `/proc/PID/stat` of a kernel thread that is named kdamond.N. A process can
/// take the name, but not kthreadd, which is pid 2, for a parent.
bool is_kdamond(std::string_view stat) {
    const auto open = stat.find('(');
    const auto close = stat.rfind(") ");
    if (open == std::string_view::npos || close == std::string_view::npos) {
        return false;
    }
    const auto fields = split(stat.substr(close + 2), ' ');
    return stat.substr(open + 1).starts_with("kdamond.") && fields.size() > 1 && fields[1] == "2";
}

} // namespace

Result<UniqueFd> KernelHost::hold(int pid, std::uint64_t start) const {
    UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (!process) {
        return fail_errno(errno, "pidfd_open", std::to_string(pid));
    }
    // Read after the descriptor was opened: a number that was given away before shows another
    // start.
    const auto started = start_of(pid);
    if (!started) {
        return tl::unexpected(started.error());
    }
    if (*started != start || has_ended(process)) {
        return fail(Errc::gone, "process", std::to_string(pid));
    }
    return process;
}

Result<std::uint64_t> KernelHost::start_of(int pid) const {
    return cgroup::pid_start_time(proc_, pid);
}

Result<Microseconds> KernelHost::cpu_time(int pid) const {
    constexpr std::int64_t kMicroseconds = 1'000'000;
    return proc_.read(std::to_string(pid) + "/stat")
        .and_then(cgroup::parse_pid_stat)
        .map([](const cgroup::PidStat& stat) {
            return Microseconds(static_cast<std::int64_t>(stat.cpu_ticks) * kMicroseconds /
                                ::sysconf(_SC_CLK_TCK));
        });
}

Result<std::string> KernelHost::boot_id() const {
    auto text = proc_.read(kBootId);
    if (text) {
        text->erase(text->find_last_not_of('\n') + 1);
    }
    return text;
}

Result<std::vector<int>> KernelHost::kdamonds() const {
    const auto names = proc_.list(true);
    if (!names) {
        return tl::unexpected(names.error());
    }
    std::vector<int> pids;
    for (const std::string& name : *names) {
        const auto pid = to_u64(name);
        if (!pid) {
            continue;
        }
        const auto stat = proc_.read(name + "/stat");
        if (stat && is_kdamond(*stat)) {
            pids.push_back(static_cast<int>(*pid));
        }
    }
    return pids;
}

bool has_ended(const UniqueFd& process) {
    pollfd entry{.fd = process.get(), .events = POLLIN, .revents = 0};
    return ::poll(&entry, 1, 0) > 0;
}

} // namespace cgtide::damon
