#include "engine/core/sandbox.hpp"
#include "tests/support/sanitized.hpp"

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <functional>
#include <string>
#include <thread>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <sys/capability.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace cgtide::core {
namespace {

using testing::HasSubstr;

using test::kSanitized;

constexpr int kNoSandbox = 250;

/// Runs `body` in a child of its own and returns its exit status: an errno fits into it.
int in_child(const std::function<int()>& body) {
    const pid_t child = ::fork();
    if (child == 0) {
        ::_exit(body());
    }
    int status = 0;
    if (::waitpid(child, &status, 0) != child || !WIFEXITED(status)) {
        return -1;
    }
    return WEXITSTATUS(status);
}

int errno_of(std::int64_t result) {
    return result < 0 ? errno : 0;
}

/// The errno of a call inside the sandbox; 0 where it succeeded.
int sandboxed(const std::function<int()>& call, bool log_only = false) {
    return in_child([&] { return enter_sandbox(log_only) ? call() : kNoSandbox; });
}

/// A class of calls that the sandbox denies, and what it returns without the sandbox.
struct Denied {
    const char* name;
    int (*call)();
};

int try_execve() {
    char* const none[] = {nullptr};
    return errno_of(::execve("/no/such/program", none, none));
}

int try_ptrace() {
    return errno_of(::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr));
}

int try_bpf() {
    union bpf_attr attributes {};
    return errno_of(::syscall(SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof attributes));
}

int try_mount() {
    return errno_of(::mount("none", "/no/such/folder", "tmpfs", 0, nullptr));
}

int try_foreign_socket() {
    return errno_of(::socket(AF_INET, SOCK_STREAM, 0));
}

int try_other_advice() {
    const int self = static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0));
    return errno_of(::syscall(SYS_process_madvise, self, nullptr, 0, MADV_COLD, 0));
}

int try_executable_map() {
    return ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
                   MAP_FAILED
               ? errno
               : 0;
}

int try_executable_protection() {
    void* page = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED ? kNoSandbox
                              : errno_of(::mprotect(page, 4096, PROT_READ | PROT_EXEC));
}

class SandboxDenies : public testing::TestWithParam<Denied> {};

TEST_P(SandboxDenies, WithEpermWhatWouldNotFailSoOutside) {
    if (kSanitized) {
        GTEST_SKIP() << "needs a build without sanitizers, whose runtime makes such calls itself";
    }
    EXPECT_NE(in_child(GetParam().call), EPERM) << "denied without the sandbox already";
    EXPECT_EQ(sandboxed(GetParam().call), EPERM);
    EXPECT_NE(sandboxed(GetParam().call, true), EPERM) << "denied though it is only to be logged";
}

INSTANTIATE_TEST_SUITE_P(EveryClass, SandboxDenies,
                         testing::Values(Denied{"Execve", try_execve}, Denied{"Ptrace", try_ptrace},
                                         Denied{"Bpf", try_bpf}, Denied{"Mount", try_mount},
                                         Denied{"ForeignSocket", try_foreign_socket},
                                         Denied{"OtherAdvice", try_other_advice},
                                         Denied{"ExecutableMap", try_executable_map},
                                         Denied{"ExecutableProtection", try_executable_protection}),
                         [](const auto& bad) { return std::string(bad.param.name); });

/// What the engine does all day: files, its socket, waiting, a thread, memory. \returns the number
/// of the step that failed, 0 where all went well.
int day_of_the_engine() {
    std::array<char, 64> buffer{};
    const int file = ::open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
    if (file < 0 || ::pread(file, buffer.data(), buffer.size(), 0) <= 0 || ::close(file) != 0) {
        return 1;
    }
    const int local = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (local < 0 || ::listen(local, 1) == 0) { // not bound yet: EINVAL, not EPERM
        return 2;
    }
    void* pages = ::mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED || ::mprotect(pages, 4096, PROT_READ) != 0 ||
        ::munmap(pages, 8192) != 0) {
        return 3;
    }
    bool ran = false;
    std::thread([&] { ran = true; }).join();
    if (!ran) {
        return 4;
    }
    const timespec moment{0, 1};
    if (::clock_nanosleep(CLOCK_MONOTONIC, 0, &moment, nullptr) != 0) {
        return 5;
    }
    return 0;
}

TEST(Sandbox, LetsTheEnginesWorkPass) {
    if (kSanitized) {
        GTEST_SKIP() << "needs a build without sanitizers, whose runtime makes other calls";
    }
    EXPECT_EQ(sandboxed(day_of_the_engine), 0);
}

TEST(Sandbox, HoldsForThreadsThatRanBeforeIt) {
    if (kSanitized) {
        GTEST_SKIP() << "needs a build without sanitizers, whose runtime makes other calls";
    }
    EXPECT_EQ(in_child([] {
                  std::array<int, 2> ends{};
                  if (::pipe(ends.data()) != 0) {
                      return kNoSandbox;
                  }
                  int error = 0;
                  std::thread early([&] {
                      char go = 0;
                      error = ::read(ends[0], &go, 1) == 1 ? try_mount() : kNoSandbox;
                  });
                  const bool entered = enter_sandbox(false).has_value();
                  const bool sent = ::write(ends[1], "x", 1) == 1;
                  early.join();
                  return entered && sent ? error : kNoSandbox;
              }),
              EPERM);
}

