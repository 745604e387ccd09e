#include "cgroup/parse/proc.hpp"

#include "tests/fuzz/check.hpp"

#include <string>

using cgtide::fuzz::check;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace cgtide::cgroup;
    const std::string_view text = cgtide::fuzz::as_text(data, size);

    if (const auto path = parse_pid_cgroup(text)) {
        check(path->starts_with('/') && path->find("/../") == std::string::npos);
        check(path->find('\n') == std::string::npos);
        const auto again = parse_pid_cgroup("0::" + *path + "\n");
        check(again && *again == *path);
    }
    // Whatever a process calls itself, its start time is found.
    const auto start = parse_start_time("42 (" + std::string(text) +
                                        ") S 1 42 42 0 -1 0 1 2 3 4 5 6 7 8 20 0 1 0 123 4096 1\n");
    check(start && *start == 123);
    (void)parse_start_time(text);

    if (const auto info = parse_meminfo(text)) {
        check(info->total.count % 1024 == 0 && info->swap_free.count % 1024 == 0);
    }
    if (const auto mount = parse_cgroup_mount(text); mount && *mount) {
        check((*mount)->path.size() <= size && (*mount)->root.size() <= size);
    }
    return 0;
}
