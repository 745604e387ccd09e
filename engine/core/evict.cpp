#include "engine/act/evict.hpp"

#include "engine/act/meter.hpp"
#include "engine/core/engine.hpp"
#include "engine/core/offload.hpp"

#include <vector>

namespace cgtide::core {

namespace asio = boost::asio;

/// Evicts the generations that the last walks have proven. The sensor goes on meanwhile: it has its
/// own descriptors of the file, and takes what has left for gone.
asio::awaitable<model::Outcome> Engine::evict(Pointer container, model::Decision decision,
                                              std::shared_ptr<cgroup::Group> group) {
    const auto interrupt = container->writing;
    const auto known = container->generations;
    const std::string path = container->record.cgroup_path;
    const Microseconds deadline = container->policy.profile.period;
    const auto write = [&] {
        std::vector<model::ColdGenerations> cold;
        if (known) {
            cold = monitor::cold_generations(*known, *decision.proven);
        }
        // One of this request's own: a write that blocks would have others on the same descriptor
        // wait where no signal ends them.
        auto kernel = damon::LruGen::open(options_.roots.sys);
        if (!kernel) {
            act::Meter meter(group->dir(), decision);
            meter.fail_with(kernel.error());
            return meter.finish();
        }
        const act::EvictionSite site{group->dir(), path, *kernel, options_.eviction.anon_only};
        return act::evict(site, decision, cold, deadline, *interrupt);
    };
    co_return co_await offload(reclaimers_, write);
}

} // namespace cgtide::core
