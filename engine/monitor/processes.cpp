#include "engine/monitor/processes.hpp"

#include "cgroup/membership.hpp"
#include "cgroup/parse/proc.hpp"

#include <algorithm>
#include <string_view>

#include <linux/kcmp.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace cgtide::monitor {

namespace {

using cgroup::Mapping;

bool goes_on(const Mapping& before, const Mapping& after) {
    return before.end == after.start && before.inode == after.inode &&
           before.device == after.device &&
           (before.inode == 0 || before.offset + (before.end - before.start) == after.offset);
}

/// Those that can hold charged memory, joined, and without names, which point into the text.
std::vector<Mapping> charged_mappings(const std::vector<Mapping>& all) {
    std::vector<Mapping> kept;
    for (const Mapping& mapping : all) {
        if (!holds_charged_memory(mapping)) {
            continue;
        }
        if (!kept.empty() && goes_on(kept.back(), mapping)) {
            kept.back().end = mapping.end;
            continue;
        }
        kept.push_back(mapping);
        kept.back().name = {};
    }
    return kept;
}

std::uint64_t end_of_stack(const std::vector<Mapping>& all) {
    const auto stack = std::find_if(
        all.rbegin(), all.rend(), [](const Mapping& mapping) { return mapping.name == "[stack]"; });
    return stack == all.rend() ? 0 : stack->end;
}

std::string file_of(int pid, std::string_view name) {
    return std::to_string(pid) + "/" + std::string(name);
}

} // namespace

Processes::Processes(const Dir& proc, ProcessOptions options) : proc_(proc), options_(options) {}

std::vector<Processes::Sign> Processes::signs_of(const cgroup::Subtree& subtree) const {
    std::vector<Sign> signs;
    for (const cgroup::SubtreeNode& node : subtree.nodes) {
        for (const int pid : node.pids) {
            const auto resident = proc_.read(file_of(pid, "statm")).and_then(cgroup::parse_statm);
            if (!resident || resident->size == 0) {
                continue;
            }
            const auto stat = proc_.read(file_of(pid, "stat")).and_then(cgroup::parse_pid_stat);
            if (stat) {
                signs.push_back(
                    {pid, stat->start, stat->faults, resident->size, resident->resident});
            }
        }
    }
    return signs;
}

std::vector<Processes::Candidate> Processes::candidates() const {
    std::vector<Candidate> found;
    for (const Sign& sign : signs_) {
        const bool known = std::any_of(spaces_.begin(), spaces_.end(),
                                       [&](const Space& space) { return space.pid == sign.pid; });
        // What is watched stays so until another is twice as large: its ages are known.
        found.push_back({sign.pid, sign.resident * (known ? 2 : 1)});
    }
    std::sort(found.begin(), found.end(), [](const Candidate& a, const Candidate& b) {
        return a.weight != b.weight ? a.weight > b.weight : a.pid < b.pid;
    });
    return found;
}

Result<Space> Processes::look(int pid) const {
    const auto start = cgroup::pid_start_time(proc_, pid);
    if (!start) {
        return tl::unexpected(start.error());
    }
    const auto text = proc_.read(file_of(pid, "maps"), options_.max_maps_bytes);
    if (!text) {
        return tl::unexpected(text.error());
    }
    const auto all = cgroup::parse_maps(*text);
    if (!all) {
        return tl::unexpected(all.error());
    }
    Space space;
    space.pid = pid;
    space.pid_start = *start;
    space.stack_end = end_of_stack(*all);
    space.mappings = charged_mappings(*all);
    return space;
}

Result<void> Processes::scan(Space& space, bool has_relatives) const {
    // Opened for each scan: a kept descriptor would go on to name the mm before an execve().
    auto pagemap = cgroup::Pagemap::open(proc_, space.pid);
    if (!pagemap) {
        return tl::unexpected(pagemap.error());
    }
    cgroup::PagemapOptions options = options_.pagemap;
    options.tell_shared_anon = has_relatives;
    for (const Mapping& mapping : space.mappings) {
        const auto whole = pagemap->scan(mapping.start, mapping.end, options, space.present);
        if (!whole) {
            return tl::unexpected(whole.error());
        }
        if (!*whole) {
            break;
        }
    }
    const auto start = cgroup::pid_start_time(proc_, space.pid);
    if (!start || *start != space.pid_start) {
        return fail(Errc::gone, "process", std::to_string(space.pid));
    }
    return {};
}

bool Processes::same_mm(const Space& a, const Space& b) const {
    if (a.stack_end != b.stack_end) {
        return false;
    }
    const long order =
        options_.use_kcmp ? ::syscall(SYS_kcmp, a.pid, b.pid, KCMP_VM, 0UL, 0UL) : -1;
    // Without kcmp(2) a forked child that has changed no mapping counts as its parent's mm, too.
    return order < 0 ? a.mappings == b.mappings : order == 0;
}

void Processes::carry_over(Space& space, damon::TargetKey& last_key) {
    auto wanted = ranges_of(space.present, options_.ranges);
    const auto before = std::find_if(spaces_.begin(), spaces_.end(), [&](const Space& old) {
        return old.pid == space.pid && old.pid_start == space.pid_start &&
               old.stack_end == space.stack_end;
    });
    if (before == spaces_.end()) {
        space.key = ++last_key;
        space.ranges = std::move(wanted);
        return;
    }
    space.key = before->key;
    space.came = newly_present(before->present, space.present);
    space.ranges = still_fit(before->ranges, wanted, space.present) ? std::move(before->ranges)
                                                                    : std::move(wanted);
}

void Processes::refresh(const cgroup::Subtree& subtree, damon::TargetKey& last_key) {
    // Before the look, so that what changes meanwhile shows at the next one.
    auto signs = signs_of(subtree);
    if (signs == signs_ && unchanged_ < options_.max_unchanged) {
        ++unchanged_;
        for (Space& space : spaces_) {
            space.came.clear();
        }
        return;
    }
    const bool first = signs_.empty();
    signs_ = std::move(signs);
    look_at_all(last_key);
    // Containers that came at once are not all looked at at once ever after.
    unchanged_ = first ? static_cast<std::uint32_t>(last_key % (options_.max_unchanged + 1)) : 0;
}

void Processes::look_at_all(damon::TargetKey& last_key) {
    std::vector<Space> found;
    std::uint32_t unwatched = 0;
    const auto note = [&](const Error& error) {
        unwatched += is_gone(error) ? 0 : 1;
    };
    for (const Candidate& candidate : candidates()) {
        if (found.size() >= options_.max_processes) {
            ++unwatched;
            continue;
        }
        auto space = look(candidate.pid);
        if (!space) {
            note(space.error());
            continue;
        }
        const bool shared = std::any_of(found.begin(), found.end(),
                                        [&](const Space& other) { return same_mm(other, *space); });
        if (!shared && !space->mappings.empty()) {
            found.push_back(std::move(*space));
        }
    }
    std::vector<Space> watched;
    for (Space& space : found) {
        const auto relatives = std::count_if(found.begin(), found.end(), [&](const Space& other) {
            return other.stack_end == space.stack_end;
        });
        if (const auto done = scan(space, relatives > 1); !done) {
            note(done.error());
            continue;
        }
        if (!space.present.empty()) {
            carry_over(space, last_key);
            watched.push_back(std::move(space));
        }
    }
    std::sort(watched.begin(), watched.end(),
              [](const Space& a, const Space& b) { return a.key < b.key; });
    spaces_ = std::move(watched);
    unwatched_ = unwatched;
}

} // namespace cgtide::monitor
