#include "engine/act/evict.hpp"
#include "engine/act/meter.hpp"
#include "engine/act/pageout.hpp"
#include "engine/core/capability_rows.hpp"
#include "engine/core/engine.hpp"
#include "engine/core/offload.hpp"

#include <cerrno>
#include <chrono>
#include <vector>

namespace cgtide::core {

namespace asio = boost::asio;

/// Has the actuator that was chosen do what a decision says. `begun` tells whether a thread came to
/// it in time; both references are the caller's, who awaits this.
asio::awaitable<model::Outcome> Engine::perform(Pointer container, const Order& order,
                                                bool& begun) {
    switch (order.decision.actuator) {
    case model::Actuator::pageout:
        co_return co_await page_out(container, order, begun);
    case model::Actuator::damos:
        if (order.decision.move) {
            co_return co_await move_by_damon(container, order, begun);
        }
        co_return co_await page_out_by_damon(container, order, begun);
    case model::Actuator::generations:
        co_return co_await evict(container, order, begun);
    case model::Actuator::move_pages:
        co_return co_await move_pages(container, order, begun);
    case model::Actuator::memory_reclaim:
        if (order.decision.move) {
            co_return co_await demote_by_kernel(container, order, begun);
        }
        break;
    }
    co_return co_await write(container, order, begun);
}

/// Asks by memory.reclaim.
asio::awaitable<model::Outcome> Engine::write(Pointer container, const Order& order, bool& begun) {
    const auto group = container->group;
    const auto interrupt = container->writing;
    const bool swappiness_key = options_.reclaim.swappiness;
    const Microseconds period = container->policy.profile.period;
    const auto write = [&] {
        const auto time = time_to_work(order.decided, std::chrono::steady_clock::now(), period);
        begun = time.count() > 0;
        return act::reclaim(group->dir(), order.decision, swappiness_key, time, *interrupt);
    };
    co_return co_await offload(reclaimers_, write);
}

/// Pages out what the region sensor knows as cold, and has it look again at what is there.
asio::awaitable<model::Outcome> Engine::page_out(Pointer container, const Order& order,
                                                 bool& begun) {
    const auto group = container->group;
    const auto interrupt = container->writing;
    const std::string path = container->record.cgroup_path;
    const Microseconds period = container->policy.profile.period;
    const auto find = [&] {
        return options_.sensor.regions->cold(order.decision.id, *order.decision.proven);
    };
    const auto spaces = co_await offload(sensors_, find);
    const auto write = [&] {
        const act::PageoutSite site{group->dir(), options_.roots.proc, path};
        const auto time = time_to_work(order.decided, std::chrono::steady_clock::now(), period);
        begun = time.count() > 0;
        return act::page_out(site, order.decision, spaces, time, *interrupt);
    };
    const model::Outcome outcome = co_await offload(reclaimers_, write);
    if (outcome.end == model::OutcomeEnd::failed &&
        (outcome.error == EPERM || outcome.error == EACCES)) {
        // Without the right, the kernel's own lists choose from now on.
        options_.actuators.pageout = false;
        mark_missing(options_.capabilities, "process_madvise",
                     "refused: " + std::generic_category().message(outcome.error));
    }
    const auto touch = [this, &outcome] {
        options_.sensor.regions->touch(outcome.id, outcome.at);
    };
    co_await offload(sensors_, touch);
    co_return outcome;
}

/// Evicts the generations that the last walks have proven. The sensor goes on meanwhile: it has its
/// own descriptors of the file, and takes what has left for gone.
asio::awaitable<model::Outcome> Engine::evict(Pointer container, const Order& order, bool& begun) {
    const auto group = container->group;
    const auto interrupt = container->writing;
    const auto known = container->generations;
    const std::string path = container->record.cgroup_path;
    const Microseconds period = container->policy.profile.period;
    const auto write = [&] {
        std::vector<model::ColdGenerations> cold;
        if (known) {
            cold = monitor::cold_generations(*known, *order.decision.proven);
        }
        // One of this request's own: a write that blocks would have others on the same descriptor
        // wait where no signal ends them.
        auto kernel = damon::LruGen::open(options_.roots.sys);
        if (!kernel) {
            act::Meter meter(group->dir(), order.decision);
            meter.fail_with(kernel.error());
            return meter.finish();
        }
        const act::EvictionSite site{group->dir(), path, *kernel, options_.eviction.anon_only};
        const auto time = time_to_work(order.decided, std::chrono::steady_clock::now(), period);
        begun = time.count() > 0;
        return act::evict(site, order.decision, cold, time, *interrupt);
    };
    co_return co_await offload(reclaimers_, write);
}

} // namespace cgtide::core
