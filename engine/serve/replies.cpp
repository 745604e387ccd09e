#include "engine/serve/replies.hpp"

#include "cgroup/base/text.hpp"
#include "engine/core/control.hpp"
#include "engine/serve/service.hpp"
#include "engine/wire/interface.hpp"

#include <utility>

#include <nlohmann/json.hpp>

namespace cgtide::serve {

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

namespace {

bool is_no_idle_view(const Error& problem) {
    return problem.code == Errc::unsupported && problem.detail.starts_with(core::kNoIdleView);
}

} // namespace

json text_or_null(const std::string& text) {
    return text.empty() ? json() : json(text);
}

std::string why_no_idle_view(const Error& problem) {
    return is_no_idle_view(problem)
               ? printable(problem.detail.substr(core::kNoIdleView.size()), 1024)
               : printable(problem.message(), 1024);
}

Reply refusal(const Error& problem) {
    const std::string message = printable(problem.message(), 1024);
    if (is_gone(problem)) {
        return refused("gone", message);
    }
    if (problem.code == Errc::conflict && problem.detail.starts_with(core::kNoDamon)) {
        return refused("no-damon", printable(problem.detail.substr(core::kNoDamon.size()), 1024));
    }
    if (problem.code == Errc::conflict) {
        const bool shared = problem.detail.starts_with("shared-cgroup");
        return refused(shared ? "shared-cgroup" : "conflict", message);
    }
    if (is_no_idle_view(problem)) {
        return refused("no-idle-view", why_no_idle_view(problem));
    }
    if (problem.code == Errc::unsupported && problem.detail.starts_with(core::kNoHistory)) {
        return refused("no-history",
                       printable(problem.detail.substr(core::kNoHistory.size()), 1024));
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

} // namespace cgtide::serve
