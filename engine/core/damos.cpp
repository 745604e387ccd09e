#include "engine/core/damos.hpp"

#include "engine/core/log.hpp"
#include "engine/core/offload.hpp"
#include "engine/core/stall_goal.hpp"
#include "engine/core/wait.hpp"

#include <algorithm>
#include <chrono>
#include <optional>

namespace cgtide::core {

namespace asio = boost::asio;

namespace {

/// What is looked at while DAMON's workers page out.
struct Look {
    Bytes usage;
    std::optional<Microseconds> stalled; ///< by memory.pressure, since the cgroup was made
};

Result<Look> look_at(cgroup::Group& group) {
    const auto usage = cgroup::read_amount(group, cgroup::File::memory_current);
    if (!usage) {
        return tl::unexpected(usage.error());
    }
    Look look{*usage, std::nullopt};
    if (const auto pressure = cgroup::read_pressure(group, cgroup::File::memory_pressure)) {
        look.stalled = pressure->some.total;
    }
    return look;
}

/// `run` and `order` outlive the call.
asio::awaitable<void> watch(const PageOutRun& run, const monitor::PageOutOrder& order,
                            TimePoint end) {
    constexpr auto kPeriod = std::chrono::milliseconds(250);
    const auto read = [&] {
        return look_at(*run.group);
    };
    const auto first = co_await offload(run.sensors, read);
    const TimePoint start = std::chrono::steady_clock::now();
    asio::steady_timer timer(run.io);
    StallGoal goal(order.pressure);
    for (TimePoint now = start; first && now < end; now = std::chrono::steady_clock::now()) {
        if (!run.has_damon || run.interrupt->stopped() || co_await cancelled()) {
            co_return;
        }
        co_await wait_until(timer, std::min<TimePoint>(now + kPeriod, end));
        const auto look = co_await offload(run.sensors, read);
        if (!look || look->usage + run.ask <= first->usage) {
            co_return;
        }
        const auto elapsed =
            std::chrono::duration_cast<Microseconds>(std::chrono::steady_clock::now() - start);
        const BasisPoints share = stalled_share(first->stalled, look->stalled, elapsed);
        if (goal.crosses(share)) {
            const auto tell = [&] {
                return run.pool.tell_stall(order.container, share);
            };
            if (const auto told = co_await offload(run.damon, tell); !told) {
                log::write_limited(log::Level::warning, "regions", told.error().message());
                goal.forget();
            }
        }
    }
}

} // namespace

asio::awaitable<Result<Microseconds>> run_page_out(PageOutRun run,
                                                   const monitor::PageOutOrder& order) {
    const auto begin = [&] {
        return run.pool.page_out(order);
    };
    const auto until = co_await offload(run.damon, begin);
    if (until) {
        co_await watch(run, order, *until);
    }
    const auto end = [&] {
        return run.pool.end_page_out(order.container);
    };
    const Microseconds cpu = co_await offload(run.damon, end);
    if (!until) {
        co_return tl::unexpected(until.error());
    }
    co_return cpu;
}

} // namespace cgtide::core
