#pragma once

#include "cgroup/pagemap.hpp"
#include "engine/model/cold_range.hpp"
#include "engine/model/policy.hpp"

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace cgtide::act {

/// Where a container's address spaces are found.
struct PageoutSite {
    const Dir& group;      ///< its cgroup
    const Dir& proc;       ///< procfs
    std::string_view path; ///< v2 path of the cgroup: processes that have left it are left alone
};

/// An address space, held: neither number nor memory can become another's.
struct HeldSpace {
    UniqueFd process; ///< a pidfd
    cgroup::Pagemap pages;
};

/// Holds the address space of a process. \returns `gone` for one that has ended or is another by
/// now, `conflict` for one that has left the cgroup; EACCES without CAP_SYS_PTRACE.
Result<HeldSpace> hold(const PageoutSite& site, const model::ColdSpace& space);

/// A cold range and whose it is.
struct ColdPiece {
    std::size_t space = 0; ///< index
    model::ColdRange range;
};

/// All ranges, those idle longest first.
std::vector<ColdPiece> by_age(std::span<const model::ColdSpace> spaces);

/// Whether such pages are among those that should leave.
bool is_wanted(cgroup::PageKind kind, model::Pages pages);

} // namespace cgtide::act
