#include "engine/serve/dispatch.hpp"

#include "engine/serve/parameters.hpp"
#include "engine/serve/render.hpp"
#include "engine/serve/replies.hpp"
#include "engine/serve/service.hpp"
#include "engine/serve/streams.hpp"
#include "engine/wire/interface.hpp"

#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

namespace cgtide::serve {

namespace {

namespace asio = boost::asio;
namespace method = wire::method;
using nlohmann::json;
using wire::Reply;

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

asio::awaitable<Reply> release(core::Control& control, std::string text) {
    const Parameters parameters(text, {});
    if (!parameters.fault().empty()) {
        co_return invalid(parameters.fault());
    }
    const auto done = co_await control.release_damon();
    co_return done ? success({{"done", *done}}) : refusal(done.error());
}

asio::awaitable<Reply> pause(core::Control& control, std::string text) {
    const Parameters parameters(text, {});
    if (!parameters.fault().empty()) {
        co_return invalid(parameters.fault());
    }
    const auto under_way = co_await control.pause();
    co_return under_way ? success({{"under_way", *under_way}}) : refusal(under_way.error());
}

asio::awaitable<Reply> tiers(core::Control& control, std::string text) {
    const Parameters parameters(text, {});
    if (!parameters.fault().empty()) {
        co_return invalid(parameters.fault());
    }
    const auto view = co_await control.tiers();
    co_return success(render(view));
}

asio::awaitable<Reply> capabilities(core::Control& control, std::string text) {
    const Parameters parameters(text, {});
    if (!parameters.fault().empty()) {
        co_return invalid(parameters.fault());
    }
    const auto rows = co_await control.capabilities();
    co_return success({{"capabilities", rendered(rows)}});
}

asio::awaitable<Reply> resume(core::Control& control, std::string text) {
    const Parameters parameters(text, {});
    if (!parameters.fault().empty()) {
        co_return invalid(parameters.fault());
    }
    const auto done = co_await control.resume();
    co_return done ? success(json::object()) : refusal(done.error());
}

Reply list(const core::Control& control, const std::string& text) {
    Parameters parameters(text, {"all"});
    const bool all = parameters.flag("all");
    if (!parameters.fault().empty()) {
        return invalid(parameters.fault());
    }
    return success({{"containers", rendered(control.list(all))},
                    {"refused", rendered(control.refused())},
                    {"paused", control.paused()}});
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
    return success({{"container", render(told->summary)},
                    {"idle", render(told->figures)},
                    {"no_regions", text_or_null(told->no_regions)}});
}

Reply what_if(const core::Control& control, const std::string& text) {
    Parameters parameters(text, {"name", "idle_us"});
    const std::string name = parameters.text("name");
    const auto idle = Microseconds(static_cast<std::int64_t>(parameters.count("idle_us")));
    if (!parameters.fault().empty()) {
        return invalid(parameters.fault());
    }
    const auto told = control.what_if(name, idle.count() > 0 ? std::optional(idle) : std::nullopt);
    return told
               ? success({{"container", render(told->summary)}, {"what_if", render(told->what_if)}})
               : lookup_error(told.error(), name);
}

Reply suggest(const core::Control& control, const std::string& text) {
    Parameters parameters(text, {"name"});
    const std::string name = parameters.text("name");
    if (!parameters.fault().empty()) {
        return invalid(parameters.fault());
    }
    const auto told = control.suggest(name);
    return told ? success({{"container", render(told->summary)},
                           {"suggestion", render(told->suggestion)}})
                : lookup_error(told.error(), name);
}

/// What is known without a wait.
Reply answer(const core::Control& control, const wire::Call& call) {
    const std::pair<std::string_view, Reply (*)(const core::Control&, const std::string&)>
        methods[] = {{method::kList, list},       {method::kStat, stat},
                     {method::kHistory, history}, {method::kInspect, inspect},
                     {method::kExplain, explain}, {method::kIdle, idle},
                     {method::kWhatIf, what_if},  {method::kSuggest, suggest}};
    for (const auto& [name, ask] : methods) {
        if (call.method == name) {
            return ask(control, call.parameters);
        }
    }
    return error_reply(wire::error::kMethodNotFound, "method", call.method);
}

asio::awaitable<Reply> at_once(Reply reply) {
    co_return reply;
}

} // namespace

// No coroutine itself: GCC 12 takes the frame of a large one for freed by a stranger.
asio::awaitable<Reply> dispatch(core::Control& control, wire::Call call, std::size_t round) {
    if (call.method == method::kRegister) {
        return enroll(control, std::move(call.parameters));
    }
    if (call.method == method::kUnregister) {
        return retire(control, std::move(call.parameters));
    }
    if (call.method == method::kAttach || call.method == method::kDetach) {
        const bool attach = call.method == method::kAttach;
        return change(control, std::move(call.parameters), attach);
    }
    if (call.method == method::kRegions) {
        return regions(control, std::move(call.parameters), model::RegionCut::mappings);
    }
    if (call.method == method::kRecordRegions) {
        return record(control, std::move(call), round);
    }
    if (call.method == method::kWatch) {
        return watch(control, std::move(call), round);
    }
    if (call.method == method::kReleaseDamon) {
        return release(control, std::move(call.parameters));
    }
    if (call.method == method::kPause) {
        return pause(control, std::move(call.parameters));
    }
    if (call.method == method::kResume) {
        return resume(control, std::move(call.parameters));
    }
    if (call.method == method::kTiers) {
        return tiers(control, std::move(call.parameters));
    }
    if (call.method == method::kCapabilities) {
        return capabilities(control, std::move(call.parameters));
    }
    return at_once(answer(control, call));
}

} // namespace cgtide::serve
