#include "hook/deadline.hpp"
#include "hook/input.hpp"
#include "hook/options.hpp"
#include "hook/report.hpp"
#include "hook/run.hpp"
#include "oci/state.hpp"

#include <exception>
#include <span>
#include <string>

#include <unistd.h>

namespace {

constexpr int kFailed = 1;
constexpr int kUsage = 2;

/// Ends without destructors: the kernel takes everything back sooner.
[[noreturn]] void end(int status) {
    ::_exit(status);
}

[[noreturn]] void print(std::string_view text) {
    const auto put = ::write(STDOUT_FILENO, text.data(), text.size());
    end(put == static_cast<ssize_t>(text.size()) ? 0 : kFailed);
}

std::string run(const cgtide::hook::Options& options, cgtide::TimePoint deadline) {
    using namespace cgtide;
    hook::doing("reading standard input");
    const auto text = hook::read_input(STDIN_FILENO, oci::kMaxStateBytes);
    return text ? hook::run(options, *text, deadline) : text.error().message();
}

} // namespace

int main(int argc, char** argv) {
    using namespace cgtide;
    const TimePoint start = std::chrono::steady_clock::now();
    const std::span<const char* const> args(argv + (argc > 0 ? 1 : 0), argv + argc);
    const auto options = hook::parse_options(args);
    if (!options) {
        hook::report(options.error().message(), "/dev/log");
        end(hook::asks_strict(args) ? kUsage : 0);
    }
    if (options->help) {
        print(hook::help_text());
    }
    if (options->version) {
        print("cgtide-hook " CGTIDE_VERSION "\n");
    }
    const std::string log = options->root + "dev/log";
    const int failed = options->strict ? kFailed : 0;
    hook::start_guard(options->budget, log.c_str(), failed);
    std::string problem;
    try {
        problem = run(*options, start + options->budget * 3 / 4);
    } catch (const std::exception& error) { // out of memory is all that is thrown
        problem = error.what();
    }
    if (problem.empty()) {
        end(0);
    }
    hook::report(problem, log.c_str());
    end(failed);
}
