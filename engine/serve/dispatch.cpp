#include "engine/serve/dispatch.hpp"

#include "cgroup/base/text.hpp"
#include "engine/serve/parameters.hpp"
#include "engine/serve/render.hpp"
#include "engine/serve/service.hpp"
#include "engine/wire/interface.hpp"

#include <algorithm>
#include <chrono>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <nlohmann/json.hpp>

namespace cgtide::serve {

namespace {

namespace asio = boost::asio;
namespace error = wire::error;
using nlohmann::json;
using wire::Reply;

Reply invalid(std::string_view parameter) {
    return error_reply(error::kInvalidParameter, "parameter", parameter);
}

Reply refused(std::string_view reason, std::string_view message) {
    return {wire::to_text({{"reason", reason}, {"message", message}}),
            std::string(error::kRefused)};
}

Reply success(const json& parameters) {
    return {wire::to_text(parameters)};
}

/// The reason codes of errors that are no Varlink error of their own.
Reply refusal(const Error& problem) {
    const std::string message = printable(problem.message(), 1024);
    if (is_gone(problem)) {
        return refused("gone", message);
    }
    if (problem.code == Errc::conflict) {
        const bool shared = problem.detail.starts_with("shared-cgroup");
        return refused(shared ? "shared-cgroup" : "conflict", message);
    }
    if (problem.code == Errc::unsupported && problem.detail.starts_with(core::kNoIdleView)) {
        return refused("no-idle-view",
                       printable(problem.detail.substr(core::kNoIdleView.size()), 1024));
    }
    const std::pair<Errc, std::string_view> codes[] = {{Errc::malformed, "malformed"},
                                                       {Errc::out_of_range, "malformed"},
                                                       {Errc::unsupported, "unsupported"},
                                                       {Errc::denied, "denied"},
                                                       {Errc::timeout, "timeout"}};
    for (const auto& [code, reason] : codes) {
        if (problem.code == code) {
            return refused(reason, message);
        }
    }
    return refused("failed", message);
}

/// The error of a call that named a container.
Reply lookup_error(const Error& problem, const std::string& name) {
    if (problem.code == Errc::not_found) {
        return error_reply(error::kNoSuchContainer, "name", name);
    }
    if (problem.code == Errc::conflict) {
        json matches = json::array();
        std::string_view rest = problem.detail;
        while (const auto line = next_line(rest)) {
            matches.push_back(*line);
        }
        return {wire::to_text({{"name", name}, {"matches", std::move(matches)}}),
                std::string(error::kAmbiguousName)};
    }
    return refusal(problem);
}

template <class T>
json rendered(const std::vector<T>& values) {
    json list = json::array();
    for (const T& value : values) {
        list.push_back(render(value));
    }
    return list;
}

asio::awaitable<Reply> enroll(core::Control& control, std::string text) {
    Parameters parameters(text, {"record"});
    const std::string record_text = parameters.object("record");
    if (!parameters.fault().empty()) {
        co_return invalid(parameters.fault());
    }
    auto record = oci::decode_record(record_text);
    if (!record) {
        co_return refusal(record.error());
    }
    const auto name = co_await control.enroll(std::move(*record));
    co_return name ? success({{"name", *name}}) : refusal(name.error());
}

asio::awaitable<Reply> retire(core::Control& control, std::string text) {
    Parameters parameters(text, {"id", "bundle"});
    const std::string id = parameters.text("id");
    const std::string bundle = parameters.text("bundle");
    if (!parameters.fault().empty()) {
        co_return invalid(parameters.fault());
    }
    const auto done = co_await control.retire(id, bundle);
    co_return done ? success(json::object()) : lookup_error(done.error(), id);
}

asio::awaitable<Reply> change(core::Control& control, std::string text, bool attach) {
    Parameters parameters(text, {"name", "app"});
    const std::string name = parameters.text("name");
    const auto app = model::app_name(parameters.text("app"));
    if (!app) {
        parameters.refuse("app");
    }
    if (!parameters.fault().empty()) {
        co_return invalid(parameters.fault());
    }
    // No co_await inside ?: here: GCC 12 destroys its arguments twice.
    Result<void> done;
    if (attach) {
        done = co_await control.attach(name, *app);
    } else {
        done = co_await control.detach(name, *app);
    }
    co_return done ? success(json::object()) : lookup_error(done.error(), name);
}

Reply list(const core::Control& control, const std::string& text) {
    Parameters parameters(text, {"all"});
    const bool all = parameters.flag("all");
    if (!parameters.fault().empty()) {
        return invalid(parameters.fault());
    }
    return success(
        {{"containers", rendered(control.list(all))}, {"refused", rendered(control.refused())}});
}

Reply stat(const core::Control& control, const std::string& text) {
    Parameters parameters(text, {"name", "all"});
    const std::string name = parameters.optional_text("name");
    const bool all = parameters.flag("all");
    if (!parameters.fault().empty()) {
        return invalid(parameters.fault());
    }
    if (name.empty()) {
        return success({{"rows", rendered(control.stats(all))}});
    }
    const auto row = control.stat(name);
    return row ? success({{"rows", json::array({render(*row)})}}) : lookup_error(row.error(), name);
}

Reply history(const core::Control& control, const std::string& text) {
    Parameters parameters(text, {"name"});
    const std::string name = parameters.text("name");
    if (!parameters.fault().empty()) {
        return invalid(parameters.fault());
    }
    const auto past = control.history(name);
    return past
               ? success({{"container", render(past->summary)}, {"points", rendered(past->points)}})
               : lookup_error(past.error(), name);
}

Reply inspect(const core::Control& control, const std::string& text) {
    Parameters parameters(text, {"name"});
    const std::string name = parameters.text("name");
    if (!parameters.fault().empty()) {
        return invalid(parameters.fault());
    }
    const auto detail = control.inspect(name);
    return detail ? success({{"detail", render(*detail)}}) : lookup_error(detail.error(), name);
}

Reply explain(const core::Control& control, const std::string& text) {
    Parameters parameters(text, {"name", "last"});
    const std::string name = parameters.text("name");
    const std::size_t last = parameters.count("last");
    if (!parameters.fault().empty()) {
        return invalid(parameters.fault());
    }
    const auto told = control.explain(name, last);
    if (!told) {
        return lookup_error(told.error(), name);
    }
    return success({{"container", render(told->summary)},
                    {"entries", rendered(told->entries)},
                    {"dropped", told->dropped}});
}

Reply idle(const core::Control& control, const std::string& text) {
    Parameters parameters(text, {"name"});
    const std::string name = parameters.text("name");
    if (!parameters.fault().empty()) {
        return invalid(parameters.fault());
    }
    const auto told = control.idle(name);
    if (!told) {
        return lookup_error(told.error(), name);
    }
    return success({{"container", render(told->summary)}, {"idle", render(told->figures)}});
}

json rendered_times(const core::RegionTimes& told) {
    return {{"container", render(told.summary)},
            {"sample_us", told.map.sample.count()},
            {"aggregation_us", told.map.aggregation.count()},
            {"spaces", rendered(told.map.spaces)}};
}

asio::awaitable<Reply> regions(core::Control& control, std::string text, model::RegionCut cut) {
    Parameters parameters(text, {"name"});
    const std::string name = parameters.text("name");
    if (!parameters.fault().empty()) {
        co_return invalid(parameters.fault());
    }
    const auto told = co_await control.regions(name, cut);
    co_return told ? success(rendered_times(*told)) : lookup_error(told.error(), name);
}

/// One reply of a record; each but the first waits until an aggregation has passed.
asio::awaitable<Reply> record(core::Control& control, wire::Call call, std::size_t round) {
    constexpr std::chrono::seconds kAggregation{1};
    if (round > 0) {
        asio::steady_timer timer(co_await asio::this_coro::executor, kAggregation);
        co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    Reply reply = co_await regions(control, std::move(call.parameters), model::RegionCut::runs);
    reply.continues = call.more && reply.error.empty();
    co_return reply;
}

Reply capabilities(const core::Control& control, const std::string& text) {
    const Parameters parameters(text, {});
    if (!parameters.fault().empty()) {
        return invalid(parameters.fault());
    }
    return success({{"capabilities", rendered(control.capabilities())}});
}

} // namespace

asio::awaitable<Reply> dispatch(core::Control& control, wire::Call call, std::size_t round) {
    namespace method = wire::method;
    if (call.method == method::kRegister) {
        co_return co_await enroll(control, std::move(call.parameters));
    }
    if (call.method == method::kUnregister) {
        co_return co_await retire(control, std::move(call.parameters));
    }
    if (call.method == method::kAttach || call.method == method::kDetach) {
        const bool attach = call.method == method::kAttach;
        co_return co_await change(control, std::move(call.parameters), attach);
    }
    if (call.method == method::kRegions) {
        co_return co_await regions(control, std::move(call.parameters), model::RegionCut::mappings);
    }
    if (call.method == method::kRecordRegions) {
        co_return co_await record(control, std::move(call), round);
    }
    if (call.method == method::kList) {
        co_return list(control, call.parameters);
    }
    if (call.method == method::kStat) {
        co_return stat(control, call.parameters);
    }
    if (call.method == method::kHistory) {
        co_return history(control, call.parameters);
    }
    if (call.method == method::kInspect) {
        co_return inspect(control, call.parameters);
    }
    if (call.method == method::kExplain) {
        co_return explain(control, call.parameters);
    }
    if (call.method == method::kIdle) {
        co_return idle(control, call.parameters);
    }
    if (call.method == method::kCapabilities) {
        co_return capabilities(control, call.parameters);
    }
    co_return error_reply(error::kMethodNotFound, "method", call.method);
}

} // namespace cgtide::serve
