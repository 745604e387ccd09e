#include "cgroup/parse/flat.hpp"

#include "tests/fuzz/check.hpp"

#include <string>

namespace cgtide::fuzz {
namespace {

/// What was parsed, printed as the kernel prints it, parses to the same.
void round_trips(std::string_view text) {
    if (const auto amount = cgroup::parse_amount(text)) {
        const auto again = cgroup::parse_amount(std::to_string(amount->count) + "\n");
        check(again && *again == *amount);
    }
    if (const auto pids = cgroup::parse_pids(text)) {
        std::string printed;
        for (const int pid : *pids) {
            check(pid > 0);
            printed += std::to_string(pid) + "\n";
        }
        const auto again = cgroup::parse_pids(printed);
        check(again && *again == *pids);
    }
    if (const auto events = cgroup::parse_memory_events(text)) {
        const auto again = cgroup::parse_memory_events(
            "low " + std::to_string(events->low) + "\nhigh " + std::to_string(events->high) +
            "\nmax " + std::to_string(events->max) + "\noom " + std::to_string(events->oom) +
            "\noom_kill " + std::to_string(events->oom_kill) + "\n");
        check(again && again->low == events->low && again->oom_kill == events->oom_kill);
    }
}

/// A file with a line more of a key that nobody knows says the same.
void skips_new_keys(std::string_view text) {
    const std::string longer = "new_key 1\n" + std::string(text);
    const auto events = cgroup::parse_cgroup_events(text);
    const auto more = cgroup::parse_cgroup_events(longer);
    check(events.has_value() == more.has_value());
    check(!events || (events->populated == more->populated && events->frozen == more->frozen));
    const auto stat = cgroup::parse_cgroup_stat(text);
    const auto more_stat = cgroup::parse_cgroup_stat(longer);
    check(stat.has_value() == more_stat.has_value());
    check(!stat || stat->nr_descendants == more_stat->nr_descendants);
}

} // namespace
} // namespace cgtide::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = cgtide::fuzz::as_text(data, size);
    cgtide::fuzz::round_trips(text);
    cgtide::fuzz::skips_new_keys(text);
    return 0;
}
