#include "cgroup/parse/flat.hpp"

#include "cgroup/parse/fields.hpp"

#include <climits>

namespace cgtide::cgroup {

namespace {

struct RawCgroupEvents {
    std::uint64_t populated = 0;
    std::uint64_t frozen = 0;
};

constexpr std::array<Key<MemoryEvents>, 5> kMemoryEvents{{{"low", &MemoryEvents::low},
                                                          {"high", &MemoryEvents::high},
                                                          {"max", &MemoryEvents::max},
                                                          {"oom", &MemoryEvents::oom},
                                                          {"oom_kill", &MemoryEvents::oom_kill}}};
constexpr std::array<Key<RawCgroupEvents>, 2> kCgroupEvents{
    {{"populated", &RawCgroupEvents::populated}, {"frozen", &RawCgroupEvents::frozen}}};
constexpr std::array<Key<CgroupStat>, 2> kCgroupStat{
    {{"nr_descendants", &CgroupStat::nr_descendants},
     {"nr_dying_descendants", &CgroupStat::nr_dying_descendants}}};

} // namespace

Result<Bytes> parse_amount(std::string_view text) {
    const std::string_view whole = text;
    if (text.ends_with('\n')) {
        text.remove_suffix(1);
    }
    if (text == "max") {
        return Bytes{Bytes::kUnlimited};
    }
    const auto number = to_u64(text);
    if (!number) {
        return malformed("amount", whole);
    }
    return Bytes{*number};
}

Result<MemoryEvents> parse_memory_events(std::string_view text) {
    return parse_flat(text, "memory.events", kMemoryEvents);
}

Result<CgroupEvents> parse_cgroup_events(std::string_view text) {
    const auto raw = parse_flat(text, "cgroup.events", kCgroupEvents);
    if (!raw) {
        return tl::unexpected(raw.error());
    }
    if (raw->populated > 1 || raw->frozen > 1) {
        return fail(Errc::malformed, "cgroup.events", "a flag is neither 0 nor 1");
    }
    return CgroupEvents{raw->populated == 1, raw->frozen == 1};
}

Result<CgroupStat> parse_cgroup_stat(std::string_view text) {
    return parse_flat(text, "cgroup.stat", kCgroupStat);
}

Result<std::vector<int>> parse_pids(std::string_view text) {
    std::vector<int> pids;
    while (const auto line = next_line(text)) {
        const auto number = to_u64(*line);
        if (!number || *number == 0 || *number > INT_MAX) {
            return malformed("cgroup.procs", *line);
        }
        pids.push_back(static_cast<int>(*number));
    }
    return pids;
}

} // namespace cgtide::cgroup
