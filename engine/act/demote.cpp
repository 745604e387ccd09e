#include "engine/act/demote.hpp"

#include "cgroup/parse/memory_stat.hpp"
#include "engine/act/meter.hpp"
#include "engine/act/reclaim.hpp"

#include <unistd.h>

namespace cgtide::act {

namespace {

Result<std::uint64_t> demoted_pages(const Dir& group) {
    return group.read("memory.stat").and_then([](const std::string& text) {
        return cgroup::parse_proactively_demoted(text);
    });
}

} // namespace

model::Outcome demote(const Dir& group, const model::Decision& decision, Microseconds deadline,
                      Interrupt& interrupt) {
    const auto before = demoted_pages(group);
    if (!before) {
        Meter meter(group, decision);
        meter.fail_with(before.error());
        model::Outcome outcome = meter.finish();
        outcome.move = decision.move;
        return outcome;
    }
    model::Decision anon = decision;
    anon.pages = model::Pages::anon;
    model::Outcome outcome = reclaim(group, anon, true, deadline, interrupt);
    outcome.move = decision.move;
    const std::uint64_t after = demoted_pages(group).value_or(*before);
    const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    outcome.taken = Bytes{after > *before ? (after - *before) * page : 0};
    return outcome;
}

} // namespace cgtide::act
