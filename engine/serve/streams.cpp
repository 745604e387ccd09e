#include "engine/serve/streams.hpp"

#include "engine/core/wall_clock.hpp"
#include "engine/serve/parameters.hpp"
#include "engine/serve/render.hpp"
#include "engine/serve/replies.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <nlohmann/json.hpp>

namespace cgtide::serve {

namespace asio = boost::asio;
using nlohmann::json;
using wire::Reply;

namespace {

json rendered_times(const core::RegionTimes& told) {
    return {{"container", render(told.summary)},
            {"sample_us", told.map.sample.count()},
            {"aggregation_us", told.map.aggregation.count()},
            {"spaces", rendered(told.map.spaces)}};
}

/// A pause between two replies of a stream; none before the first.
asio::awaitable<void> pause(std::size_t round, Microseconds period) {
    if (round > 0) {
        asio::steady_timer timer(co_await asio::this_coro::executor, period);
        co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    }
}

Reply watch_one(const core::Control& control, const std::string& name, std::size_t last) {
    const auto row = control.stat(name);
    if (!row) {
        return lookup_error(row.error(), name);
    }
    if (row->ended) {
        return refused("gone", row->name + " has ended; cgtide explain " + row->name +
                                   " tells what was done for it");
    }
    const auto told = control.explain(name, last);
    if (!told) {
        return lookup_error(told.error(), name);
    }
    const auto idle = control.idle(name);
    return success({{"at_ms", core::wall_clock_ms()},
                    {"rows", json::array({render(*row)})},
                    {"container", render(told->summary)},
                    {"idle", idle ? render(idle->figures) : json()},
                    {"no_idle", idle ? json() : json(why_no_idle_view(idle.error()))},
                    {"no_regions", text_or_null(idle ? idle->no_regions : std::string())},
                    {"entries", rendered(told->entries)}});
}

} // namespace

asio::awaitable<Reply> regions(core::Control& control, std::string text, model::RegionCut cut) {
    Parameters parameters(text, {"name"});
    const std::string name = parameters.text("name");
    if (!parameters.fault().empty()) {
        co_return invalid(parameters.fault());
    }
    const auto told = co_await control.regions(name, cut);
    co_return told ? success(rendered_times(*told)) : lookup_error(told.error(), name);
}

asio::awaitable<Reply> record(core::Control& control, wire::Call call, std::size_t round) {
    constexpr Microseconds kAggregation{1'000'000};
    co_await pause(round, kAggregation);
    Reply reply = co_await regions(control, std::move(call.parameters), model::RegionCut::runs);
    reply.continues = call.more && reply.error.empty();
    co_return reply;
}

asio::awaitable<Reply> watch(core::Control& control, wire::Call call, std::size_t round) {
    constexpr std::size_t kDecisions = 5;
    constexpr std::size_t kPeriod = 2'000'000;
    constexpr std::size_t kShortest = 1'000'000;
    constexpr std::size_t kLongest = 3'600'000'000;
    Parameters parameters(call.parameters, {"name", "last", "period_us"});
    const std::string name = parameters.optional_text("name");
    const std::size_t last = parameters.count("last");
    const std::size_t asked = parameters.count("period_us");
    const std::size_t period = asked == 0 ? kPeriod : asked;
    if (period < kShortest || period > kLongest) {
        parameters.refuse("period_us");
    }
    if (!parameters.fault().empty()) {
        co_return invalid(parameters.fault());
    }
    co_await pause(round, Microseconds(static_cast<std::int64_t>(period)));
    Reply reply = name.empty() ? success({{"at_ms", core::wall_clock_ms()},
                                          {"rows", rendered(control.stats(true))},
                                          {"container", nullptr},
                                          {"idle", nullptr},
                                          {"no_idle", nullptr},
                                          {"no_regions", nullptr},
                                          {"entries", json::array()}})
                               : watch_one(control, name, last == 0 ? kDecisions : last);
    reply.continues = call.more && reply.error.empty();
    co_return reply;
}

} // namespace cgtide::serve
