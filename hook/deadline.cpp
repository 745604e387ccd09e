#include "hook/deadline.hpp"

#include "hook/report.hpp"

#include <array>
#include <csignal>
#include <cstring>

#include <sys/time.h>
#include <unistd.h>

namespace cgtide::hook {

namespace {

const char* volatile current = "starting";
const char* log_path = "";
int exit_status = 0;

void out_of_time(int /*signal*/) {
    std::array<char, 128> text{};
    constexpr const char* kPrefix = "out of time while ";
    std::strncpy(text.data(), kPrefix, text.size() - 1);
    std::strncat(text.data(), current, text.size() - 1 - std::strlen(kPrefix));
    report(text.data(), log_path);
    ::_exit(exit_status);
}

} // namespace

void start_guard(std::chrono::milliseconds budget, const char* log_socket, int status) noexcept {
    log_path = log_socket;
    exit_status = status;
    struct sigaction action {};
    action.sa_handler = out_of_time;
    ::sigaction(SIGALRM, &action, nullptr);
    // The mask is the runtime's, which may have the signal blocked.
    sigset_t only;
    ::sigemptyset(&only);
    ::sigaddset(&only, SIGALRM);
    ::sigprocmask(SIG_UNBLOCK, &only, nullptr);
    itimerval timer{};
    constexpr long kMillisecondsInSecond = 1000;
    timer.it_value.tv_sec = budget.count() / kMillisecondsInSecond;
    timer.it_value.tv_usec = budget.count() % kMillisecondsInSecond * kMillisecondsInSecond;
    ::setitimer(ITIMER_REAL, &timer, nullptr);
}

void doing(const char* what) noexcept {
    current = what;
}

} // namespace cgtide::hook
