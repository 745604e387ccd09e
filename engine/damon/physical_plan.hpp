#pragma once

#include "cgroup/base/cgroup_id.hpp"
#include "engine/damon/plan.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace cgtide::damon {

/// Which of a cgroup's pages are counted. Memory that nobody maps is used by read(2) and write(2)
/// alone.
enum class PageClass : std::uint8_t { anon, file, mapped_file, unmapped_file };

/// A cgroup that pages are charged to. A filter of DAMON means this one, not those below it.
struct Memcg {
    CgroupId id;
    std::string path; ///< v2, as it was when `id` had it

    bool operator==(const Memcg&) const = default;
};

/// Pages of one container and class, to be counted in each region of physical memory.
struct PageCount {
    CgroupId container;
    PageClass pages = PageClass::file;
    std::vector<Memcg> cgroups; ///< at least one

    bool operator==(const PageCount&) const = default;
};

/// What the slot of physical memory does; it is off where nothing is to be counted.
struct PhysicalWatch {
    std::vector<PageCount> counts;
    Microseconds period{10'000'000}; ///< between two counts: each looks at all of the memory

    bool operator==(const PhysicalWatch&) const = default;
};

/// What plans of physical memory have in common.
struct PhysicalOptions {
    std::vector<Range> memory;
    int sentinel = 0;          ///< our own pid. DAMON does not look at it here; recover() does
    TargetKey key = kPhysical; ///< by which rounds are told; kSentinel: they are not
    Intervals intervals;
};

/// Schemes that take every region, do nothing, and count what their filters let pass.
std::vector<Write> count_schemes(const PhysicalWatch& watch);

/// A filter by which pages go: the first one that is about a page decides.
struct PageFilter {
    const char* type = "";
    bool matching = true; ///< whether it is about pages of this type, or all others
    bool allow = true;
    std::string path{}; ///< of a cgroup
};

/// Writes the filters of the scheme in this folder.
void add_page_filters(std::vector<Write>& writes, const std::string& scheme,
                      const std::vector<PageFilter>& filters);

/// The writes that make an idle slot's context with these schemes, so that `on` starts it.
Commit plan_physical_start(const std::vector<Write>& schemes, const PhysicalOptions& options);

/// The writes that take a running slot to these schemes, all anew. What is known of regions stays.
///
/// Counts added by a commit would come out of step with the others, and reading waits for the last
/// of them. A change of the attributes puts all in step: `is_odd` must differ from commit to
/// commit. Source: mm/damon/core.c, damon_set_attrs().
Commit plan_physical_change(const std::vector<Write>& schemes, const PhysicalOptions& options,
                            bool is_odd);

} // namespace cgtide::damon
