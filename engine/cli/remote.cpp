#include "engine/cli/remote.hpp"

#include "cgroup/base/text.hpp"
#include "engine/cli/fields.hpp"
#include "engine/wire/client.hpp"
#include "engine/wire/interface.hpp"

#include <chrono>
#include <csignal>

#include <nlohmann/json.hpp>
#include <sys/signalfd.h>

namespace cgtide::cli {

namespace {

using nlohmann::json;
namespace error = wire::error;

Output failure(int code, const std::string& message) {
    return {code, {}, "cgtide: " + message + '\n'};
}

Output unreachable(const Error& problem) {
    std::string hint;
    if (problem.code == std::errc::permission_denied) {
        hint = "; it takes root or a member of group cgtide";
    } else if (problem.code == std::errc::no_such_file_or_directory ||
               problem.code == std::errc::connection_refused) {
        hint = "; is cgtided running?";
    }
    return failure(status::kUnreachable, printable(problem.message(), 1024) + hint);
}

/// A descriptor that can be read once somebody wants this program to end; from then on neither
/// signal ends it by itself.
UniqueFd stop_signals() {
    sigset_t stop;
    ::sigemptyset(&stop);
    ::sigaddset(&stop, SIGINT);
    ::sigaddset(&stop, SIGTERM);
    ::sigprocmask(SIG_BLOCK, &stop, nullptr);
    return UniqueFd(::signalfd(-1, &stop, SFD_CLOEXEC));
}

} // namespace

Output explain_error(const wire::Reply& reply) {
    const auto parsed = wire::parse_object(reply.parameters);
    const json parameters = parsed ? *parsed : json::object();
    if (reply.error == error::kNoSuchContainer) {
        return failure(status::kNoSuchContainer, "no container is called " +
                                                     text_field(parameters, "name") +
                                                     "; cgtide ps --all lists them");
    }
    if (reply.error == error::kAmbiguousName) {
        std::string message = text_field(parameters, "name") + " may be any of these:";
        for (const json& match : child(parameters, "matches")) {
            message += match.is_string() ? "\n  " + printable(match.get_ref<const std::string&>())
                                         : std::string();
        }
        return failure(status::kFailed, message);
    }
    if (reply.error == error::kRefused) {
        return failure(status::kFailed, "refused (" + text_field(parameters, "reason") +
                                            "): " + text_field(parameters, "message"));
    }
    if (reply.error == error::kPermissionDenied) {
        return failure(status::kFailed,
                       "not allowed: this takes " + text_field(parameters, "needs"));
    }
    if (reply.error == error::kInvalidParameter) {
        return failure(status::kFailed, "the engine does not accept this value of " +
                                            text_field(parameters, "parameter"));
    }
    return failure(status::kFailed, "the engine answered " + printable(reply.error) + ' ' +
                                        printable(reply.parameters, 1024));
}

tl::expected<json, Output> ask_engine(const std::string& socket, std::string_view method,
                                      const json& parameters, std::chrono::seconds patience) {
    const TimePoint deadline = std::chrono::steady_clock::now() + patience;
    auto client = wire::Client::connect(socket, deadline);
    if (!client) {
        return tl::unexpected(unreachable(client.error()));
    }
    const auto reply = client->exchange({std::string(method), wire::to_text(parameters)}, deadline);
    if (!reply) {
        return tl::unexpected(unreachable(reply.error()));
    }
    if (!reply->error.empty()) {
        return tl::unexpected(explain_error(*reply));
    }
    auto parsed = wire::parse_object(reply->parameters);
    if (!parsed) {
        return tl::unexpected(unreachable(parsed.error()));
    }
    return std::move(*parsed);
}

Output follow_engine(const std::string& socket, std::string_view method, const json& parameters,
                     TimePoint deadline, const std::function<bool(const json&)>& take) {
    const UniqueFd stop = stop_signals();
    auto client = wire::Client::connect(socket, std::chrono::steady_clock::now() + kPatience);
    if (!client) {
        return unreachable(client.error());
    }
    wire::Call call{std::string(method), wire::to_text(parameters)};
    call.more = true;
    // The first reply comes at once, and no signal ends the wait for it.
    auto reply = client->exchange(call, std::chrono::steady_clock::now() + kPatience);
    if (!reply) {
        return unreachable(reply.error());
    }
    while (reply && reply->error.empty()) {
        const auto parsed = wire::parse_object(reply->parameters);
        if (!parsed) {
            return unreachable(parsed.error());
        }
        if (!take(*parsed) || !reply->continues) {
            return {};
        }
        reply = client->receive(deadline, stop.get());
    }
    if (reply) {
        return explain_error(*reply);
    }
    const std::error_code code = reply.error().code;
    const bool wanted = code == Errc::timeout || code == std::errc::interrupted;
    return wanted ? Output{} : unreachable(reply.error());
}

} // namespace cgtide::cli
