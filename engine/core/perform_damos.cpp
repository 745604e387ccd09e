#include "engine/act/damos.hpp"
#include "engine/act/meter.hpp"
#include "engine/core/capability_rows.hpp"
#include "engine/core/damos.hpp"
#include "engine/core/engine.hpp"
#include "engine/core/offload.hpp"

#include <chrono>
#include <optional>
#include <utility>

namespace cgtide::core {

namespace asio = boost::asio;

namespace {

constexpr const char* kPageoutRow = "DAMOS pageout";

/// What was found and did not leave is left alone for a while, also where the request failed.
void settle_portion(const act::PageoutSite& site, const model::Decision& decision,
                    const act::Portion& portion, model::Outcome& outcome) {
    const Bytes left = portion.bytes - act::present_in(site, portion.spaces, decision.pages);
    outcome.found = portion.found;
    outcome.stuck = portion.found - left;
    if (outcome.end == model::OutcomeEnd::done && std::max(left, outcome.taken) < decision.ask) {
        outcome.end = model::OutcomeEnd::partial;
    }
}

} // namespace

/// Has DAMON's workers page out what the region sensor knows as cold, for one period at most.
asio::awaitable<model::Outcome> Engine::page_out_by_damon(Pointer container, const Order& order,
                                                          bool& begun) {
    const model::Decision& decision = order.decision;
    const auto group = container->group;
    const auto interrupt = container->writing;
    const std::string path = container->record.cgroup_path;
    const Microseconds period = container->policy.profile.period;
    const act::PageoutSite site{group->dir(), options_.roots.proc, path};
    const auto find = [this, &decision] {
        return options_.sensor.regions->cold(decision.id, *decision.proven);
    };
    const auto spaces = co_await offload(sensors_, find);
    std::optional<act::Meter> meter;
    const auto choose = [&]() -> Result<act::Portion> {
        meter.emplace(group->dir(), decision);
        const auto time = time_to_work(order.decided, std::chrono::steady_clock::now(), period);
        begun = time.count() > 0;
        return begun ? act::choose_portion(site, decision, spaces) : act::Portion{};
    };
    const auto portion = co_await offload(reclaimers_, choose);
    if (!portion) {
        meter->fail_with(portion.error());
    }
    Microseconds cpu{0};
    if (!meter->failed() && !portion->spaces.empty() && !interrupt->stopped()) {
        const monitor::PageOutOrder wanted{.container = decision.id,
                                           .spaces = portion->spaces,
                                           .idle = *decision.proven,
                                           .period = period,
                                           .pressure = container->policy.reclaim.pressure};
        const PageOutRun run{.io = io_,
                             .sensors = sensors_,
                             .damon = damon_,
                             .pool = *options_.sensor.pool,
                             .has_damon = has_damon_,
                             .group = group,
                             .interrupt = interrupt,
                             .ask = decision.ask};
        const auto done = co_await run_page_out(run, wanted);
        if (!done && done.error().code != Errc::gone) {
            meter->fail_with(done.error());
        }
        cpu = done.value_or(Microseconds(0));
    }
    const auto settle = [&, has_damon = has_damon_] {
        model::Outcome outcome = meter->finish();
        settle_portion(site, decision, portion.value_or(act::Portion{}), outcome);
        if (outcome.end == model::OutcomeEnd::partial &&
            (interrupt->stopped() || !has_damon || !begun)) {
            outcome.end = model::OutcomeEnd::interrupted;
        }
        return outcome;
    };
    model::Outcome outcome = co_await offload(reclaimers_, settle);
    outcome.cpu = cpu;
    const auto touch = [this, &outcome] {
        options_.sensor.regions->touch(outcome.id, outcome.at);
    };
    co_await offload(sensors_, touch);
    co_return outcome;
}

/// Says whether DAMON's workers can page out. Before anything is decided.
void Engine::tell_page_out(const std::string& trouble) {
    model::Capability told{
        .name = kPageoutRow,
        .present = false,
        .probed = "/sys/kernel/mm/damon/admin/kdamonds",
        .detail = trouble,
        .without = "memory that is proven idle leaves by process_madvise or memory.reclaim"};
    if (trouble.empty()) {
        told.present = options_.sensor.pool->pages_out();
        told.detail = told.present ? "schemes end by themselves (max_nr_snapshots)"
                                   : "schemes would outlive cgtided: DAMON has no max_nr_snapshots";
    }
    options_.actuators.damos = told.present;
    options_.capabilities.push_back(std::move(told));
}

void Engine::lose_page_out(const std::string& why) {
    options_.actuators.damos = false;
    mark_missing(options_.capabilities, kPageoutRow, why);
}

} // namespace cgtide::core
