#pragma once

#include "engine/damon/tree.hpp"

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace cgtide::damon {

/// What DAMON offers on this kernel, as its own files tell.
struct Support {
    bool vaddr = false;  ///< operations: address spaces of processes, their ranges found by DAMON
    bool fvaddr = false; ///< operations: given ranges of address spaces
    bool paddr = false;  ///< operations: physical memory
    bool obsolete_target = false;  ///< a target in the middle can be removed
    bool probes = false;           ///< counts of page types by region
    bool goal_tuner = false;       ///< quota goals with a choice of tuner
    bool fail_charge = false;      ///< bytes that failed can be charged to a quota in part
    bool max_nr_snapshots = false; ///< schemes that end by themselves
    bool dests = false;            ///< migration to several nodes
    bool tried_regions = false;    ///< regions can be read without a tracepoint
    bool passed_bytes = false;     ///< ... and how much of each a filter lets pass
    bool unmapped = false;         ///< filters for pages that nobody maps

    bool operator==(const Support&) const = default;
};

/// Reads what a slot offers. The slot must be idle and the caller's own: it gets a context with one
/// target and one scheme for as long as that takes, and nothing afterwards.
Result<Support> probe_support(Tree& tree, std::size_t slot);

/// A user of DAMON inside the kernel. While one runs nobody else can.
struct Module {
    std::string_view name;
    bool enabled = false;

    bool operator==(const Module&) const = default;
};

inline constexpr std::array<std::string_view, 3> kModules{"damon_stat", "damon_reclaim",
                                                          "damon_lru_sort"};

/// The modules that this kernel has. `files` are those below `/sys/module`.
std::vector<Module> read_modules(const Files& files);

/// Starts or stops a module. \returns the kernel's error: EBUSY where somebody else uses DAMON.
/// Blocks until its worker thread has started or ended.
Result<void> set_module(Files& files, std::string_view name, bool enabled);

} // namespace cgtide::damon
