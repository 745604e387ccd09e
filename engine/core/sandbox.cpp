#include "engine/core/sandbox.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <memory>

#include <seccomp.h>
#include <sys/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

namespace cgtide::core {

namespace {

/// An allowed call whose argument is checked as well.
struct ArgumentRule {
    const char* call;
    scmp_arg_cmp compare;
};

/// A capability that is kept, and what its lack costs.
struct Kept {
    cap_value_t capability;
    const char* name;
    const char* without;
};

constexpr std::array<Kept, 3> kKept{
    {{CAP_DAC_OVERRIDE, "CAP_DAC_OVERRIDE",
      "a delegated cgroup's memory.reclaim cannot be written"},
     {CAP_SYS_PTRACE, "CAP_SYS_PTRACE",
      "processes of other users are not watched: their idle age is unknown"},
     {CAP_SYS_NICE, "CAP_SYS_NICE",
      "memory that is proven idle leaves by memory.reclaim, not by address"}}};

using Filter = std::unique_ptr<void, decltype(&seccomp_release)>;

Result<void> add_rule(const Filter& filter, const char* name, const scmp_arg_cmp* compare) {
    const int call = seccomp_syscall_resolve_name(name);
    if (call == __NR_SCMP_ERROR) {
        return {}; // unknown to this libseccomp: then this program cannot make it either
    }
    const int error = compare == nullptr
                          ? seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, call, 0)
                          : seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, call, 1, *compare);
    if (error != 0 && error != -EEXIST) {
        return fail_errno(-error, "seccomp rule", name);
    }
    return {};
}

} // namespace

Result<std::vector<Privilege>> drop_privileges() {
    const std::unique_ptr<void, int (*)(void*)> now(cap_get_proc(), cap_free);
    const std::unique_ptr<void, int (*)(void*)> less(cap_init(), cap_free);
    if (!now || !less) {
        return fail_errno(errno, "capabilities", "read");
    }
    const auto kept = static_cast<cap_t>(less.get());
    std::vector<Privilege> privileges;
    for (const Kept& row : kKept) {
        cap_flag_value_t has = CAP_CLEAR;
        if (cap_get_flag(static_cast<cap_t>(now.get()), row.capability, CAP_PERMITTED, &has) != 0 ||
            cap_set_flag(kept, CAP_PERMITTED, 1, &row.capability, has) != 0 ||
            cap_set_flag(kept, CAP_EFFECTIVE, 1, &row.capability, has) != 0) {
            return fail_errno(errno, "capabilities", row.name);
        }
        privileges.push_back({row.name, has == CAP_SET, row.without});
    }
    for (cap_value_t bound = 0; bound <= CAP_LAST_CAP; ++bound) {
        // Fails for capabilities that this kernel does not know and without CAP_SETPCAP; the
        // permitted set below is what counts.
        if (std::none_of(kKept.begin(), kKept.end(),
                         [&](const Kept& row) { return row.capability == bound; })) {
            ::prctl(PR_CAPBSET_DROP, bound, 0, 0, 0);
        }
    }
    if (cap_set_proc(kept) != 0) {
        return fail_errno(errno, "capabilities", "set");
    }
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return fail_errno(errno, "no_new_privs", "");
    }
    return privileges;
}

const std::vector<std::string>& allowed_system_calls() {
    static const std::vector<std::string> calls{
        // memory and threads
        "brk", "munmap", "mremap", "madvise", "futex", "futex_waitv", "set_robust_list", "rseq",
        "clone", "clone3", "exit", "exit_group", "sched_yield", "sched_getaffinity", "gettid",
        "getpid", "pidfd_open", "kcmp", "restart_syscall", "membarrier", "getrandom",
        // time and signals
        "clock_gettime", "clock_nanosleep", "nanosleep", "gettimeofday", "timer_create",
        "timer_settime", "timer_delete", "timerfd_create", "timerfd_settime", "rt_sigaction",
        "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "tgkill",
        // files below held descriptors
        "openat2", "openat", "read", "write", "readv", "writev", "pread64", "pwrite64", "close",
        "fstat", "newfstatat", "statx", "lseek", "getdents64", "mkdirat", "mkdir", "rmdir",
        "renameat", "renameat2", "unlinkat", "unlink", "fcntl", "dup", "dup2", "readlink", "access",
        "faccessat2", "ftruncate", "chmod", "fchmod", "fchmodat", "chown", "fchown", "fchownat",
        "umask",
        // waiting
        "epoll_wait", "epoll_pwait", "epoll_ctl", "poll", "ppoll", "eventfd2", "pipe2",
        "inotify_add_watch", "inotify_rm_watch",
        // the socket, once made: see the argument rules for making one
        "accept", "accept4", "bind", "listen", "connect", "getsockopt", "setsockopt", "getsockname",
        "getpeername", "recvmsg", "recvfrom", "sendmsg", "sendto", "shutdown", "ioctl", "getuid",
        "geteuid", "getgid", "getegid", "prlimit64", "sysinfo", "uname"};
    return calls;
}

Result<void> enter_sandbox(bool log_only) {
    const std::uint32_t otherwise =
        log_only ? static_cast<std::uint32_t>(SCMP_ACT_LOG) : SCMP_ACT_ERRNO(EPERM);
    const Filter filter(seccomp_init(otherwise), seccomp_release);
    if (!filter) {
        return fail(Errc::unsupported, "seccomp", "init");
    }
    for (const auto& [attribute, value] :
         {std::pair{SCMP_FLTATR_CTL_TSYNC, 1U}, {SCMP_FLTATR_CTL_LOG, 1U}}) {
        if (const int error = seccomp_attr_set(filter.get(), attribute, value); error != 0) {
            return fail_errno(-error, "seccomp", "attribute");
        }
    }
    for (const std::string& call : allowed_system_calls()) {
        if (auto done = add_rule(filter, call.c_str(), nullptr); !done) {
            return done;
        }
    }
    // No memory is made executable, no socket but local ones, no advice but to page out, no page
    // moved that several processes map, no signal.
    constexpr std::uint64_t kButOwn = ~std::uint64_t{2}; // MPOL_MF_MOVE
    const std::array<ArgumentRule, 6> rules{{
        {"mmap", {2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0}},
        {"mprotect", {2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0}},
        {"socket", {0, SCMP_CMP_EQ, AF_UNIX, 0}},
        {"process_madvise", {3, SCMP_CMP_EQ, MADV_PAGEOUT, 0}},
        {"move_pages", {5, SCMP_CMP_MASKED_EQ, kButOwn, 0}},
        {"pidfd_send_signal", {1, SCMP_CMP_EQ, 0, 0}},
    }};
    for (const ArgumentRule& rule : rules) {
        if (auto done = add_rule(filter, rule.call, &rule.compare); !done) {
            return done;
        }
    }
    if (const int error = seccomp_load(filter.get()); error != 0) {
        return fail_errno(-error, "seccomp", "load");
    }
    return {};
}

} // namespace cgtide::core
