#include "engine/core/sandbox.hpp"

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

Result<void> drop_privileges() {
    constexpr std::array<cap_value_t, 1> kKept{CAP_DAC_OVERRIDE};
    const std::unique_ptr<void, int (*)(void*)> now(cap_get_proc(), cap_free);
    cap_flag_value_t has = CAP_CLEAR;
    if (!now || cap_get_flag(static_cast<cap_t>(now.get()), kKept[0], CAP_PERMITTED, &has) != 0) {
        return fail_errno(errno, "capabilities", "read");
    }
    for (cap_value_t bound = 0; bound <= CAP_LAST_CAP; ++bound) {
        // Fails for capabilities that this kernel does not know and without CAP_SETPCAP; the
        // permitted set below is what counts.
        if (bound != kKept[0]) {
            ::prctl(PR_CAPBSET_DROP, bound, 0, 0, 0);
        }
    }
    const std::unique_ptr<void, int (*)(void*)> less(cap_init(), cap_free);
    const auto caps = static_cast<cap_t>(less.get());
    if (!less || cap_set_flag(caps, CAP_PERMITTED, 1, kKept.data(), has) != 0 ||
        cap_set_flag(caps, CAP_EFFECTIVE, 1, kKept.data(), has) != 0 || cap_set_proc(caps) != 0) {
        return fail_errno(errno, "capabilities", "set");
    }
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return fail_errno(errno, "no_new_privs", "");
    }
    if (has == CAP_CLEAR) {
        return fail(
            Errc::denied, "capabilities",
            "CAP_DAC_OVERRIDE is missing: memory.reclaim of a delegated cgroup cannot be written");
    }
    return {};
}

const std::vector<std::string>& allowed_system_calls() {
    static const std::vector<std::string> calls{
        // memory and threads
        "brk", "munmap", "mremap", "madvise", "futex", "futex_waitv", "set_robust_list", "rseq",
        "clone", "clone3", "exit", "exit_group", "sched_yield", "sched_getaffinity", "gettid",
        "getpid", "restart_syscall", "membarrier", "getrandom",
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
    // No memory is made executable, and no socket but local ones.
    const std::array<ArgumentRule, 3> rules{{
        {"mmap", {2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0}},
        {"mprotect", {2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0}},
        {"socket", {0, SCMP_CMP_EQ, AF_UNIX, 0}},
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
