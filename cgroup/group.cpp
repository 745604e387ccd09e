#include "cgroup/group.hpp"

#include <fcntl.h>

namespace cgtide::cgroup {

namespace {

struct FileInfo {
    const char* name;
    bool kept; ///< read each period: a kept descriptor is worth its place in the table
};

constexpr std::array<FileInfo, kFiles> kTable{{{"memory.current", true},
                                               {"memory.stat", true},
                                               {"memory.events", true},
                                               {"memory.swap.current", true},
                                               {"memory.swap.max", true},
                                               {"memory.pressure", true},
                                               {"io.pressure", true},
                                               {"memory.min", true},
                                               {"memory.low", true},
                                               {"memory.high", false},
                                               {"memory.max", false},
                                               {"memory.numa_stat", false},
                                               {"cgroup.events", false},
                                               {"cgroup.stat", false},
                                               {"cgroup.procs", false}}};

const FileInfo& info(File file) {
    return kTable[static_cast<std::size_t>(file)];
}

/// One buffer a thread: a thousand groups with one each would cost 8 MiB.
std::string& scratch() {
    thread_local std::string buffer;
    return buffer;
}

bool is_missing(const Error& error) {
    return is_gone(error) || error.code == std::errc::operation_not_supported;
}

} // namespace

const char* file_name(File file) {
    return info(file).name;
}

Result<Group> Group::open(Dir dir) {
    const auto id = dir.id();
    if (!id) {
        return tl::unexpected(id.error());
    }
    return Group(std::move(dir), *id);
}

Result<std::string_view> Group::text(File file) {
    const auto index = static_cast<std::size_t>(file);
    const auto [name, kept] = info(file);
    if (unsupported_.test(index)) {
        return fail(Errc::unsupported, "read", name);
    }
    std::string& buffer = scratch();
    if (!kept) {
        auto text = dir_.read(name);
        if (!text) {
            return is_missing(text.error()) ? lacking(file, text.error())
                                            : tl::unexpected(text.error());
        }
        ++reads_;
        buffer = std::move(*text);
        return std::string_view(buffer);
    }
    UniqueFd& fd = kept_[index];
    if (!fd) {
        auto opened = dir_.file(name, O_RDONLY);
        if (!opened) {
            return is_missing(opened.error()) ? lacking(file, opened.error())
                                              : tl::unexpected(opened.error());
        }
        fd = std::move(*opened);
    }
    ++reads_;
    if (const auto done = read_again(fd.get(), buffer, name); !done) {
        return is_missing(done.error()) ? lacking(file, done.error())
                                        : tl::unexpected(done.error());
    }
    return std::string_view(buffer);
}

// A removed cgroup and a kernel without the file look the same to open(2), and a PSI file that
// cgroup.pressure hides reads like one of a removed cgroup. Every living cgroup has cgroup.procs.
Result<std::string_view> Group::lacking(File file, const Error& error) {
    const auto index = static_cast<std::size_t>(file);
    kept_[index].reset();
    const auto alive = dir_.file(file_name(File::cgroup_procs), O_PATH);
    if (!alive && is_gone(alive.error())) {
        return fail(Errc::gone, error.op, file_name(file));
    }
    if (!alive || file == File::cgroup_procs) {
        return tl::unexpected(alive ? error : alive.error());
    }
    unsupported_.set(index);
    return fail(Errc::unsupported, error.op, file_name(file));
}

Result<Bytes> read_amount(Group& group, File file) {
    return group.text(file).and_then(parse_amount);
}

Result<Pressure> read_pressure(Group& group, File file) {
    return group.text(file).and_then(parse_pressure);
}

Result<MemoryStat> read_memory_stat(Group& group) {
    return group.text(File::memory_stat).and_then(parse_memory_stat);
}

Result<MemoryEvents> read_memory_events(Group& group) {
    return group.text(File::memory_events).and_then(parse_memory_events);
}

Result<std::map<unsigned, NodeBytes>> read_numa_stat(Group& group) {
    return group.text(File::memory_numa_stat).and_then(parse_numa_stat);
}

Result<CgroupEvents> read_cgroup_events(Group& group) {
    return group.text(File::cgroup_events).and_then(parse_cgroup_events);
}

Result<CgroupStat> read_cgroup_stat(Group& group) {
    return group.text(File::cgroup_stat).and_then(parse_cgroup_stat);
}

Result<std::vector<int>> read_pids(Group& group) {
    return group.text(File::cgroup_procs).and_then(parse_pids);
}

} // namespace cgtide::cgroup
