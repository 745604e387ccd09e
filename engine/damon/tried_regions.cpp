#include "engine/damon/tried_regions.hpp"

#include <optional>
#include <string>
#include <utility>

namespace cgtide::damon {

namespace {

constexpr std::string_view kOp = "read regions";

/// One region's folder; nullopt where there is none.
Result<std::optional<Region>> read_region(const Tree& tree, const std::string& folder) {
    const auto start = tree.number(folder + "start");
    if (!start && start.error().code == std::errc::no_such_file_or_directory) {
        return std::nullopt;
    }
    const auto end = tree.number(folder + "end");
    const auto accesses = tree.number(folder + "nr_accesses");
    const auto age = tree.number(folder + "age");
    for (const auto* number : {&start, &end, &accesses, &age}) {
        if (!*number) {
            return tl::unexpected(number->error());
        }
    }
    return Region{
        {*start, *end}, static_cast<std::uint32_t>(*accesses), static_cast<std::uint32_t>(*age)};
}

} // namespace

Result<TriedRegions> read_tried_regions(Tree& tree, std::size_t slot) {
    if (auto done = tree.write(slot_path(slot, "state"), "update_schemes_tried_regions"); !done) {
        return tl::unexpected(done.error());
    }
    TriedRegions tried{std::chrono::steady_clock::now(), {}};
    const std::string folder = slot_path(slot, "contexts/0/schemes/0/tried_regions/");
    for (;;) {
        const auto region = read_region(tree, folder + std::to_string(tried.regions.size()) + "/");
        if (!region) {
            return tl::unexpected(region.error());
        }
        if (!*region) {
            return tried;
        }
        tried.regions.push_back(**region);
    }
}

Result<std::vector<Round>> rounds_of(std::span<const Target> seats, const TriedRegions& tried) {
    std::vector<Round> rounds;
    auto region = tried.regions.begin();
    const Region* last = nullptr;
    const auto skip_repeated = [&](std::uint64_t next) {
        while (last != nullptr && region != tried.regions.end() && region->range.start != next &&
               region->range.start > last->range.start && region->range.end <= last->range.end &&
               region->range.start < region->range.end) {
            ++region;
        }
    };
    for (const Target& seat : seats) {
        Round round{seat.key, tried.at, {}};
        for (const Range& range : seat.ranges) {
            for (std::uint64_t at = range.start; at < range.end; ++region) {
                skip_repeated(at);
                if (region == tried.regions.end() || region->range.start != at ||
                    region->range.end <= at || region->range.end > range.end) {
                    return fail(Errc::malformed, kOp,
                                "they are not those of the targets that were set");
                }
                round.regions.push_back(*region);
                last = &*region;
                at = region->range.end;
            }
        }
        if (seat.key != kSentinel) {
            rounds.push_back(std::move(round));
        }
    }
    skip_repeated(0);
    if (region != tried.regions.end()) {
        return fail(Errc::malformed, kOp, "there are more than were set");
    }
    return rounds;
}

} // namespace cgtide::damon
