#include "cgroup/membership.hpp"

#include "cgroup/base/text.hpp"
#include "cgroup/parse/proc.hpp"

namespace cgtide::cgroup {

namespace {

Result<std::string> process_file(const Dir& proc, int pid, const char* name) {
    const std::string number = std::to_string(pid);
    auto text = proc.read(number + "/" + name);
    if (!text && is_gone(text.error())) {
        return fail(Errc::gone, "process", number);
    }
    return text;
}

} // namespace

Result<std::string> pid_cgroup(const Dir& proc, int pid) {
    return process_file(proc, pid, "cgroup").and_then([](const std::string& text) {
        return parse_pid_cgroup(text);
    });
}

Result<std::uint64_t> pid_start_time(const Dir& proc, int pid) {
    return process_file(proc, pid, "stat").and_then([](const std::string& text) {
        return parse_start_time(text);
    });
}

bool is_at_or_below(std::string_view path, std::string_view ancestor) {
    if (ancestor == "/") {
        return path.starts_with('/');
    }
    return path.starts_with(ancestor) &&
           (path.size() == ancestor.size() || path[ancestor.size()] == '/');
}

Result<Dir> open_group(const Dir& root, std::string_view path) {
    constexpr std::string_view kOp = "open cgroup";
    if (!path.starts_with('/')) {
        return fail(Errc::malformed, kOp, printable(path) + " does not begin with '/'");
    }
    const std::string_view below = path.substr(1);
    if (!below.empty()) {
        for (const std::string_view part : split(below, '/')) {
            if (part.empty() || part == "." || part == ".." || part.find('\0') != part.npos) {
                return fail(Errc::malformed, kOp, printable(path) + " is no path of a cgroup");
            }
        }
    }
    auto dir = root.sub(std::string(below));
    if (!dir && is_gone(dir.error())) {
        return fail(Errc::gone, kOp, printable(path));
    }
    return dir;
}

Result<void> verify_member(const Dir& proc, int pid, std::uint64_t start, std::string_view path) {
    constexpr std::string_view kOp = "process";
    const auto now = pid_start_time(proc, pid);
    if (!now) {
        return tl::unexpected(now.error());
    }
    if (*now != start) {
        return fail(Errc::gone, kOp, std::to_string(pid) + " ended and its number was reused");
    }
    const auto group = pid_cgroup(proc, pid);
    if (!group) {
        return tl::unexpected(group.error());
    }
    if (!is_at_or_below(*group, path)) {
        return fail(Errc::conflict, kOp,
                    std::to_string(pid) + " is in " + printable(*group) + ", not in " +
                        printable(path));
    }
    return {};
}

} // namespace cgtide::cgroup
