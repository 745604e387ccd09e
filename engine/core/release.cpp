#include "engine/core/capability_rows.hpp"
#include "engine/core/engine.hpp"
#include "engine/core/log.hpp"
#include "engine/core/offload.hpp"

#include <algorithm>

namespace cgtide::core {

namespace asio = boost::asio;

namespace {

/// The name of the row of idle times by regions.
std::string region_row() {
    return monitor::region_capability().name;
}

} // namespace

void Engine::lose_regions(const std::string& why) {
    watching_ = false;
    has_damon_ = false;
    regions_work_ = false;
    mark_missing(options_.capabilities, region_row(), why);
    lose_physical(why);
    lose_page_out(why);
    lose_moves(why);
}

void Engine::note_sample(const monitor::PoolState& state) {
    if (state.sample == sample_) {
        return;
    }
    constexpr std::string_view kLooks = "; a look each ";
    model::Capability* row = find_row(options_.capabilities, region_row());
    if (row != nullptr && row->present) {
        row->detail.erase(std::min(row->detail.rfind(kLooks), row->detail.size()));
        row->detail += std::string(kLooks) + format_duration(state.sample);
    }
    if (sample_.count() > 0) {
        log::info("DAMON's workers look each {} from now on, no longer each {}: they used {} of a "
                  "processor",
                  format_duration(state.sample), format_duration(sample_),
                  format_share(state.used));
    }
    sample_ = state.sample;
}

std::string Engine::why_no_regions() const {
    const model::Capability* row = find_row(options_.capabilities, region_row());
    if (row == nullptr) {
        return why_no_physical();
    }
    return row->present ? std::string() : row->detail;
}

asio::awaitable<Result<std::string>> Engine::release_damon() {
    constexpr std::string_view kOp = "give DAMON back";
    if (!has_damon_) {
        const std::string why = why_no_regions();
        co_return fail(Errc::conflict, kOp,
                       std::string(kNoDamon) + "cgtided does not use DAMON: " +
                           (why.empty() ? "its settings say so (idle.sensor)" : why));
    }
    if (options_.sensor.pool == nullptr) {
        co_return fail(Errc::conflict, kOp,
                       std::string(kNoDamon) + "cgtided is still taking DAMON over: ask again");
    }
    // From here on the loop that watches makes no more commits: see RegionPool::apply().
    lose_regions("given back by hand (cgtide damon release), until cgtided is restarted");
    const auto release = [this] {
        return options_.sensor.pool->release();
    };
    auto released = co_await offload(damon_, release);
    const auto forget = [this] {
        options_.sensor.regions->adopt({});
    };
    co_await offload(sensors_, forget);
    if (released) {
        log::info("DAMON was given back by hand: {}", *released);
    } else {
        log::error("DAMON was given back by hand: {}", released.error().message());
    }
    co_return released;
}

} // namespace cgtide::core
