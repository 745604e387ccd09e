#include "engine/damon/scheme_plan.hpp"

#include <algorithm>
#include <limits>
#include <string>

namespace cgtide::damon {

namespace {

const std::string kSchemes = "contexts/0/schemes/";

std::string folder_of(std::size_t index) {
    return kSchemes + std::to_string(index) + "/";
}

std::string most_of_int() {
    return std::to_string(std::numeric_limits<std::uint32_t>::max());
}

std::string most_of_long() {
    return std::to_string(std::numeric_limits<std::uint64_t>::max());
}

bool is_of(const PageOut& what, const Target& target) {
    return what.pid == target.pid && what.pid_start == target.pid_start && target.key != kSentinel;
}

bool is_same(const PageOut& a, const PageOut& b) {
    return a.container == b.container && a.pid == b.pid && a.pid_start == b.pid_start;
}

std::size_t seat_of(const PageOut& what, const Seats& seats) {
    const auto seat = std::find_if(seats.begin(), seats.end(),
                                   [&](const Target& target) { return is_of(what, target); });
    return static_cast<std::size_t>(seat - seats.begin()); // behind the last one: nobody's
}

/// A region goes by the first filter that is about it: one rejects all other address spaces, then
/// each range allows what lies in it, and so what none is about is left out. The kernel cuts
/// regions where a range begins and ends.
void add_filters(std::vector<Write>& writes, const std::string& scheme, const PageOut& what,
                 std::size_t seat) {
    const std::string filters = scheme + "core_filters/";
    writes.push_back({filters + "nr_filters", std::to_string(1 + what.ranges.size())});
    writes.push_back({filters + "0/type", "target"});
    writes.push_back({filters + "0/damon_target_idx", std::to_string(seat)});
    writes.push_back({filters + "0/matching", "N"});
    writes.push_back({filters + "0/allow", "N"});
    for (std::size_t i = 0; i < what.ranges.size(); ++i) {
        const std::string filter = filters + std::to_string(1 + i) + "/";
        writes.push_back({filter + "type", "addr"});
        writes.push_back({filter + "addr_start", std::to_string(what.ranges[i].start)});
        writes.push_back({filter + "addr_end", std::to_string(what.ranges[i].end)});
        writes.push_back({filter + "matching", "Y"});
        writes.push_back({filter + "allow", "Y"});
    }
}

/// The tuner `temporal` gives all of the quota while less is measured than the target, and nothing
/// from there on; the default one would begin with a byte.
void add_quotas(std::vector<Write>& writes, const std::string& scheme, const PageOut& what,
                const SchemeOptions& options) {
    const std::string quotas = scheme + "quotas/";
    // A little less than an aggregation: each round finds a quota that was not used yet.
    const auto window = options.intervals.aggregation * 9 / 10;
    constexpr std::int64_t kMilli = 1000;
    writes.push_back({quotas + "bytes", std::to_string(what.bytes)});
    writes.push_back({quotas + "reset_interval_ms", std::to_string(window.count() / kMilli)});
    // By itself all weights are 0, and regions go by address.
    writes.push_back({quotas + "weights/age_permil", "1000"});
    if (!options.with_goals || what.stall.target == 0) {
        return;
    }
    writes.push_back({quotas + "goal_tuner", "temporal"});
    writes.push_back({quotas + "goals/nr_goals", "1"});
    writes.push_back({quotas + "goals/0/target_metric", "user_input"});
    writes.push_back({quotas + "goals/0/target_value", std::to_string(what.stall.target)});
    writes.push_back({quotas + "goals/0/current_value", std::to_string(what.stall.measured)});
}

} // namespace

std::vector<Write> stat_scheme() {
    const std::string scheme = folder_of(0);
    return {{kSchemes + "nr_schemes", "1"},
            {scheme + "action", "stat"},
            {scheme + "access_pattern/sz/max", most_of_long()},
            {scheme + "access_pattern/nr_accesses/max", most_of_int()},
            {scheme + "access_pattern/age/max", most_of_int()}};
}

std::vector<Write> plan_schemes(std::span<const Scheme> schemes, const Seats& seats,
                                const SchemeOptions& options) {
    std::vector<Write> writes = options.with_stat ? stat_scheme() : std::vector<Write>(1);
    const std::size_t first = options.with_stat ? 1 : 0;
    // A write of the number empties the folders of all: it comes before the rest.
    writes.front() = {kSchemes + "nr_schemes", std::to_string(first + schemes.size())};
    for (std::size_t i = 0; i < schemes.size(); ++i) {
        const std::string scheme = folder_of(first + i);
        const PageOut& what = schemes[i].what;
        writes.push_back({scheme + "action", "pageout"});
        writes.push_back({scheme + "access_pattern/sz/min", "4096"});
        writes.push_back({scheme + "access_pattern/sz/max", most_of_long()});
        writes.push_back({scheme + "access_pattern/age/min", std::to_string(what.least_age)});
        writes.push_back({scheme + "access_pattern/age/max", most_of_int()});
        add_filters(writes, scheme, what, seat_of(what, seats));
        add_quotas(writes, scheme, what, options);
        writes.push_back({scheme + "stats/max_nr_snapshots", std::to_string(schemes[i].last)});
    }
    return writes;
}

std::vector<PageOut> seated(std::span<const PageOut> wanted, std::span<const Target> targets) {
    std::vector<PageOut> found;
    std::copy_if(wanted.begin(), wanted.end(), std::back_inserter(found), [&](const PageOut& what) {
        return std::any_of(targets.begin(), targets.end(),
                           [&](const Target& target) { return is_of(what, target); });
    });
    return found;
}

std::vector<Scheme> carry_on(std::span<const Scheme> held, std::span<const std::uint64_t> counts,
                             std::span<const PageOut> wanted, const Seats& seats) {
    const auto counted = [&](std::size_t index) {
        return index < counts.size() ? counts[index] : 0;
    };
    const auto holes = static_cast<std::uint64_t>(std::count_if(
        seats.begin(), seats.end(), [](const Target& seat) { return seat.key == kSentinel; }));
    const std::uint64_t targets = seats.size() - holes;
    std::vector<Scheme> schemes;
    for (const PageOut& what : wanted) {
        std::uint64_t left = what.rounds * std::max<std::uint64_t>(2 * targets, seats.size());
        for (std::size_t i = 0; i < held.size(); ++i) {
            if (is_same(held[i].what, what)) {
                left = held[i].last - std::min(held[i].last, counted(i));
            }
        }
        // 0 would mean that it never ends.
        const std::uint64_t last = std::max<std::uint64_t>(counted(schemes.size()) + left, 1);
        schemes.push_back({what, last});
    }
    return schemes;
}

} // namespace cgtide::damon
