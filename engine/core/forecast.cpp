// What would leave a container, and what it should be given.
#include "engine/apps/reclaim.hpp"
#include "engine/apps/suggest.hpp"
#include "engine/apps/what_if.hpp"
#include "engine/core/engine.hpp"

#include <algorithm>
#include <chrono>

namespace cgtide::core {

Result<Forecast> Engine::what_if(std::string_view name, std::optional<Microseconds> idle) const {
    const auto found = registry_.find(name);
    if (!found) {
        return tl::unexpected(found.error());
    }
    const Container& container = **found;
    const auto refuse = [&](const std::string& why) {
        return fail(Errc::unsupported, "what-if", std::string(kNoIdleView) + why);
    };
    if (container.ended()) {
        return refuse(container.policy.name + " has ended: nothing of it can leave");
    }
    if (!container.snapshot || !container.snapshot->stat || !container.snapshot->idle) {
        return refuse(why_no_idle(container));
    }
    constexpr Microseconds kOld{60'000'000};
    const auto since = std::chrono::duration_cast<Microseconds>(std::chrono::steady_clock::now() -
                                                                container.snapshot->at);
    if (since > std::max(kOld, apps::kMostMissed * container.policy.profile.period)) {
        return refuse(container.policy.name + " was last looked at " + format_duration(since) +
                      " ago: app stat or reclaim has to be attached");
    }
    const Microseconds age = idle.value_or(container.policy.reclaim.idle);
    const model::WhatIf answer = apps::what_if(container.policy, *container.snapshot, node_, age);
    if (!answer.known) {
        return refuse(container.policy.name + " has been watched for " +
                      format_duration(container.snapshot->idle->watched) +
                      ": nothing is proven idle for " + format_duration(age) + " yet");
    }
    return Forecast{summarise(container), answer};
}

Result<Advice> Engine::suggest(std::string_view name) const {
    const auto found = registry_.find(name);
    if (!found) {
        return tl::unexpected(found.error());
    }
    const Container& container = **found;
    const auto points = container.history.points();
    const auto suggestion = apps::suggest(points, node_.page_size);
    if (!suggestion) {
        return fail(Errc::unsupported, "suggest",
                    std::string(kNoHistory) + "what is known of " + container.policy.name +
                        " covers less than " + format_duration(apps::kLeastWindow) +
                        "; app stat keeps it, from the first idle times on");
    }
    return Advice{summarise(container), *suggestion};
}

} // namespace cgtide::core