TEST(Sandbox, ListsNoCallThatItSaysItDenies) {
    for (const std::string& call : allowed_system_calls()) {
        for (const char* denied : {"execve",         "execveat",
                                   "ptrace",         "bpf",
                                   "mount",          "umount2",
                                   "setns",          "unshare",
                                   "socket",         "mmap",
                                   "mprotect",       "pkey_mprotect",
                                   "init_module",    "finit_module",
                                   "kexec_load",     "process_vm_writev",
                                   "io_uring_setup", "perf_event_open",
                                   "keyctl",         "setuid",
                                   "shmat",          "personality",
                                   "pivot_root",     "reboot",
                                   "swapon"}) {
            EXPECT_NE(call, denied);
        }
    }
}

/// A line of /proc/self/status.
std::string status_line(const std::string& key) {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with(key + ":")) {
            return line.substr(line.find_first_not_of(" \t", key.size() + 1));
        }
    }
    return "";
}

bool has_capability(cap_value_t capability) {
    return (std::stoull(status_line("CapPrm"), nullptr, 16) >> static_cast<unsigned>(capability) &
            1U) != 0;
}

/// Writes what `body` returns to a pipe, from a child: for texts, which no exit status holds.
std::string told_by_child(const std::function<std::string()>& body) {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) {
        return "no pipe";
    }
    const int status = in_child([&] {
        const std::string text = body();
        return ::write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()) ? 0
                                                                                               : 1;
    });
    ::close(ends[1]);
    std::string text(4096, '\0');
    const ssize_t got = ::read(ends[0], text.data(), text.size());
    ::close(ends[0]);
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return status == 0 ? text : "child failed: " + text;
}

class Privileges : public testing::Test {
protected:
    void SetUp() override {
        if (!has_capability(CAP_DAC_OVERRIDE) || !has_capability(CAP_SYS_PTRACE) ||
            !has_capability(CAP_SYS_NICE) || !has_capability(CAP_SETPCAP)) {
            GTEST_SKIP()
                << "needs CAP_DAC_OVERRIDE, CAP_SYS_PTRACE, CAP_SYS_NICE and CAP_SETPCAP: run "
                   "as root";
        }
    }
};

TEST_F(Privileges, OnlyWhatTheWorkNeedsIsLeft) {
    const std::string told = told_by_child([] {
        const auto kept = drop_privileges();
        return (kept ? "" : kept.error().message()) + status_line("CapPrm") + " " +
               status_line("CapEff") + " " + status_line("CapBnd") + " " + status_line("CapInh") +
               " " + status_line("CapAmb") + " " + status_line("NoNewPrivs");
    });
    const std::string only =
        "0000000000880002"; // CAP_SYS_NICE is bit 23, CAP_SYS_PTRACE 19, CAP_DAC_OVERRIDE 1
    const std::string none = "0000000000000000";
    EXPECT_EQ(told, only + " " + only + " " + only + " " + none + " " + none + " 1");
}

/// What drop_privileges() says of each capability, and what is left, where `taken` was missing
/// before.
std::string told_without(cap_value_t taken) {
    return told_by_child([taken] {
        cap_t caps = cap_get_proc();
        cap_set_flag(caps, CAP_PERMITTED, 1, &taken, CAP_CLEAR);
        cap_set_flag(caps, CAP_EFFECTIVE, 1, &taken, CAP_CLEAR);
        cap_set_flag(caps, CAP_INHERITABLE, 1, &taken, CAP_CLEAR);
        const bool set = cap_set_proc(caps) == 0;
        cap_free(caps);
        const auto kept = drop_privileges();
        if (!set || !kept) {
            return std::string("failed");
        }
        std::string text;
        for (const Privilege& privilege : *kept) {
            text += privilege.name + (privilege.held ? " held, " : " missing, ");
        }
        return text + status_line("CapEff") + " " + status_line("NoNewPrivs");
    });
}

TEST_F(Privileges, WhatWasNotThereIsNamedAndTheRestGivenUpAllTheSame) {
    EXPECT_EQ(told_without(CAP_DAC_OVERRIDE),
              "CAP_DAC_OVERRIDE missing, CAP_SYS_PTRACE held, CAP_SYS_NICE held, "
              "0000000000880000 1");
    EXPECT_EQ(told_without(CAP_SYS_PTRACE),
              "CAP_DAC_OVERRIDE held, CAP_SYS_PTRACE missing, CAP_SYS_NICE held, "
              "0000000000800002 1");
}

TEST_F(Privileges, WhatWasGivenUpDoesNotComeBack) {
    EXPECT_EQ(in_child([] {
                  if (!drop_privileges()) {
                      return kNoSandbox;
                  }
                  return errno_of(::mount("none", "/proc", "tmpfs", MS_REMOUNT, nullptr));
              }),
              EPERM);
}

} // namespace
} // namespace cgtide::core
