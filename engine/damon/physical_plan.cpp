#include "engine/damon/physical_plan.hpp"

#include <algorithm>
#include <limits>

namespace cgtide::damon {

namespace {

/// The last filters allow, so that what none is about is left out. Source:
/// Documentation/mm/damon/design.rst, "Filters".
std::vector<PageFilter> filters_of(const PageCount& count) {
    std::vector<PageFilter> filters;
    const bool is_anon = count.pages == PageClass::anon;
    filters.push_back({"anon", !is_anon, false});
    if (count.pages == PageClass::mapped_file || count.pages == PageClass::unmapped_file) {
        filters.push_back({"unmapped", count.pages == PageClass::mapped_file, false});
    }
    for (const Memcg& cgroup : count.cgroups) {
        filters.push_back({"memcg", true, true, cgroup.path});
    }
    return filters;
}

/// Enough regions that one has not much more than what one file or heap takes; four times as many
/// at most, for with half of the most DAMON stops splitting.
void add_region_counts(std::vector<Write>& writes, const PhysicalOptions& options) {
    constexpr std::uint64_t kMemoryOfARegion = 8U << 20U;
    constexpr std::uint64_t kFewest = 100;
    constexpr std::uint64_t kMost = 300;
    std::uint64_t bytes = 0;
    for (const Range& range : options.memory) {
        bytes += range.end - range.start;
    }
    const std::uint64_t min = std::clamp(bytes / kMemoryOfARegion, kFewest, kMost);
    const std::string folder = "contexts/0/monitoring_attrs/nr_regions/";
    writes.push_back({folder + "min", std::to_string(min)});
    writes.push_back({folder + "max", std::to_string(4 * min)});
}

void add_intervals(std::vector<Write>& writes, const PhysicalOptions& options, bool is_odd) {
    const std::string intervals = "contexts/0/monitoring_attrs/intervals/";
    writes.push_back({intervals + "sample_us", std::to_string(options.intervals.sample.count())});
    writes.push_back(
        {intervals + "aggr_us", std::to_string(options.intervals.aggregation.count())});
    // Physical memory has nothing to update, so that this attribute is free to differ.
    writes.push_back({intervals + "update_us", is_odd ? "61000000" : "60000000"});
}

Commit begin(const PhysicalOptions& options) {
    Commit change;
    change.seats.push_back(
        {.key = options.key, .pid = options.sentinel, .pid_start = 0, .ranges = options.memory});
    return change;
}

void add_target(std::vector<Write>& writes, const PhysicalOptions& options) {
    writes.push_back({"contexts/0/targets/nr_targets", "1"});
    writes.push_back({"contexts/0/targets/0/pid_target", std::to_string(options.sentinel)});
}

} // namespace

std::vector<Write> count_schemes(const PhysicalWatch& watch) {
    std::vector<Write> writes;
    const std::string all = "contexts/0/schemes/";
    const std::string most_int = std::to_string(std::numeric_limits<std::uint32_t>::max());
    const std::string most = std::to_string(std::numeric_limits<std::uint64_t>::max());
    writes.push_back({all + "nr_schemes", std::to_string(watch.counts.size())});
    for (std::size_t i = 0; i < watch.counts.size(); ++i) {
        const std::string scheme = all + std::to_string(i) + "/";
        writes.push_back({scheme + "action", "stat"});
        writes.push_back({scheme + "apply_interval_us", std::to_string(watch.period.count())});
        writes.push_back({scheme + "access_pattern/sz/max", most});
        writes.push_back({scheme + "access_pattern/nr_accesses/max", most_int});
        writes.push_back({scheme + "access_pattern/age/max", most_int});
        add_page_filters(writes, scheme, filters_of(watch.counts[i]));
    }
    return writes;
}

void add_page_filters(std::vector<Write>& writes, const std::string& scheme,
                      const std::vector<PageFilter>& filters) {
    const std::string folder = scheme + "ops_filters/";
    writes.push_back({folder + "nr_filters", std::to_string(filters.size())});
    for (std::size_t i = 0; i < filters.size(); ++i) {
        const std::string filter = folder + std::to_string(i) + "/";
        writes.push_back({filter + "type", filters[i].type});
        writes.push_back({filter + "matching", filters[i].matching ? "Y" : "N"});
        writes.push_back({filter + "allow", filters[i].allow ? "Y" : "N"});
        if (!filters[i].path.empty()) {
            writes.push_back({filter + "memcg_path", filters[i].path});
        }
    }
}

Commit plan_physical_start(const std::vector<Write>& schemes, const PhysicalOptions& options) {
    Commit change = begin(options);
    std::vector<Write>& writes = change.writes;
    writes = {{"contexts/nr_contexts", "1"}, {"contexts/0/operations", "paddr"}};
    add_intervals(writes, options, false);
    add_region_counts(writes, options);
    add_target(writes, options);
    const std::string regions = "contexts/0/targets/0/regions/";
    writes.push_back({regions + "nr_regions", std::to_string(options.memory.size())});
    for (std::size_t i = 0; i < options.memory.size(); ++i) {
        const std::string region = regions + std::to_string(i) + "/";
        writes.push_back({region + "start", std::to_string(options.memory[i].start)});
        writes.push_back({region + "end", std::to_string(options.memory[i].end)});
    }
    writes.insert(writes.end(), schemes.begin(), schemes.end());
    return change;
}

Commit plan_physical_change(const std::vector<Write>& schemes, const PhysicalOptions& options,
                            bool is_odd) {
    Commit change = begin(options);
    add_intervals(change.writes, options, is_odd);
    add_target(change.writes, options); // without regions, so that it keeps those that it has
    change.writes.insert(change.writes.end(), schemes.begin(), schemes.end());
    return change;
}

} // namespace cgtide::damon
