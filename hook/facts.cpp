#include "hook/facts.hpp"

#include "cgroup/base/text.hpp"
#include "cgroup/parse/proc.hpp"
#include "cgroup/shared.hpp"
#include "hook/input.hpp"

#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>

namespace cgtide::hook {

namespace {

/// A parser's error with the file that it read.
template <class T>
Result<T> in_file(Result<T> parsed, const std::string& path) {
    if (!parsed) {
        parsed.error().detail = path + ": " + parsed.error().detail;
    }
    return parsed;
}

/// A file of the container's process: where it is missing, the process is.
Result<std::string> read_process(const std::string& path, int pid) {
    auto text = read_proc(path);
    if (!text && is_gone(text.error())) {
        return fail(Errc::gone, "pid", std::to_string(pid) + " (no " + path + ")");
    }
    return text;
}

Result<std::string> cgroup_of(Result<std::string> text, const std::string& path) {
    if (!text) {
        return text;
    }
    return in_file(cgroup::parse_pid_cgroup(*text), path);
}

Result<CgroupId> group_id(const std::string& directory) {
    struct stat info {};
    if (::fstatat(AT_FDCWD, directory.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
        return fail_errno(errno, "cgroup", printable(directory, 1024));
    }
    if (!S_ISDIR(info.st_mode)) {
        return fail_errno(ENOTDIR, "cgroup", printable(directory, 1024));
    }
    return CgroupId{info.st_ino};
}

} // namespace

Result<Facts> look_up(const std::string& root, int pid) {
    const std::string process = root + "proc/" + std::to_string(pid);
    const std::string own_file = root + "proc/self/cgroup";
    Facts facts;
    auto path = cgroup_of(read_process(process + "/cgroup", pid), process + "/cgroup");
    if (!path) {
        return tl::unexpected(path.error());
    }
    facts.cgroup_path = std::move(*path);
    const auto own = cgroup_of(read_proc(own_file), own_file);
    if (!own) {
        return tl::unexpected(own.error());
    }
    cgroup::SharedQuery query;
    query.path = facts.cgroup_path;
    query.hook_path = *own;
    if (auto reason = cgroup::shared_reason(query)) {
        return fail(Errc::conflict, "shared-cgroup", std::move(*reason));
    }
    const auto id = group_id(root + "sys/fs/cgroup" + facts.cgroup_path);
    if (!id) {
        return tl::unexpected(id.error());
    }
    facts.cgroup = *id;
    const auto stat = read_process(process + "/stat", pid);
    if (!stat) {
        return tl::unexpected(stat.error());
    }
    const auto start = in_file(cgroup::parse_start_time(*stat), process + "/stat");
    if (!start) {
        return tl::unexpected(start.error());
    }
    facts.pid_start = *start;
    const auto boot_id = read_proc(root + "proc/sys/kernel/random/boot_id");
    if (!boot_id) {
        return tl::unexpected(boot_id.error());
    }
    facts.boot_id = boot_id->substr(0, boot_id->find('\n'));
    return facts;
}

} // namespace cgtide::hook
