#pragma once

#include "cgroup/base/dir.hpp"
#include "cgroup/parse/flat.hpp"
#include "cgroup/parse/memory_stat.hpp"
#include "cgroup/parse/pressure.hpp"

#include <array>
#include <bitset>
#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

namespace cgtide::cgroup {

/// The files of a cgroup that cgtide reads.
enum class File : std::uint8_t {
    memory_current,
    memory_stat,
    memory_events,
    memory_swap_current,
    memory_swap_max,
    memory_pressure,
    io_pressure,
    memory_min,
    memory_low,
    memory_high,
    memory_max,
    memory_numa_stat,
    cgroup_events,
    cgroup_stat,
    cgroup_procs,
};
inline constexpr std::size_t kFiles = 15;

/// The name of a file below its cgroup: `memory.current`.
const char* file_name(File file);

/// One cgroup held open: its directory, and a descriptor for each file that is read once a period,
/// opened on first use. The held directory names this cgroup for ever: one that is made later under
/// the same path is another.
class Group {
public:
    /// Takes a directory from open_group().
    static Result<Group> open(Dir dir);

    CgroupId id() const noexcept { return id_; }
    const Dir& dir() const noexcept { return dir_; }

    /// The text of a file, valid until this thread reads the next one of any group. Does not block.
    /// About 1 us for one number through a kept descriptor, 9 us without, 20 to 40 us for
    /// memory.stat and memory.numa_stat.
    ///
    /// \returns `gone` where the cgroup was removed; `unsupported` where it lives and the kernel
    /// has
    ///          no such file (PSI off, no swap accounting), which is found out once and remembered.
    Result<std::string_view> text(File file);

    /// How many times a file was read, for the bench of an idle engine.
    std::uint64_t reads() const noexcept { return reads_; }

private:
    Group(Dir dir, CgroupId id) : dir_(std::move(dir)), id_(id) {}

    Result<std::string_view> lacking(File file, const Error& error);

    Dir dir_;
    CgroupId id_;
    std::array<UniqueFd, kFiles> kept_;
    std::bitset<kFiles> unsupported_;
    std::uint64_t reads_ = 0;
};

// Readers of one file each. Errors are those of Group::text() and of the parser.

/// memory.current, memory.swap.current, memory.swap.max, memory.min, .low, .high or .max, in bytes.
Result<Bytes> read_amount(Group& group, File file);
/// memory.pressure or io.pressure.
Result<Pressure> read_pressure(Group& group, File file);
Result<MemoryStat> read_memory_stat(Group& group);
Result<MemoryEvents> read_memory_events(Group& group);
/// Anonymous and file bytes by NUMA node; `unsupported` without CONFIG_NUMA.
Result<std::map<unsigned, NodeBytes>> read_numa_stat(Group& group);
Result<CgroupEvents> read_cgroup_events(Group& group);
Result<CgroupStat> read_cgroup_stat(Group& group);
/// The processes of this cgroup alone, without those below it.
Result<std::vector<int>> read_pids(Group& group);

} // namespace cgtide::cgroup
