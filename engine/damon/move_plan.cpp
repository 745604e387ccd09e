#include "engine/damon/move_plan.hpp"

#include <algorithm>
#include <limits>
#include <string>

namespace cgtide::damon {

namespace {

constexpr std::uint64_t kMostAddress = std::numeric_limits<std::uint64_t>::max();

std::string most_of_int() {
    return std::to_string(std::numeric_limits<std::uint32_t>::max());
}

void add_pattern(std::vector<Write>& writes, const std::string& scheme, const PhysicalMove& what) {
    const std::string pattern = scheme + "access_pattern/";
    writes.push_back({pattern + "sz/min", "4096"});
    writes.push_back({pattern + "sz/max", std::to_string(kMostAddress)});
    writes.push_back({pattern + "nr_accesses/min", "0"});
    writes.push_back({pattern + "nr_accesses/max", what.idle_for ? "0" : most_of_int()});
    writes.push_back({pattern + "age/min", std::to_string(what.idle_for.value_or(0))});
    writes.push_back({pattern + "age/max", most_of_int()});
}

/// What lies between the ranges, before and behind them.
std::vector<Range> gaps(const std::vector<Range>& ranges) {
    std::vector<Range> found;
    std::uint64_t end = 0;
    for (const Range& range : ranges) {
        if (range.start > end) {
            found.push_back({end, range.start});
        }
        end = std::max(end, range.end);
    }
    if (end < kMostAddress) {
        found.push_back({end, kMostAddress});
    }
    return found;
}

/// Rejects what is outside of the ranges: a filter here that allowed what is inside would have no
/// page filter asked. The kernel cuts regions where a range begins and ends.
void add_addresses(std::vector<Write>& writes, const std::string& scheme,
                   const std::vector<Range>& from) {
    const std::string filters = scheme + "core_filters/";
    const auto outside = gaps(from);
    writes.push_back({filters + "nr_filters", std::to_string(outside.size())});
    for (std::size_t i = 0; i < outside.size(); ++i) {
        const std::string filter = filters + std::to_string(i) + "/";
        writes.push_back({filter + "type", "addr"});
        writes.push_back({filter + "addr_start", std::to_string(outside[i].start)});
        writes.push_back({filter + "addr_end", std::to_string(outside[i].end)});
        writes.push_back({filter + "matching", "Y"});
        writes.push_back({filter + "allow", "N"});
    }
}

/// To ask whether a page is young makes it old, for others that ask too, and costs a walk of who
/// maps it: pages of others are rejected before, where that can be said with one cgroup.
void add_filters(std::vector<Write>& writes, const std::string& scheme, const PhysicalMove& what) {
    const bool is_one = what.cgroups.size() == 1;
    std::vector<PageFilter> filters;
    if (is_one) {
        filters.push_back({"memcg", false, false, what.cgroups.front().path});
    }
    if (!what.with_unmapped) {
        filters.push_back({"unmapped", true, false});
    }
    filters.push_back({"young", !what.hot, false});
    if (!is_one) {
        for (const Memcg& cgroup : what.cgroups) {
            filters.push_back({"memcg", true, true, cgroup.path});
        }
    }
    add_page_filters(writes, scheme, filters);
}

void add_quotas(std::vector<Write>& writes, const std::string& scheme, const PhysicalMove& what) {
    constexpr const char* kWeeks = "2000000000"; // milliseconds, 23 days
    constexpr std::uint64_t kLeastDivisor = 1000;
    constexpr std::uint64_t kQuarter = 4;
    std::uint64_t walked = 0;
    for (const Range& range : what.from) {
        walked += range.end - range.start;
    }
    const std::uint64_t divisor =
        std::max(kLeastDivisor, kQuarter * (walked / std::max<std::uint64_t>(what.bytes, 1) + 1));
    const std::string quotas = scheme + "quotas/";
    writes.push_back({quotas + "bytes", std::to_string(what.bytes)});
    writes.push_back({quotas + "reset_interval_ms", kWeeks});
    writes.push_back({quotas + "fail_charge_num", "1"});
    writes.push_back({quotas + "fail_charge_denom", std::to_string(divisor)});
    // All weights stay 0: the kernel would choose the best regions before it asks whose pages they
    // have, and those of others might be better for ever.
}

/// All but what is done with the pages, and how often.
void add_choice(std::vector<Write>& writes, const std::string& scheme, const PhysicalMove& what) {
    add_pattern(writes, scheme, what);
    add_addresses(writes, scheme, what.from);
    add_filters(writes, scheme, what);
    writes.push_back({scheme + "stats/max_nr_snapshots", "1"});
}

/// Asking whether a page is young marks it as old.
void add_look(std::vector<Write>& writes, const std::string& scheme, const PhysicalMove& what) {
    writes.push_back({scheme + "action", "stat"});
    writes.push_back({scheme + "apply_interval_us", std::to_string(what.look_at.count())});
    add_choice(writes, scheme, what);
}

void add_move(std::vector<Write>& writes, const std::string& scheme, const PhysicalMove& what) {
    writes.push_back({scheme + "action", what.hot ? "migrate_hot" : "migrate_cold"});
    writes.push_back({scheme + "target_nid", std::to_string(what.to)});
    writes.push_back({scheme + "apply_interval_us", std::to_string(what.move_at.count())});
    add_choice(writes, scheme, what);
    add_quotas(writes, scheme, what);
}

} // namespace

std::vector<Write> move_schemes(std::span<const PhysicalMove> moves) {
    const std::string all = "contexts/0/schemes/";
    const std::size_t count = moves.empty() ? 0 : 1 + moves.size();
    // A write of the number empties the folders of all: it comes before the rest.
    std::vector<Write> writes{{all + "nr_schemes", std::to_string(count)}};
    if (!moves.empty()) {
        add_look(writes, all + "0/", moves.front());
    }
    for (std::size_t i = 0; i < moves.size(); ++i) {
        add_move(writes, all + std::to_string(1 + i) + "/", moves[i]);
    }
    return writes;
}

} // namespace cgtide::damon
