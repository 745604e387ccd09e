#include "engine/act/demote.hpp"

#include "engine/act/meter.hpp"
#include "engine/act/reclaim.hpp"

#include <algorithm>

#include <unistd.h>

namespace cgtide::act {

namespace {

Result<cgroup::ProactiveReclaim> counts_of(const Dir& group) {
    return group.read("memory.stat").and_then([](const std::string& text) {
        return cgroup::parse_proactive_reclaim(text);
    });
}

Bytes pages(std::uint64_t from, std::uint64_t to, Bytes page) {
    return {to > from ? (to - from) * page.count : 0};
}

} // namespace

Demotion demotion(model::Outcome outcome, const cgroup::ProactiveReclaim& before,
                  const cgroup::ProactiveReclaim& after, Bytes page) {
    const Bytes demoted = pages(before.demoted, after.demoted, page);
    const Bytes dropped = pages(before.stolen, after.stolen, page) - demoted;
    outcome.taken = outcome.end == model::OutcomeEnd::done
                        ? std::max(demoted, outcome.asked - dropped)
                        : demoted;
    return {outcome, dropped};
}

Demotion demote(const Dir& group, const model::Decision& decision, Microseconds deadline,
                Interrupt& interrupt) {
    const auto before = counts_of(group);
    if (!before) {
        Meter meter(group, decision);
        meter.fail_with(before.error());
        model::Outcome outcome = meter.finish();
        outcome.move = decision.move;
        return {outcome, {}};
    }
    model::Decision anon = decision;
    anon.pages = model::Pages::anon;
    model::Outcome outcome = reclaim(group, anon, true, deadline, interrupt);
    outcome.move = decision.move;
    const Bytes page{static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE))};
    return demotion(outcome, *before, counts_of(group).value_or(*before), page);
}

} // namespace cgtide::act
